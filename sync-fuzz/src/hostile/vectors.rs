//! Vectors, entries, statements and ids.

use std::collections::BTreeMap;

use sync_core::{
    authorship::{Floor, Head, SignedStatement, Statement},
    hlc::{Hlc, Millis},
    ids::{Hash, Origin, Seq, SpaceId},
    vector::{Held, SeqRange},
    wire::{Opaque, PartitionVector, VectorEntry},
};

use super::{
    build::{flipped, join, trailing, varint},
    list::{Hostile, List},
};
use crate::{
    samples::{self, PARTITION, SPACE, device_key, origin},
    targets::{entries, id, statement, vector},
};

pub(super) fn all() -> Vec<Hostile> {
    [vectors(), stated(), statements(), ids()].concat()
}

fn range(first: u64, last: u64) -> SeqRange {
    SeqRange { first: Seq(first), last: Seq(last) }
}

/// Heads and ranges that no device has.
fn impossible() -> Vec<(&'static str, u64, Vec<SeqRange>)> {
    vec![
        ("ranges in the wrong order", 1, vec![range(9, 9), range(5, 5)]),
        ("the same range twice", 1, vec![range(5, 5), range(5, 5)]),
        ("ranges that overlap", 1, vec![range(5, 9), range(8, 12)]),
        ("ranges that touch", 1, vec![range(5, 6), range(7, 8)]),
        ("a range that ends before it begins", 1, vec![range(9, 5)]),
        ("a range that touches the head", 4, vec![range(5, 6)]),
        ("a range below the head", 9, vec![range(5, 6)]),
        ("a range from 0", 0, vec![range(0, 6)]),
        ("a range from 1 above nothing", 0, vec![range(1, 6)]),
        ("a range up to u64::MAX", 1, vec![range(5, u64::MAX)]),
        ("a range of u64::MAX alone", 1, vec![range(u64::MAX, u64::MAX)]),
        ("head u64::MAX", u64::MAX, Vec::new()),
        ("head u64::MAX and a range", u64::MAX, vec![range(5, 6)]),
        ("head u64::MAX - 1 and a range", u64::MAX - 1, vec![range(u64::MAX, u64::MAX)]),
    ]
}

/// The bytes of a vector, past the type that would not hold it.
fn raw(held: &[(Origin, Held)]) -> Vec<u8> {
    let map: BTreeMap<Origin, &Held> = held.iter().map(|(origin, held)| (*origin, held)).collect();
    postcard::to_stdvec(&map).unwrap_or_default()
}

fn vectors() -> Vec<Hostile> {
    let mut list = List::new("vector", vector);
    for (name, head, ranges) in impossible() {
        let bytes = raw(&[(origin(4), Held { head: Seq(head), ranges })]);
        list.add(name, bytes, "vector not canonical");
    }
    let gaps: Vec<SeqRange> = (1..=65).map(|n| range(n * 10, n * 10)).collect();
    list.add("65 ranges", raw(&[(origin(4), Held { head: Seq(1), ranges: gaps })]), "vector not canonical");
    list.add(
        "an origin of which nothing is held",
        raw(&[(origin(4), Held::default())]),
        "vector not canonical",
    );
    let valid = postcard::to_stdvec(&samples::vector()).unwrap_or_default();
    list.cuts(&valid, &[0, 1, 10, 20, 22, 30, valid.len() - 1], "no vector");
    list.add("2^63 origins", varint(1 << 63), "no vector");
    list.add("2^63 ranges", join(&[&[1], &[7; 16], &[0, 1], &varint(1 << 63)]), "no vector");
    list.add("incarnation beyond 32 bits", join(&[&[1], &[7; 16], &varint(1 << 32), &[1, 0]]), "no vector");
    list.add("head beyond 64 bits", join(&[&[1], &[7; 16], &[0], &[0xff; 10], &[0]]), "no vector");
    list.done()
}

fn stated() -> Vec<Hostile> {
    let mut list = List::new("entries", entries);
    let bytes =
        |entries| postcard::to_stdvec(&PartitionVector { partition: PARTITION, entries }).unwrap_or_default();
    for (name, head, ranges) in impossible() {
        let held = Held { head: Seq(head), ranges };
        list.add(name, bytes(vec![VectorEntry::new(origin(4), &held, None)]), "impossible vector");
    }
    let good = VectorEntry::new(origin(4), &Held { head: Seq(3), ranges: Vec::new() }, None);
    let bad = VectorEntry { ranges: vec![range(2, 2)], ..good.clone() };
    list.add("a good one and a bad one of one origin", bytes(vec![good, bad]), "impossible vector");
    list.add("2^63 entries", join(&[&[0; 16], &varint(1 << 63)]), "no entries");
    list.add("partition of 15 bytes", vec![0; 15], "no entries");
    list.done()
}

fn member() -> Statement {
    let clock = Hlc::at(Millis(1_700_000_000_000));
    Statement {
        space: SPACE,
        partition: PARTITION,
        member: origin(4),
        vector: samples::vector(),
        head: Head { seq: Seq(5), hash: Hash([6; 32]) },
        clock,
        floor: Floor::default(),
    }
}

/// What a device signs, whatever it is.
fn signed(body: &[u8]) -> SignedStatement {
    let key = device_key(4);
    let signature = key.sign(&join(&[b"sync-kit statement 1\0", body]));
    SignedStatement { public_key: key.public(), body: Opaque(body.to_vec()), signature }
}

fn statements() -> Vec<Hostile> {
    let mut list = List::new("statement", statement);
    let own = member().sign(&device_key(4));
    let bytes = own.to_bytes();
    let body = own.body.0.clone();
    let reason = "statement malformed";
    list.cuts(&bytes, &[0, 31, 32, 40, 100, bytes.len() - 1], "no statement");
    list.add("signed with a byte too much", signed(&trailing(&body)).to_bytes(), reason);
    list.add("signed and cut", signed(body.get(..50).unwrap_or_default()).to_bytes(), reason);
    list.add("signed nothing", signed(&[]).to_bytes(), reason);
    list.add("of version 2", signed(&join(&[&[2], body.get(1..).unwrap_or_default()])).to_bytes(), reason);
    list.add("of 1 MiB and a byte", signed(&vec![1; (1 << 20) + 1]).to_bytes(), reason);
    let elsewhere = Statement { space: SpaceId::from_bytes([0; 16]), ..member() };
    list.add("about another space", elsewhere.sign(&device_key(4)).to_bytes(), "statement space");
    list.add("signed by another device", member().sign(&device_key(5)).to_bytes(), "statement signature");
    let another = SignedStatement { public_key: device_key(5).public(), ..own.clone() };
    list.add("with another device's key", another.to_bytes(), "statement signature");
    let weak = SignedStatement { public_key: sync_core::authorship::PublicKey([0; 32]), ..own.clone() };
    list.add("with a weak key", weak.to_bytes(), "statement signature");
    let forged = bytes.len() - 1;
    list.add("with a forged signature", flipped(&bytes, forged, 1), "statement signature");
    list.add("with an altered floor", flipped(&bytes, 32 + 2 + body.len() - 20, 1), "statement signature");
    for (name, head, ranges) in impossible() {
        let vector = raw(&[(origin(4), Held { head: Seq(head), ranges })]);
        let member = origin(4);
        let head = join(&[&[1], SPACE.as_bytes(), PARTITION.as_bytes(), member.device.as_bytes()]);
        let body = join(&[&head, &varint(0xabcd), &vector, &[0], &[0; 32], &[0], &[0, 0]]);
        list.add(format!("with {name}"), signed(&body).to_bytes(), reason);
    }
    list.done()
}

fn ids() -> Vec<Hostile> {
    let mut list = List::new("id", id);
    let digits = "5d1e0c9a473b4f689b21c60f8e52d713";
    let texts = [
        ("nothing", String::new()),
        ("31 digits", digits.chars().take(31).collect()),
        ("33 digits", format!("{digits}0")),
        ("a letter that is no digit", digits.replace('a', "g")),
        ("a blank", format!(" {digits}")),
        ("braces", format!("{{{digits}}}")),
        ("a URN", format!("urn:uuid:{digits}")),
        ("a sign", format!("+{}", digits.chars().take(31).collect::<String>())),
        ("digits of another script", "٠".repeat(32)),
        ("full-width digits", "０".repeat(32)),
        ("dashes only", "-".repeat(32)),
        ("a zero byte", format!("{digits}\0")),
    ];
    for (name, text) in texts {
        list.add(name, text, "no id");
    }
    list.add("bytes that are not UTF-8", [0xff; 32], "not UTF-8");
    list.done()
}
