//! Runs in parts, the check of who signed them, and statements.

use sync_core::{
    authorship::{Shared, SignedStatement, VerifiedRun, verify_run},
    wire::{Accepted, MAX_RUN_BYTES, Run, RunAssembler, RunPart, split_run},
};

use super::{assemble_error, statement_error, violation};
use crate::{
    allocation::bounded,
    outcome::Outcome,
    samples::{self, SPACE},
};

/// The pieces of an input: each begins with its length in two bytes, little endian.
pub fn pieces(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = input.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        input = rest;
        Some(piece)
    })
}

/// Several run parts: assembled they are runs that can be taken apart again.
pub fn assemble(input: &[u8]) -> Outcome {
    let mut assembler = RunAssembler::new();
    let (mut runs, mut parts, mut last) = (0, 0, None);
    for piece in pieces(input).take(256) {
        let Ok(part) = postcard::from_bytes::<RunPart>(piece) else { continue };
        parts += 1;
        match assembler.accept(part) {
            Err(error) => last = Some(assemble_error(error)),
            Ok(Accepted::Part | Accepted::Repeated(_)) => {}
            Ok(Accepted::Whole(_, run)) => {
                runs += 1;
                reassemble(&run);
            }
        }
        assert!(assembler.bytes() <= MAX_RUN_BYTES, "what is kept is bounded");
    }
    match last {
        Some(error) => error,
        None if parts == 0 => Outcome::error("no parts", ""),
        None => Outcome::ok(runs * 16 + parts),
    }
}

fn reassemble(run: &Run) {
    let Ok(parts) = split_run(run.clone(), 5) else { return };
    let mut assembler = RunAssembler::new();
    let count = parts.len();
    // Backwards and each twice: a transport may do both.
    for (n, part) in parts.into_iter().rev().enumerate() {
        let repeated = assembler.accept(part.clone());
        let accepted = if n + 1 < count { assembler.accept(part) } else { repeated };
        match accepted {
            Ok(Accepted::Whole(5, again)) => assert_eq!(*again, *run, "a run survives its parts"),
            other => assert!(
                matches!(other, Ok(Accepted::Part)) && n + 1 < count,
                "part {n} of {count}: {other:?}"
            ),
        }
    }
}

/// A run: only what device 3 signed is accepted.
pub fn verify(input: &[u8]) -> Outcome {
    let mut assembler = RunAssembler::new();
    let mut outcome = Outcome::error("no run", "");
    for piece in pieces(input).take(64) {
        let Ok(part) = postcard::from_bytes::<RunPart>(piece) else { continue };
        let Ok(Accepted::Whole(_, run)) = assembler.accept(part) else { continue };
        let bytes = run.bytes();
        outcome = match bounded("run", bytes, || verify_run(&SPACE, *run)) {
            Err(error) => violation(&error),
            Ok(verified) => {
                authentic(&verified);
                Outcome::ok(verified.changesets.len())
            }
        };
    }
    outcome
}

/// Whether device 3 wrote every header and body of it: the samples are all that it ever signed.
pub(super) fn authentic(run: &VerifiedRun) {
    assert_eq!(run.public_key, samples::device_key(3).public(), "the only key that signs runs");
    let known = |headers: &[Vec<u8>], links: &[Vec<u8>], bytes: &Vec<u8>| {
        headers.contains(bytes) || links.contains(bytes)
    };
    let signed = SIGNED.with(|signed| {
        run.changesets.iter().all(|changeset| {
            signed.iter().any(|run| known(&run.headers, &run.links, &changeset.header_bytes))
        })
    });
    assert!(signed, "a header that nobody signed was accepted");
    for changeset in &run.changesets {
        let (Shared::Body { bytes, .. } | Shared::Refused { bytes, .. }) = &changeset.shared else {
            continue;
        };
        let known = SIGNED.with(|signed| signed.iter().any(|run| run.shared.contains(&Some(bytes.clone()))));
        assert!(known, "a body that nobody signed was accepted");
    }
}

thread_local! {
    static SIGNED: Vec<Run> = samples::signed_runs();
}

/// A statement of a member: only what it signed is accepted.
pub fn statement(input: &[u8]) -> Outcome {
    let read = bounded("statement", input.len(), || {
        let signed = SignedStatement::from_bytes(input)?;
        let verified = signed.verify(&SPACE);
        Some((signed, verified))
    });
    let Some((signed, verified)) = read else { return Outcome::error("no statement", "") };
    let again = SignedStatement::from_bytes(&signed.to_bytes());
    assert_eq!(again.as_ref(), Some(&signed), "survives");
    match verified {
        Err(error) => statement_error(error),
        Ok(statement) => {
            let known = MEMBERS.with(|members| members.contains(&signed));
            assert!(known, "a statement that nobody signed was accepted");
            assert!(!statement.is_newer_than(&statement), "nothing is newer than itself");
            Outcome::ok(statement.vector.len())
        }
    }
}

thread_local! {
    static MEMBERS: Vec<SignedStatement> = (3..6).map(samples::statement).collect();
}
