//! Parsers with one planted fault each, of the sorts that the targets look for. They exist to show that the fuzzer
//! finds them; nothing else uses them.
#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "these are the faults")]

use crate::{allocation::bounded, outcome::Outcome, targets::Target};

/// All of them.
pub const ALL: &[Target] = &[
    planted("planted-length", length),
    planted("planted-reserve", reserve),
    planted("planted-form", form),
    planted("planted-work", work),
    planted("planted-text", text),
    planted("planted-range", range),
];

const fn planted(name: &'static str, run: fn(&[u8]) -> Outcome) -> Target {
    Target { name, run, samples, share: 1 }
}

/// `magic(4) kind(1) length(2) bytes`, valid for all of them.
fn samples() -> Vec<Vec<u8>> {
    vec![b"SynK\x01\x04\x00abcd".to_vec(), b"SynK\x02\x08\x00\x01\x00\x00\x00\x05\x00\x00\x00".to_vec()]
}

/// Takes the envelope apart as it should be done.
fn envelope(input: &[u8]) -> Option<(u8, &[u8])> {
    let ([magic @ .., kind], rest) = input.split_first_chunk::<5>()?;
    let (length, body) = rest.split_first_chunk::<2>()?;
    let fits = magic == b"SynK" && usize::from(u16::from_le_bytes(*length)) == body.len();
    fits.then_some((*kind, body))
}

/// Believes a length.
fn length(input: &[u8]) -> Outcome {
    let Some(rest) = input.strip_prefix(b"SynK") else { return Outcome::error("magic", "") };
    let [_, low, high, body @ ..] = rest else { return Outcome::error("length", "") };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    Outcome::ok(body[..length].len())
}

/// Reserves what a count announces.
fn reserve(input: &[u8]) -> Outcome {
    let Some((2, body)) = envelope(input) else { return Outcome::error("envelope", "") };
    let Some((count, _)) = body.split_first_chunk::<4>() else { return Outcome::error("count", "") };
    let count = usize::try_from(u32::from_le_bytes(*count) >> 4).unwrap_or_default();
    let list = bounded("reserve", input.len(), || Vec::<u64>::with_capacity(count));
    Outcome::ok(list.len())
}

/// Accepts a number in more than one form and promises only one.
fn form(input: &[u8]) -> Outcome {
    let Some((1, body)) = envelope(input) else { return Outcome::error("envelope", "") };
    let mut value = 0_u64;
    for (shift, byte) in (0..63).step_by(7).zip(body) {
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            let used = shift / 7 + 1;
            assert_eq!(crate::mutate::varint(value), &body[..used], "a number has one form");
            return Outcome::ok(used);
        }
    }
    Outcome::error("number", "")
}

/// Asks the allocator 64 times for each byte.
fn work(input: &[u8]) -> Outcome {
    let Some(body) = input.strip_prefix(b"SynK") else { return Outcome::error("magic", "") };
    let all = bounded("work", input.len(), || {
        body.iter().fold(0_usize, |all, byte| all + (0..64).map(|_| vec![*byte; 2].len()).sum::<usize>())
    });
    Outcome::ok(all)
}

/// Takes bytes for text in one kind only.
fn text(input: &[u8]) -> Outcome {
    match envelope(input) {
        Some((3, body)) => Outcome::ok(std::str::from_utf8(body).expect("planted").len()),
        Some((kind, _)) => Outcome::error("kind", "").at(u32::from(kind)),
        None => Outcome::error("envelope", ""),
    }
}

/// Slices from a first to a last without asking which is larger.
fn range(input: &[u8]) -> Outcome {
    let Some((2, body)) = envelope(input) else { return Outcome::error("envelope", "") };
    let [first, _, _, _, last, ..] = body else { return Outcome::error("ends", "") };
    let (first, last) = (usize::from(*first), usize::from(*last));
    if last > body.len() {
        return Outcome::error("last", "");
    }
    Outcome::ok(body[first..last].len())
}
