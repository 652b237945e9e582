//! What the database keeps of records, operations on sets, JSON.

use sync_core::merge::{Dot, SetOperation};

use super::{
    build::{flipped, join, overlong, text, trailing, varint},
    list::{Hostile, List},
};
use crate::{
    random::Random,
    samples::{self, golden},
    targets::{json, record, residue, set_operation},
};

pub(super) fn all() -> Vec<Hostile> {
    [records(), fields(), residues(), operations(), texts()].concat()
}

const ORIGIN: [u8; 20] = [7; 20];

fn records() -> Vec<Hostile> {
    let mut list = List::new("record", record);
    let valid = golden("record");
    list.cuts(&valid, &[0, 1, 2, 10, 21, 22, 42, valid.len() - 1], "record length");
    list.add("trailing byte", trailing(&valid), "record length");
    for format in [0_u8, 2, 255] {
        list.add(format!("format {format}"), [format, 0, 0, 0], "record version");
    }
    let number = "number";
    let long = join(&[&[1], &[0x80; 10], &[0]]);
    list.detailed("number in eleven bytes", long, "record malformed", number);
    list.detailed("number beyond 64 bits", join(&[&[1], &[0xff; 9], &[2]]), "record malformed", number);
    list.detailed(
        "number in a longer form",
        join(&[&[1], &overlong(0), &[0, 0]]),
        "record malformed",
        number,
    );
    list.add("2^63 origins", join(&[&[1], &varint(1 << 63)]), "record length");
    list.add("u64::MAX origins", join(&[&[1], &varint(u64::MAX)]), "record length");
    for parts in [9_u8, 16, 128, 255] {
        list.detailed(format!("parts {parts}"), [1, 0, parts, 0], "record malformed", "unknown parts");
    }
    let whole = "a residue in place of a whole state";
    list.detailed("a residue", golden("residue"), "record malformed", whole);
    let versions = |bytes: &[u8]| join(&[&[1, 1], &ORIGIN, &[1], bytes]);
    list.detailed(
        "insert of an origin that is not listed",
        versions(&[1, 0, 0, 0, 0]),
        "record malformed",
        "origin",
    );
    list.detailed("insert of origin 2^63", versions(&varint(1 << 63)), "record malformed", "origin");
    list.add("insert that ends", versions(&[0, 0]), "record length");
    list.add("2^63 fields", join(&[&[1, 0, 0], &varint(1 << 63)]), "record length");
    list.done()
}

/// A record of one origin with these fields.
fn with(count: u8, fields: &[u8]) -> Vec<u8> {
    join(&[&[1, 1], &ORIGIN, &[0, count], fields])
}

/// A field of a kind: what stands behind.
fn field(name: &[u8], kind: u8, state: &[u8]) -> Vec<u8> {
    join(&[&text(name), &[kind], state])
}

const VERSION: [u8; 4] = [0, 2, 0, 2];

fn fields() -> Vec<Hostile> {
    let mut list = List::new("field", record);
    let bad = "record malformed";
    let valued = |value: &[u8]| with(1, &field(b"f", 0, &join(&[&VERSION, value])));
    for kind in [5_u8, 127] {
        list.detailed(format!("merge kind {kind}"), with(1, &field(b"f", kind, &VERSION)), bad, "merge kind");
    }
    for value in [6_u8, 255] {
        list.detailed(format!("value {value}"), valued(&[value]), bad, "value");
    }
    list.detailed(
        "name that is not UTF-8",
        with(1, &field(&[0xc3, 0x28], 0, &VERSION)),
        bad,
        "text is not UTF-8",
    );
    list.detailed("text that is not UTF-8", valued(&[3, 2, 0xc3, 0x28]), bad, "text is not UTF-8");
    list.add("name of 2^63 bytes", with(1, &varint(1 << 63)), "record length");
    list.add("text of 2^63 bytes", valued(&join(&[&[3], &varint(1 << 63)])), "record length");
    list.add("blob of u64::MAX bytes", valued(&join(&[&[4], &varint(u64::MAX)])), "record length");
    list.add("reference of 15 bytes", valued(&join(&[&[5], &[1; 15]])), "record length");
    list.add("reference of 17 bytes", valued(&join(&[&[5], &[1; 17]])), "record length");
    list.add("real of seven bytes", valued(&[2, 0, 0, 0, 0, 0, 0, 0]), "record length");
    let plain = join(&[&VERSION, &[0]]);
    let two =
        |first: &[u8], second: &[u8]| with(2, &join(&[&field(first, 0, &plain), &field(second, 0, &plain)]));
    list.detailed("fields in the wrong order", two(b"g", b"f"), bad, "fields out of order");
    list.detailed("a field twice", two(b"f", b"f"), bad, "fields out of order");
    list.detailed("value in a row", with(1, &field(b"f", 0x80, &VERSION)), bad, "a value that is not here");
    list.detailed("epoch that is 2", with(1, &field(b"f", 2, &[2])), bad, "flag");
    list.detailed("base that is 2", with(1, &field(b"f", 1, &[0, 2])), bad, "flag");
    let shares = with(1, &field(b"f", 1, &join(&[&[0, 0], &varint(1 << 63)])));
    list.add("2^63 shares", shares, "record length");
    let set = |after: &[u8]| with(1, &field(b"f", 4, &join(&[&[0], &VERSION, after])));
    list.add("2^63 elements", set(&varint(1 << 63)), "record length");
    list.add("2^63 dots", set(&join(&[&[1, 1, b'1'], &varint(1 << 63)])), "record length");
    list.detailed("presence 2", set(&[1, 1, b'1', 1, 0, 2, 2]), bad, "flag");
    list.detailed("dot of an origin that is not listed", set(&[1, 1, b'1', 1, 1, 2, 0]), bad, "origin");
    list.done()
}

fn residues() -> Vec<Hostile> {
    let mut list = List::new("residue", residue);
    let bad = "record malformed";
    list.detailed("a whole state", golden("record"), bad, "a whole state in place of a residue");
    let of = |absent: &[u8], fields: &[u8]| join(&[&[1, 1], &ORIGIN, &[8], absent, fields]);
    let in_row =
        |name: &[u8], kind: u8, state: &[u8]| of(&[0], &join(&[&[1], &field(name, kind | 0x80, state)]));
    list.detailed(
        "value of a column that the row lacks",
        in_row(b"none", 0, &VERSION),
        bad,
        "the row lacks a value",
    );
    let kind = "a counter or set in the row";
    list.detailed("counter in the row", in_row(b"f1", 1, &VERSION), bad, kind);
    list.detailed("set in the row", in_row(b"f4", 4, &VERSION), bad, kind);
    list.add("2^63 absent columns", of(&varint(1 << 63), &[]), "record length");
    list.detailed(
        "absent column of an unknown kind",
        of(&join(&[&[1], &text(b"f0"), &[9]]), &[0]),
        bad,
        "merge kind",
    );
    list.detailed(
        "absent column whose name is not UTF-8",
        of(&[1, 1, 0xff, 0], &[0]),
        bad,
        "text is not UTF-8",
    );
    list.add("trailing byte", of(&[0], &[0, 0]), "record length");
    list.done()
}

fn operations() -> Vec<Hostile> {
    let mut list = List::new("set operation", set_operation);
    let none = "no set operation";
    let bytes = |operation: &SetOperation| match operation.to_value() {
        sync_core::value::Value::Blob(bytes) => bytes,
        _ => Vec::new(),
    };
    let adds = |elements: &[&str]| {
        let add = elements.iter().map(|element| (*element).to_owned()).collect();
        bytes(&SetOperation { add, remove: Vec::new() })
    };
    let valid = adds(&["1", "2"]);
    list.cuts(&valid, &[0, 1, 2, 3, 5, valid.len() - 1], none);
    list.add("trailing byte", trailing(&valid), none);
    list.add("format 0", flipped(&valid, 0, 1), none);
    list.add("format 2", flipped(&valid, 0, 3), none);
    for (name, elements) in [
        ("elements in the wrong order", ["2", "1"]),
        ("an element twice", ["1", "1"]),
        ("an element with a blank", ["1", "2 "]),
        ("an element that is no JSON", ["1", "x"]),
        ("an element of nothing", ["", "1"]),
        ("an element with an escape too many", ["\"\\u0041\"", "\"b\""]),
        ("keys in the wrong order", ["1", "{\"b\":1,\"a\":2}"]),
        ("a key twice", ["1", "{\"a\":1,\"a\":2}"]),
        ("two values", ["1", "2,3"]),
    ] {
        list.add(name, adds(&elements), none);
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    list.add("an element of 65 levels", adds(&[&deep]), none);
    list.add("an element of 100,000 open levels", adds(&[&"[".repeat(100_000)]), none);
    let mut random = Random::new(5);
    let mut dots: Vec<Dot> = (0..2).map(|_| Dot::from(samples::version(&mut random))).collect();
    dots.sort_unstable();
    let removes =
        |dots: Vec<Dot>| bytes(&SetOperation { add: Vec::new(), remove: vec![("1".to_owned(), dots)] });
    list.add("removal without dots", removes(Vec::new()), none);
    list.add("removal with dots in the wrong order", removes(dots.iter().rev().copied().collect()), none);
    list.add(
        "removal with a dot twice",
        removes(dots.iter().take(1).cycle().take(2).copied().collect()),
        none,
    );
    list.add("2^63 elements", join(&[&[1], &varint(1 << 63)]), none);
    list.add("2^63 removals", join(&[&[1, 0], &varint(1 << 63)]), none);
    list.add("element of 2^63 bytes", join(&[&[1, 1], &varint(1 << 63)]), none);
    list.add("element that is not UTF-8", [1, 1, 1, 0xff, 0].as_slice(), none);
    list.add("count in a longer form", join(&[&[1], &overlong(0), &[0]]), none);
    list.done()
}

fn texts() -> Vec<Hostile> {
    let mut list = List::new("json", json);
    let deep = |levels: usize| "[".repeat(levels);
    let cases: Vec<(&str, String, &'static str)> = vec![
        ("nothing", String::new(), "a JSON array"),
        ("an object", "{}".into(), "a JSON array"),
        ("a number", "1".into(), "a JSON array"),
        ("a byte order mark", "\u{feff}[]".into(), "a JSON array"),
        ("a list that does not end", "[1".into(), "a comma or the end of a JSON list"),
        ("a comma at the end", "[1,]".into(), "a JSON value"),
        ("a comma alone", "[,]".into(), "a JSON value"),
        ("no comma", "[1 2]".into(), "a comma or the end of a JSON list"),
        ("something behind", "[]x".into(), "the end of the JSON text"),
        ("two arrays", "[][]".into(), "the end of the JSON text"),
        ("a leading zero", "[01]".into(), "a comma or the end of a JSON list"),
        ("a plus", "[+1]".into(), "a JSON value"),
        ("a minus alone", "[-]".into(), "a digit"),
        ("a point alone", "[.5]".into(), "a JSON value"),
        ("a point at the end", "[1.]".into(), "a digit"),
        ("an exponent without digits", "[1e]".into(), "a digit"),
        ("NaN", "[NaN]".into(), "a JSON value"),
        ("Infinity", "[-Infinity]".into(), "a digit"),
        ("hexadecimal", "[0x1]".into(), "a comma or the end of a JSON list"),
        ("a word cut short", "[tru]".into(), "a JSON value"),
        ("a word in capitals", "[NULL]".into(), "a JSON value"),
        ("a comment", "[/* */1]".into(), "a JSON value"),
        ("single quotes", "['a']".into(), "a JSON value"),
        ("a string that does not end", "[\"a".into(), "the rest of a JSON string"),
        ("a line break in a string", "[\"\n\"]".into(), "the rest of a JSON string"),
        ("a zero byte in a string", "[\"\0\"]".into(), "the rest of a JSON string"),
        ("an unknown escape", "[\"\\x41\"]".into(), "an escape"),
        ("an escape of three digits", "[\"\\u041\"]".into(), "four digits"),
        ("half a character", "[\"\\ud800\"]".into(), "the second half of a character"),
        ("two first halves", "[\"\\ud800\\ud800\"]".into(), "the second half of a character"),
        ("the second half alone", "[\"\\udc00\"]".into(), "a character"),
        ("a key twice", "[{\"a\":1,\"a\":2}]".into(), "a JSON object with different keys"),
        (
            "a key twice, once escaped",
            "[{\"a\":1,\"\\u0061\":2}]".into(),
            "a JSON object with different keys",
        ),
        ("a key that is a number", "[{1:2}]".into(), "a JSON string"),
        ("no colon", "[{\"a\" 1}]".into(), "a colon"),
        ("no value", "[{\"a\":}]".into(), "a JSON value"),
        ("66 levels", deep(66), "JSON of at most 64 levels"),
        ("a million levels", deep(1_000_000), "JSON of at most 64 levels"),
        ("a million objects", "[{\"a\":".repeat(1_000_000), "JSON of at most 64 levels"),
    ];
    for (name, text, expected) in cases {
        list.detailed(name, text, "json", expected);
    }
    list.add("bytes that are not UTF-8", [b'[', b'"', 0xff, b'"', b']'], "not UTF-8");
    list.done()
}
