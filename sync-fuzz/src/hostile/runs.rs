//! Runs: parts that contradict each other, forged and broken chains, and what an author signed that nobody may accept.

use sync_core::{
    authorship::{Refusal, Shared, sign_head, verify_run},
    changeset::{Body, Change, Header, Version, Versions, encode_body},
    hlc::{Hlc, Stamp},
    ids::{Hash, PartitionId, Seq, SpaceId},
    wire::{
        Accepted, Message, Opaque, Run, RunAssembler, RunPart, Signature, WireChangeset, WireShared,
        split_run,
    },
};

use super::{
    build::flipped,
    list::{Hostile, List},
};
use crate::{
    outcome::Outcome,
    random::Random,
    samples::{self, Chain, PARTITION, SPACE, device_key, header, origin},
    targets::{assemble, violation},
};

pub(super) fn all() -> Vec<Hostile> {
    [contradictions(), shapes(), chains(), bodies(), rows(), refusals()].concat()
}

/// Parts, each behind its length in two bytes.
fn travelling(parts: &[RunPart]) -> Vec<u8> {
    let piece = |part: &RunPart| {
        let bytes = Message::Run(part.clone()).encode();
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        [length.to_le_bytes().to_vec(), bytes].concat()
    };
    parts.iter().flat_map(piece).collect()
}

fn contradictions() -> Vec<Hostile> {
    let mut list = List::new("assembly", assemble);
    let Some(whole) = samples::run_part().into_iter().next() else { return Vec::new() };
    let part = |index: u32, last: bool| RunPart { index, last, ..whole.clone() };
    let bad = "run contradiction";
    list.detailed("two ends", travelling(&[part(2, true), part(4, true)]), bad, "two ends");
    list.detailed("an end before others", travelling(&[part(4, false), part(2, true)]), bad, "two ends");
    list.detailed(
        "more after the end",
        travelling(&[part(2, true), part(4, false)]),
        bad,
        "more after the end",
    );
    let other = RunPart { first: Seq(9), ..part(1, false) };
    list.detailed("another first sequence", travelling(&[part(0, false), other]), bad, "different runs");
    let other = RunPart { origin: origin(4), ..part(1, false) };
    list.detailed("another origin", travelling(&[part(0, false), other]), bad, "different runs");
    let other = RunPart { partition: PartitionId::from_bytes([1; 16]), ..part(1, false) };
    list.detailed("another partition", travelling(&[part(0, false), other]), bad, "different runs");
    let mut proof = whole.proof;
    proof.seq = Seq(99);
    let other = RunPart { proof, ..part(1, false) };
    list.detailed("another proof", travelling(&[part(0, false), other]), bad, "different runs");
    let transfers: Vec<RunPart> = (0..17).map(|transfer| RunPart { transfer, ..part(0, false) }).collect();
    list.detailed("17 transfers at once", travelling(&transfers), "run limit", "transfers");
    let pieced = |of: u32| {
        let changeset = WireChangeset { header: Opaque(b"large".to_vec()), shared: WireShared::Parts(of) };
        RunPart { changesets: vec![changeset], ..part(0, false) }
    };
    let piece = |index: u32, of: u32, at: u32, last: bool| {
        let bytes = Opaque(vec![1; 9]);
        let piece = sync_core::wire::BodyPart { header: Hash::of(b"large"), index, of, bytes };
        RunPart { changesets: Vec::new(), piece: Some(piece), ..part(at, last) }
    };
    list.detailed("a piece of no body", travelling(&[piece(0, 1, 0, true)]), bad, "a piece of no body");
    let another = "a piece of another body";
    list.detailed("second piece first", travelling(&[pieced(2), piece(1, 2, 1, true)]), bad, another);
    list.detailed("a piece of another number", travelling(&[pieced(2), piece(0, 3, 1, true)]), bad, another);
    let mut foreign = piece(0, 2, 1, true);
    foreign.piece.as_mut().into_iter().for_each(|piece| piece.header = Hash([9; 32]));
    list.detailed("a piece of another header", travelling(&[pieced(2), foreign]), bad, another);
    let missing = "a body's pieces are missing";
    list.detailed("second piece missing", travelling(&[pieced(2), piece(0, 2, 1, true)]), bad, missing);
    list.detailed(
        "all pieces missing",
        travelling(&[pieced(2), RunPart { changesets: Vec::new(), ..part(1, true) }]),
        bad,
        missing,
    );
    list.detailed(
        "a body in no pieces",
        travelling(&[pieced(0), RunPart { changesets: Vec::new(), ..part(1, true) }]),
        bad,
        missing,
    );
    list.detailed("next changeset before the pieces", travelling(&[pieced(2), part(1, true)]), bad, missing);
    let third = travelling(&[pieced(1), piece(0, 1, 1, false), piece(1, 1, 2, true)]);
    list.detailed("one piece more than there are", third, bad, "a piece of no body");
    list.add("no part at all", b"\x04\x00none".as_slice(), "no parts");
    list.done()
}

/// Puts the parts of one run together and verifies it; tells what is refused too.
fn verified(input: &[u8]) -> Outcome {
    let mut assembler = RunAssembler::new();
    for piece in crate::targets::pieces(input) {
        let Ok(part) = postcard::from_bytes::<RunPart>(piece) else { return Outcome::error("no part", "") };
        let Ok(Accepted::Whole(_, run)) = assembler.accept(part) else { continue };
        return match verify_run(&SPACE, *run) {
            Err(error) => violation(&error),
            Ok(run) => run.changesets.iter().find_map(|c| refused(&c.shared)).unwrap_or(Outcome::ok(0)),
        };
    }
    Outcome::error("no run", "")
}

fn refused(shared: &Shared) -> Option<Outcome> {
    let Shared::Refused { reason, .. } = shared else { return None };
    let detail = match reason {
        Refusal::Malformed => "malformed",
        Refusal::Count => "count",
        Refusal::Stamp => "stamp",
        Refusal::ForeignStamp => "foreign stamp",
        Refusal::ForeignDot => "foreign dot",
        _ => "unnamed",
    };
    Some(Outcome::error("refused", detail))
}

/// The bytes in which a run travels.
fn of(run: Run) -> Vec<u8> {
    travelling(&split_run(run, 1).unwrap_or_default())
}

/// A good run of three changesets and a link.
fn good() -> Run {
    samples::run(3, 4, 1)
}

fn changed(change: impl FnOnce(&mut Run)) -> Vec<u8> {
    let mut run = good();
    change(&mut run);
    of(run)
}

fn shapes() -> Vec<Hostile> {
    let mut list = List::new("run", verified);
    let empty = samples::run_part().into_iter().map(|part| RunPart { changesets: Vec::new(), ..part });
    list.add("no changesets", travelling(&empty.collect::<Vec<_>>()), "violation shape");
    list.add(
        "the key of another device",
        changed(|run| run.public_key = device_key(4).public()),
        "violation key",
    );
    list.add("another origin's device", changed(|run| run.origin.device = origin(4).device), "violation key");
    list.add("another incarnation", changed(|run| run.origin.incarnation.0 += 1), "violation foreign");
    list.add(
        "another partition",
        changed(|run| run.partition = PartitionId::from_bytes([1; 16])),
        "violation foreign",
    );
    list.add("forged signature", changed(|run| run.proof.signature.0[0] ^= 1), "violation signature");
    list.add(
        "signature of zeroes",
        changed(|run| run.proof.signature = Signature([0; 64])),
        "violation signature",
    );
    let reach = |seq: u64, hash| sign_head(&device_key(3), &SPACE, &PARTITION, &origin(3), Seq(seq), hash);
    let by_other = |seq: u64, hash| sign_head(&device_key(4), &SPACE, &PARTITION, &origin(3), Seq(seq), hash);
    let hash = good().proof.hash;
    list.add("signed by another device", changed(|run| run.proof = by_other(4, hash)), "violation signature");
    list.add("proof of a later sequence", changed(|run| run.proof = reach(5, hash)), "violation signature");
    list.add(
        "proof of an earlier sequence",
        changed(|run| run.proof = reach(3, hash)),
        "violation signature",
    );
    list.add(
        "proof of sequence u64::MAX",
        changed(|run| run.proof = reach(u64::MAX, hash)),
        "violation signature",
    );
    list.add(
        "proof of another hash",
        changed(|run| run.proof = reach(4, Hash([1; 32]))),
        "violation signature",
    );
    list.add(
        "proof for another space",
        changed(|run| {
            run.proof = sign_head(
                &device_key(3),
                &SpaceId::from_bytes([1; 16]),
                &PARTITION,
                &origin(3),
                Seq(4),
                hash,
            );
        }),
        "violation signature",
    );
    list.add("link to the proof missing", changed(|run| run.links.clear()), "violation signature");
    list.done()
}

/// A signed run of headers as `change` left them.
fn chained(change: impl Fn(&mut Header, u64)) -> Run {
    let mut chain = Chain::default();
    for seq in 1..=3 {
        let mut header = header(seq, chain.last);
        change(&mut header, seq);
        chain.add(&header, None);
    }
    chain.sign(0)
}

/// The same with only the second changed.
fn second(change: impl Fn(&mut Header)) -> Vec<u8> {
    of(chained(|header, seq| {
        if seq == 2 {
            change(header);
        }
    }))
}

fn chains() -> Vec<Hostile> {
    let mut list = List::new("chain", verified);
    list.add("first sequence one later", changed(|run| run.first = Seq(2)), "violation chain");
    list.add("first sequence 0", changed(|run| run.first = Seq(0)), "violation chain");
    list.add("first sequence u64::MAX", changed(|run| run.first = Seq(u64::MAX)), "violation chain");
    list.add("two headers exchanged", changed(|run| run.headers.swap(0, 1)), "violation chain");
    let empty = changed(|run| run.headers.iter_mut().for_each(Vec::clear));
    list.detailed("empty headers", empty, "violation header", "header malformed");
    list.add("links in the wrong place", changed(|run| run.links = run.headers.clone()), "violation chain");
    list.add("a gap", second(|header| header.seq = Seq(5)), "violation chain");
    list.add("a number twice", second(|header| header.seq = Seq(1)), "violation chain");
    list.add("another previous hash", second(|header| header.previous = Hash([1; 32])), "violation chain");
    list.add("no previous hash", second(|header| header.previous = Hash::NONE), "violation chain");
    let first = of(chained(|header, seq| {
        if seq == 1 {
            header.previous = Hash([1; 32]);
        }
    }));
    list.add("something before the first", first, "violation chain");
    list.add(
        "a header of another space",
        second(|header| header.space = SpaceId::from_bytes([1; 16])),
        "violation foreign",
    );
    list.add("a header of another origin", second(|header| header.origin = origin(4)), "violation foreign");
    list.add(
        "a header of another partition",
        second(|header| header.partition = PartitionId::from_bytes([1; 16])),
        "violation foreign",
    );
    let bad = "violation header";
    list.detailed("a header of version 2", second(|header| header.version = 2), bad, "header version");
    list.detailed("a stamp before 2020", second(|header| header.hlc = Hlc(1)), bad, "header impossible");
    list.detailed(
        "a stamp after 2200",
        second(|header| header.hlc = Hlc::MAX_VALID),
        bad,
        "header impossible",
    );
    list.detailed("no parts", second(|header| header.parts = 0), bad, "header impossible");
    list.detailed(
        "a header that is cut",
        changed(|run| run.headers.iter_mut().for_each(|h| h.truncate(90))),
        bad,
        "header malformed",
    );
    list.detailed(
        "an altered link",
        changed(|run| run.links.iter_mut().for_each(|l| l.truncate(3))),
        bad,
        "header malformed",
    );
    list.done()
}

fn bodies() -> Vec<Hostile> {
    let mut list = List::new("body of a run", verified);
    let reason = "violation body";
    list.add("missing", changed(|run| run.shared.iter_mut().for_each(|body| *body = None)), reason);
    let flip = |body: &mut Option<Vec<u8>>| {
        let at = body.as_ref().map_or(0, Vec::len).saturating_sub(1);
        *body = body.take().map(|bytes| flipped(&bytes, at, 1));
    };
    list.add("altered", changed(|run| run.shared.iter_mut().for_each(flip)), reason);
    list.add("of another changeset", changed(|run| run.shared.reverse()), reason);
    list.add("empty", changed(|run| run.shared.iter_mut().for_each(|body| *body = Some(Vec::new()))), reason);
    let mut nothing = chained(|_, _| ());
    nothing.shared = vec![Some(vec![1, 0]); 3];
    list.add("where the header names none", of(nothing), reason);
    list.done()
}

/// A run of one changeset that names `signed` and comes with `sent`.
fn owned(signed: &[Change], count: u32, sent: &[Change]) -> Vec<u8> {
    let mut header = header(1, Hash::NONE);
    header.owned_count = count;
    header.owned = sync_core::authorship::owned_hash(signed.iter().cloned(), header.version());
    let mut chain = Chain { owned: vec![samples::page(sent)], ..Chain::default() };
    chain.add(&header, None);
    of(chain.sign(0))
}

fn rows() -> Vec<Hostile> {
    let mut list = List::new("owned rows", verified);
    let all = samples::owned_rows(3);
    let with = |change: &dyn Fn(&mut Version)| {
        let mut rows = all.clone();
        rows.iter_mut().take(1).for_each(|row| change(&mut row.version));
        owned(&all, 3, &rows)
    };
    list.add("of another origin", with(&|version| version.origin = origin(4)), "violation row");
    list.add("stamped by another device", with(&|version| version.stamp.origin = origin(4)), "violation row");
    list.add("stamped before 2020", with(&|version| version.stamp.hlc = Hlc(1)), "violation row");
    list.add("stamped after 2200", with(&|version| version.stamp.hlc = Hlc::MAX_VALID), "violation row");
    list.add("of a later changeset", with(&|version| version.seq = Seq(2)), "violation row");
    list.add("of changeset 0", with(&|version| version.seq = Seq(0)), "violation row");
    list.add("of changeset u64::MAX", with(&|version| version.seq = Seq(u64::MAX)), "violation row");
    list.add("more than the header names", owned(&all, 2, &all), "violation owned");
    list.add("of a header that names none", owned(&[], 0, &all), "violation owned");
    let mut other = all.clone();
    other.iter_mut().take(1).for_each(|row| row.record = sync_core::ids::RecordId::from_bytes([9; 16]));
    list.add("another record", owned(&all, 3, &other), "violation owned");
    let mut other = all.clone();
    other.iter_mut().take(1).for_each(|row| row.fields.clear());
    list.add("a value left out", owned(&all, 3, &other), "violation owned");
    let mut noted = all.clone();
    noted.iter_mut().take(1).for_each(|row| row.seen_delete = Some(Stamp::ZERO));
    list.add("that note a stamp before 2020", owned(&all, 3, &noted), "violation row");
    let page = |page: Vec<u8>| {
        let mut run = samples::owned_run(3);
        run.owned = vec![page];
        of(run)
    };
    let reason = "violation page";
    list.detailed("a page that ends", page(vec![1, 1, 0]), reason, "body limit");
    list.detailed("a page of format 2", page(vec![2, 0]), reason, "body version");
    list.detailed("a page with a byte too much", page(vec![1, 0, 0]), reason, "body length");
    let mut plain = Body::default();
    for row in &all {
        plain.push(row, row.version);
    }
    list.add("without versions of their own", page(encode_body(&plain)), "violation row");
    list.done()
}

/// A run of one changeset with this body.
fn signed(body: &[u8], count: u32) -> Vec<u8> {
    let mut header = header(1, Hash::NONE);
    header.shared = Hash::of(body);
    header.shared_count = count;
    let mut chain = Chain::default();
    chain.add(&header, Some(body.to_vec()));
    of(chain.sign(0))
}

fn refusals() -> Vec<Hostile> {
    let mut list = List::new("signed", verified);
    let bad = "refused";
    list.detailed("rubbish", signed(b"rubbish", 1), bad, "malformed");
    list.detailed("an empty body", signed(&[], 0), bad, "malformed");
    list.detailed("a body of format 2", signed(&[2, 0], 0), bad, "malformed");
    list.detailed("a body with a byte too much", signed(&[1, 0, 0], 0), bad, "malformed");
    let own = header(1, Hash::NONE).version();
    let mut random = Random::new(3);
    let mut body = samples::body(&mut random, own);
    for section in &mut body.sections {
        section.versions = Versions::Changeset;
        section.over.clear();
        section.seen_delete.clear();
    }
    let count = u32::try_from(body.len()).unwrap_or_default();
    let plain = encode_body(&body);
    list.detailed("one change fewer than named", signed(&plain, count + 1), bad, "count");
    list.detailed("one change more than named", signed(&plain, count - 1), bad, "count");
    list.detailed("u32::MAX changes named", signed(&plain, u32::MAX), bad, "count");
    let with = |change: &dyn Fn(&mut sync_core::changeset::Section)| {
        let mut body = body.clone();
        body.sections.iter_mut().take(1).for_each(change);
        signed(&encode_body(&body), count)
    };
    let stamps =
        |stamp: Stamp| with(&move |section| section.versions = Versions::Stamps(vec![stamp; section.len()]));
    list.detailed("a stamp before 2020", stamps(Stamp::new(Hlc(1), own.origin)), bad, "stamp");
    list.detailed("a stamp after 2200", stamps(Stamp::new(Hlc::MAX_VALID, own.origin)), bad, "stamp");
    list.detailed("a stamp of u64::MAX", stamps(Stamp::new(Hlc(u64::MAX), own.origin)), bad, "stamp");
    list.detailed(
        "a stamp of another device",
        stamps(Stamp::new(own.stamp.hlc, origin(4))),
        bad,
        "foreign stamp",
    );
    let dots = with(&|section| section.versions = Versions::Explicit(vec![own; section.len()]));
    list.detailed("versions of whole changesets", dots, bad, "foreign dot");
    let early = Stamp::new(Hlc(1), own.origin);
    list.detailed(
        "something dead before 2020",
        with(&|section| section.over = vec![Some(early); section.len()]),
        bad,
        "stamp",
    );
    list.detailed(
        "a delete seen before 2020",
        with(&|section| section.seen_delete = vec![Some(early); section.len()]),
        bad,
        "stamp",
    );
    list.done()
}
