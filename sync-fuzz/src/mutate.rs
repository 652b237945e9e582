//! Changes valid inputs: bits, splices, lengths, cuts, numbers that overflow, repetitions, words of the formats.

use crate::random::Random;

/// Longest input that mutation makes.
pub const MAX_INPUT: usize = 64 << 10;
/// Longest input that it mostly makes: short ones are tried more often in the same time.
const USUAL: usize = 4 << 10;

/// Numbers at which parsers break, as varints and as fixed-width integers.
const NUMBERS: &[u64] = &[
    0,
    1,
    2,
    15,
    16,
    17,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    257,
    4095,
    4096,
    4097,
    65_535,
    65_536,
    1 << 20,
    (1 << 24) + 1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    1 << 47,
    1_577_836_800_000 << 16,
    7_258_118_400_000 << 16,
    i64::MAX.unsigned_abs(),
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// Words of the formats: magic, varints without end or in a longer form, NaN, −0.0, UTF-8 that is none, JSON, URLs.
const WORDS: &[&[u8]] = &[
    b"SynK\x01\x01",
    b"SynK\x01\x02",
    b"SynK\x02\x03",
    &[0x80; 10],
    &[0xff; 10],
    &[0x80, 0x00],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
    &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
    &[0, 0, 0, 0, 0, 0, 0, 0x80],
    &[0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    &[0xc3, 0x28],
    &[0xed, 0xa0, 0x80],
    &[0xf4, 0x90, 0x80, 0x80],
    &[0x28, 0xb5, 0x2f, 0xfd],
    &[0; 16],
    &[0; 32],
    &[0xff; 16],
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":",
    b"\\ud800",
    b"\\u0000",
    b"1e9",
    b"null",
    b"://",
    b"%2F",
    b"%00",
    b"?a=1&a=1",
    b"@",
    b"[::1]:",
    b"handshake_timeout_ms=",
    b"window=",
];

/// Changes `input` a few times. `other` is another input of the same target, for splices.
pub fn mutate(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    let magnitude = random.below(4);
    let times = 1 + random.below(1 << magnitude);
    for _ in 0..times {
        once(random, input, other);
    }
    let most = if random.one_in(64) { MAX_INPUT } else { USUAL };
    input.truncate(most);
}

fn once(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(input.len() + 1);
    match random.below(14) {
        0 => set(input, at, |byte| byte ^ (1 << random.below(8))),
        1 => set(input, at, |_| random.byte()),
        2 => set(input, at, |byte| byte.wrapping_add(1)),
        3 => set(input, at, |byte| byte.wrapping_sub(1)),
        4 => cut(random, input, at),
        5 => input.truncate(at),
        6 => insert_varint(random, input, at),
        7 => overwrite_number(random, input, at),
        8 => insert(input, at, random.choose(WORDS).copied().unwrap_or_default()),
        9 => overwrite(input, at, random.choose(WORDS).copied().unwrap_or_default()),
        10 => repeat(random, input, at),
        11 => splice(random, input, at, other),
        12 => swap(random, input, at),
        _ => {
            let byte = random.byte();
            insert(input, at, &[byte]);
        }
    }
}

fn set(input: &mut [u8], at: usize, to: impl FnOnce(u8) -> u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte = to(*byte);
    }
}

/// A few bytes, or up to all that follow.
fn span(random: &mut Random, most: usize) -> usize {
    let most = if random.one_in(4) { most } else { most.min(16) };
    1 + random.below(most)
}

fn cut(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let end = (at + span(random, input.len().saturating_sub(at))).min(input.len());
    input.drain(at..end);
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

fn overwrite(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = (at + bytes.len()).min(input.len());
    input.splice(at..end, bytes.iter().copied());
}

/// A number as LEB128.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(10);
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

fn number(random: &mut Random) -> u64 {
    random.choose(NUMBERS).copied().unwrap_or_default()
}

/// A varint, in place of the one that may stand there or before it.
fn insert_varint(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let bytes = varint(number(random));
    if random.one_in(2) {
        insert(input, at, &bytes);
        return;
    }
    let stands = input.iter().skip(at).take_while(|byte| **byte >= 0x80).count() + 1;
    let end = (at + stands).min(input.len());
    input.splice(at..end, bytes);
}

fn overwrite_number(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let mut bytes = number(random).to_le_bytes();
    if random.one_in(2) {
        bytes.reverse();
    }
    let width = 1 << random.below(4);
    overwrite(input, at, bytes.get(..width).unwrap_or_default());
}

fn repeat(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let end = (at + span(random, input.len().saturating_sub(at))).min(input.len());
    let piece: Vec<u8> = input.get(at..end).unwrap_or_default().to_vec();
    let magnitude = random.below(9);
    let times = 1 + random.below(1 << magnitude);
    let times = times.min(MAX_INPUT / piece.len().max(1));
    insert(input, end, &piece.repeat(times));
}

fn splice(random: &mut Random, input: &mut Vec<u8>, at: usize, other: &[u8]) {
    let from = random.below(other.len() + 1);
    let to = (from + span(random, other.len() - from)).min(other.len());
    let piece = other.get(from..to).unwrap_or_default();
    if random.one_in(2) { insert(input, at, piece) } else { overwrite(input, at, piece) }
}

fn swap(random: &mut Random, input: &mut [u8], at: usize) {
    let other = random.below(input.len());
    if at < input.len() && other < input.len() {
        input.swap(at, other);
    }
}
