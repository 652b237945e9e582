//! Frames, envelopes, sealed records, handshakes.

use sync_core::wire::{FrameKind, Kind, encode_frame, encode_inner};

use super::{
    build::{flipped, join, patched, trailing},
    list::{Hostile, List},
};
use crate::{
    samples::golden,
    targets::{frame, handshake, inner, sealed, sealed_sample},
};

pub(super) fn all() -> Vec<Hostile> {
    [outer(), envelopes(), compressed(), seals(), handshakes()].concat()
}

fn outer() -> Vec<Hostile> {
    let mut list = List::new("frame", frame);
    let valid = encode_frame(FrameKind::Sealed, b"body").unwrap_or_default();
    list.cuts(&valid, &[0, 1, 3, 4, 5, 6, 7, 9, 10, 13], "frame length");
    for (at, name) in (0..4).zip(["first", "second", "third", "fourth"]) {
        list.add(format!("wrong {name} byte of the magic"), flipped(&valid, at, 0x20), "frame magic");
    }
    for version in [0_u8, 2, 255] {
        list.add(format!("version {version}"), patched(&valid, 4, &[version]), "frame version");
    }
    for kind in [0_u8, 4, 255] {
        list.add(format!("kind {kind}"), patched(&valid, 5, &[kind]), "frame kind");
    }
    let length = |value: u32| patched(&valid, 6, &value.to_le_bytes());
    list.add("length 0 before a body", length(0), "frame length");
    list.add("length one less", length(3), "frame length");
    list.add("length one more", length(5), "frame length");
    list.add("length 4 GiB", length(u32::MAX), "frame too long");
    list.add("length 2 GiB", length(1 << 31), "frame too long");
    list.add("length just beyond the limit", length((4 << 20) - 9), "frame too long");
    list.add("length at the limit and no body", length((4 << 20) - 10), "frame length");
    list.add("length in the wrong byte order", patched(&valid, 6, &4_u32.to_be_bytes()), "frame too long");
    list.add("trailing byte", trailing(&valid), "frame length");
    list.add("two frames at once", join(&[&valid, &valid]), "frame length");
    list.add("an HTTP request", b"GET / HTTP/1.1\r\n\r\n".as_slice(), "frame magic");
    list.add("a TLS hello", [0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3].as_slice(), "frame magic");
    list.done()
}

fn plain() -> Vec<u8> {
    encode_inner(Kind::Error, &golden("error"), None).unwrap_or_default()
}

fn envelopes() -> Vec<Hostile> {
    let mut list = List::new("envelope", inner);
    let valid = plain();
    list.cuts(&valid, &[0, 1, 2, 3, 5, 6, 7], "frame length");
    for kind in [0_u8, 13, 128, 255] {
        list.add(format!("kind {kind}"), patched(&valid, 0, &[kind]), "frame kind");
    }
    for encoding in [2_u8, 3, 255] {
        list.add(format!("encoding {encoding}"), patched(&valid, 1, &[encoding]), "frame compression");
    }
    let length = |value: u32| patched(&valid, 2, &value.to_le_bytes());
    list.add("length of nothing before a body", length(0), "frame length");
    list.add("length 16 MiB and no body", length(16 << 20), "frame length");
    list.add("length beyond 16 MiB", length((16 << 20) + 1), "frame too long");
    list.add("length 4 GiB", length(u32::MAX), "frame too long");
    list.add("trailing byte", trailing(&valid), "frame length");
    list.done()
}

/// An envelope that says `length` and has these compressed bytes.
fn packed(length: u32, bytes: &[u8]) -> Vec<u8> {
    join(&[&[Kind::SharedChange as u8, 1], &length.to_le_bytes(), bytes])
}

fn compressed() -> Vec<Hostile> {
    let mut list = List::new("compressed", inner);
    let body = b"the same over and over, ".repeat(8);
    let zipped = zstd::bulk::compress(&body, 1).unwrap_or_default();
    let whole = u32::try_from(body.len()).unwrap_or_default();
    let bomb = zstd::bulk::compress(&vec![0; 8 << 20], 19).unwrap_or_default();
    let small = u32::try_from(bomb.len()).unwrap_or_default();
    list.add("bomb that says its true size", packed(8 << 20, &bomb), "frame ratio");
    list.add("bomb that says a size within the ratio", packed(small * 100, &bomb), "frame compression");
    list.add("bomb that says a size of one byte", packed(1, &bomb), "frame compression");
    list.add("beyond 16 MiB", packed((16 << 20) + 1, &bomb), "frame too long");
    list.add("4 GiB", packed(u32::MAX, &bomb), "frame too long");
    list.add("ratio 101 of one byte", packed(101, &[0]), "frame ratio");
    list.add("ratio 100 of one byte", packed(100, &[0]), "frame compression");
    list.add("nothing that shall become something", packed(1, &[]), "frame ratio");
    list.add("one byte more than there is", packed(whole + 1, &zipped), "frame compression");
    list.add("one byte less than there is", packed(whole - 1, &zipped), "frame compression");
    let cut = zipped.get(..zipped.len() - 1).unwrap_or_default();
    list.add("last byte missing", packed(whole, cut), "frame compression");
    list.add("wrong magic", packed(whole, &flipped(&zipped, 0, 1)), "frame compression");
    list.add("unknown dictionary", packed(whole, &flipped(&zipped, 4, 1)), "frame compression");
    list.add("no zstd at all", packed(whole, &[7; 60]), "frame compression");
    list.done()
}

fn seals() -> Vec<Hostile> {
    let mut list = List::new("seal", sealed);
    let valid = sealed_sample(b"a secret").unwrap_or_default();
    let long = sealed_sample(&vec![7; 70_000]).unwrap_or_default();
    list.cuts(&valid, &[0, 1, 15, 16, 23], "seal record");
    list.add("flipped bit of the text", flipped(&valid, 0, 1), "seal record");
    list.add("flipped bit of the tag", flipped(&valid, valid.len() - 1, 0x80), "seal record");
    list.add("trailing byte", trailing(&valid), "seal record");
    list.add("the same record twice", join(&[&valid, &valid]), "seal record");
    list.add("zeroes", vec![0; 64], "seal record");
    let (first, second) = long.split_at_checked(65_535).unwrap_or_default();
    list.add("records in the wrong order", join(&[second, first]), "seal record");
    list.add("second record altered", join(&[first, &flipped(second, 5, 1)]), "seal record");
    list.add("second record cut", join(&[first, second.get(1..).unwrap_or_default()]), "seal record");
    list.add("first record twice", join(&[first, first]), "seal record");
    list.add("a plain envelope", plain(), "seal record");
    list.done()
}

fn handshakes() -> Vec<Hostile> {
    let mut list = List::new("handshake", handshake);
    let body = |name: &str| golden(name).get(10..).unwrap_or_default().to_vec();
    for (to, role, name) in [(0_u8, "responder", "handshake-first"), (1, "initiator", "handshake-second")] {
        let valid = join(&[&[to], &body(name)]);
        list.add(format!("nothing for the {role}"), [to], "seal handshake");
        list.add(
            format!("a byte less for the {role}"),
            valid.get(..48).unwrap_or_default(),
            "seal handshake",
        );
        list.add(format!("a byte more for the {role}"), trailing(&valid), "seal handshake");
        list.add(format!("64 KiB for the {role}"), join(&[&[to], &vec![1; 65_535]]), "seal handshake");
        list.add(format!("zeroes for the {role}"), join(&[&[to], &[0; 48]]), "seal key");
        list.add(format!("another key for the {role}"), flipped(&valid, 1, 1), "seal key");
        list.add(format!("another tag for the {role}"), flipped(&valid, 48, 1), "seal key");
        list.add(format!("a point of low order for the {role}"), patched(&valid, 1, &[0; 32]), "seal key");
    }
    list.add("the second message for the responder", join(&[&[0], &body("handshake-second")]), "seal key");
    list.add("an empty envelope", Vec::new(), "no input");
    list.done()
}

/// The samples are valid: what is wrong with an input is only what its name says.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Zstd;

    #[test]
    fn what_is_changed_was_valid() {
        let zipped = encode_inner(Kind::SharedChange, &[1; 600], Some(&mut Zstd));
        for (run, bytes) in [
            (
                frame as fn(&[u8]) -> crate::outcome::Outcome,
                encode_frame(FrameKind::Sealed, b"x").unwrap_or_default(),
            ),
            (inner, plain()),
            (inner, zipped.unwrap_or_default()),
            (sealed, sealed_sample(&vec![7; 70_000]).unwrap_or_default()),
        ] {
            assert_eq!(run(&bytes).kind, "ok");
        }
    }
}
