//! Headers and bodies of changesets, and changes that no correct author writes.

use sync_core::{
    changeset::{Body, Change, ChangeKind, FieldWrite, Name, encode_body},
    hlc::{Hlc, Stamp},
    ids::{Hash, RecordId, Seq},
    value::{MergeKind, Value},
};

use super::{
    build::{join, overlong, patched, text, trailing, varint},
    list::{Hostile, List},
};
use crate::{
    samples,
    targets::{body, changes, header},
};

pub(super) fn all() -> Vec<Hostile> {
    [headers(), envelopes(), sections(), columns(), cells(), authors()].concat()
}

fn headers() -> Vec<Hostile> {
    let mut list = List::new("header", header);
    let plain = samples::header(7, Hash([1; 32]));
    let valid = plain.encode();
    // version 1, space 16, partition 16, device 16, incarnation 3, sequence 1, stamp 9, seen 1, previous 32, …
    let ends = [0, 1, 17, 33, 49, 52, 53, 62, 63, 95, 96, 97, 98, 130, 162, valid.len() - 1];
    list.cuts(valid.get(..1).unwrap_or_default(), &[0], "header malformed");
    list.cuts(&valid, ends.get(1..).unwrap_or_default(), "header malformed");
    list.add("trailing byte", trailing(&valid), "header malformed");
    for version in [0_u8, 2, 255] {
        list.add(format!("version {version}"), patched(&valid, 0, &[version]), "header version");
    }
    let with = |seq: u64, hlc: u64, parts: u32| {
        let changed = sync_core::changeset::Header { seq: Seq(seq), hlc: Hlc(hlc), parts, ..plain.clone() };
        changed.encode()
    };
    let (low, high) = (Hlc::MIN_VALID.0, Hlc::MAX_VALID.0);
    for (name, seq) in [("0", 0), ("u64::MAX", u64::MAX)] {
        list.detailed(format!("sequence {name}"), with(seq, low, 1), "header impossible", "sequence");
    }
    let stamps = [("0", 0), ("just before 2020", low - 1), ("2200", high), ("u64::MAX", u64::MAX)];
    for (name, hlc) in stamps {
        list.detailed(format!("stamp {name}"), with(1, hlc, 1), "header impossible", "stamp");
    }
    list.detailed("no parts", with(1, low, 0), "header impossible", "number of parts");
    let piece = |from: usize, to: usize| valid.get(from..to).unwrap_or_default();
    let rest = piece(53, valid.len());
    list.add("sequence in a longer form", join(&[piece(0, 52), &overlong(7), rest]), "header malformed");
    list.add("sequence beyond 64 bits", join(&[piece(0, 52), &[0xff; 10], rest]), "header malformed");
    list.add("2^63 seen origins", patched(&valid, 62, &varint(1 << 63)), "header malformed");
    list.add("one seen origin that is not there", patched(&valid, 62, &[1]), "header malformed");
    list.add("predecessor that is neither", patched(&valid, 95, &[2]), "header malformed");
    list.add("2^63 siblings", patched(&valid, 96, &varint(1 << 63)), "header malformed");
    list.add("parts beyond 32 bits", patched(&valid, 97, &varint(1 << 32)), "header malformed");
    list.done()
}

/// A body of these sections.
fn of(sections: &[Vec<u8>]) -> Vec<u8> {
    join(&[&[1], &varint(sections.len() as u64), &sections.concat()])
}

/// A section of writes of two records: what stands after the records.
fn section(after: &[u8]) -> Vec<u8> {
    join(&[&[1], &text(b"m"), &[2], &[7; 16], &[8; 16], after])
}

fn envelopes() -> Vec<Hostile> {
    let mut list = List::new("body", body);
    list.add("nothing", Vec::new(), "body length");
    list.add("only a format", [1], "body length");
    for format in [0_u8, 2, 255] {
        list.add(format!("format {format}"), [format, 0], "body version");
    }
    list.add("trailing byte", [1, 0, 0], "body length");
    let count = |count: &[u8]| join(&[&[1], count]);
    list.detailed("2^63 sections", count(&varint(1 << 63)), "body limit", "sections");
    list.detailed("u64::MAX sections", count(&varint(u64::MAX)), "body limit", "sections");
    list.detailed("more sections than bytes", count(&[9, 0, 0, 0]), "body limit", "sections");
    let form = "number not in shortest form";
    list.detailed("count in a longer form", count(&overlong(0)), "body malformed", form);
    list.detailed(
        "count in ten bytes",
        count(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        "body malformed",
        form,
    );
    list.detailed(
        "count beyond 64 bits",
        count(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
        "body malformed",
        "number too large",
    );
    let long = count(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]);
    list.detailed("count in eleven bytes", long, "body malformed", "number too long");
    list.detailed("more than 16 MiB", vec![1; (16 << 20) + 1], "body limit", "bytes");
    list.done()
}

fn sections() -> Vec<Hostile> {
    let mut list = List::new("section", body);
    let model = |name: &[u8]| of(&[join(&[&[1], &text(name), &[0, 0, 0, 0, 0]])]);
    list.detailed("model named by nothing", model(b""), "body limit", "name");
    list.detailed("model with a name of 257 bytes", model(&[b'm'; 257]), "body limit", "name");
    list.detailed("model with a name of 1 MB", model(&vec![b'm'; 1_000_000]), "body limit", "name");
    list.detailed(
        "model whose name is not UTF-8",
        model(&[0xc3, 0x28]),
        "body malformed",
        "name is not UTF-8",
    );
    list.detailed("name of 2^63 bytes", of(&[join(&[&[1], &varint(1 << 63)])]), "body limit", "name");
    for kind in [3_u8, 255] {
        list.detailed(format!("kind {kind}"), of(&[vec![kind, 1, b'm']]), "body malformed", "kind of change");
    }
    let records = |n: &[u8], bytes: usize| of(&[join(&[&[1], &text(b"m"), n, &vec![7; bytes], &[0; 4]])]);
    list.detailed("2^63 records", records(&varint(1 << 63), 16), "body limit", "changes");
    list.detailed(
        "2^60 records, which are 2^64 bytes",
        records(&varint(1 << 60), 16),
        "body limit",
        "changes",
    );
    list.add("record id of 15 bytes", records(&[1], 15), "body length");
    list.detailed("record id of 17 bytes", records(&[1], 17), "body malformed", "versions");
    list.detailed("two records and one id", records(&[2], 16), "body limit", "changes");
    list.detailed("versions 3", of(&[section(&[3])]), "body malformed", "versions");
    list.detailed("noted stamps 2", of(&[section(&[0, 2])]), "body malformed", "stamps");
    list.detailed("noted stamps that are 2", of(&[section(&[0, 1, 1, 2])]), "body malformed", "stamps");
    list.add("noted stamps that end", of(&[section(&[0, 1, 1])]), "body length");
    let origins = |count: &[u8], after: &[u8]| of(&[section(&join(&[&[1], count, after]))]);
    list.detailed("2^63 origins", origins(&varint(1 << 63), &[]), "body limit", "origins");
    list.detailed("65537 origins", origins(&varint(65_537), &vec![1; 65_537 * 20]), "body limit", "origins");
    list.add("one origin of 19 bytes and a stamp", origins(&[1], &[1; 20]), "body length");
    let stamp = |index: u8| origins(&[1], &join(&[&[1; 20], &[index, 0, 0, 0, 0, 0, 0]]));
    list.detailed("stamp of an origin that is not listed", stamp(1), "body malformed", "origin index");
    list.detailed("stamp without origins", origins(&[0], &[0, 0, 0, 0]), "body malformed", "origin index");
    let far = origins(&[1], &join(&[&[1; 20], &varint(1 << 63), &[0; 9]]));
    list.detailed("stamp of origin 2^63", far, "body malformed", "origin index");
    list.detailed(
        "stamp beyond 64 bits",
        origins(&[1], &join(&[&[1; 20], &[0], &[0xff; 10]])),
        "body malformed",
        "number too large",
    );
    list.detailed(
        "2^63 columns",
        of(&[section(&join(&[&[0, 0, 0], &varint(1 << 63)]))]),
        "body limit",
        "columns",
    );
    let columns = [1, b'f', 0, 1, 0, 2].repeat(2001);
    let many = of(&[section(&join(&[&[0, 0, 0], &varint(2001), &columns]))]);
    list.detailed("2001 columns", many, "body limit", "columns");
    list.done()
}

/// A body of two records with one column: what stands after the field's name.
fn column(after: &[u8]) -> Vec<u8> {
    of(&[section(&join(&[&[0, 0, 0, 1], &text(b"f"), after]))])
}

fn columns() -> Vec<Hostile> {
    let mut list = List::new("column", body);
    let named = |name: &[u8]| of(&[section(&join(&[&[0, 0, 0, 1], &text(name), &[0, 1, 0, 2]]))]);
    list.detailed("named by nothing", named(b""), "body limit", "name");
    list.detailed("with a name of 257 bytes", named(&[b'f'; 257]), "body limit", "name");
    list.detailed("with a name of 1 MB", named(&vec![b'f'; 1_000_000]), "body limit", "name");
    list.detailed(
        "whose name is not UTF-8",
        named(&[0xed, 0xa0, 0x80]),
        "body malformed",
        "name is not UTF-8",
    );
    for merge in [5_u8, 128, 255] {
        list.detailed(
            format!("merge kind {merge}"),
            column(&[merge, 1, 0, 2]),
            "body malformed",
            "merge kind",
        );
    }
    list.detailed("2^63 runs", column(&join(&[&[0], &varint(1 << 63)])), "body limit", "runs");
    for tag in [6_u8, 255] {
        list.detailed(format!("tag {tag}"), column(&[0, 1, tag, 2]), "body malformed", "tag");
    }
    list.detailed(
        "more cells than records",
        column(&[0, 1, 0, 3]),
        "body malformed",
        "more cells than changes",
    );
    let endless = column(&join(&[&[0, 1, 0], &varint(u64::MAX)]));
    list.detailed("u64::MAX cells", endless, "body malformed", "more cells than changes");
    let sum = column(&join(&[&[0, 2, 0, 1, 0], &varint(u64::MAX)]));
    list.detailed("cells whose number overflows", sum, "body malformed", "more cells than changes");
    list.detailed(
        "fewer cells than records",
        column(&[0, 1, 0, 1, 0]),
        "body malformed",
        "fewer cells than changes",
    );
    list.detailed("no cells", column(&[0, 0, 0, 0]), "body malformed", "fewer cells than changes");
    list.done()
}

fn cells() -> Vec<Hostile> {
    let mut list = List::new("cell", body);
    let reals = |bits: u64| column(&join(&[&[0, 1, 2, 2], &0_u64.to_le_bytes(), &bits.to_le_bytes()]));
    for (name, bits) in [
        ("NaN", 0x7ff8_0000_0000_0000),
        ("NaN with a message", 0x7ff8_0000_dead_beef),
        ("signalling NaN", 0x7ff0_0000_0000_0001),
        ("negative NaN", 0xfff8_0000_0000_0000),
        ("all bits", u64::MAX),
    ] {
        list.detailed(format!("real that is {name}"), reals(bits), "body malformed", "not a number");
    }
    list.add("real of seven bytes", column(&join(&[&[0, 1, 2, 2], &[0; 15]])), "body length");
    list.add("integers that are not there", column(&[0, 1, 1, 2]), "body length");
    let wide = column(&join(&[&[0, 1, 1, 2], &[0], &[0xff; 9], &[2]]));
    list.detailed("integer beyond 64 bits", wide, "body malformed", "number too large");
    let zero = column(&join(&[&[0, 1, 1, 2], &[0], &overlong(0)]));
    list.detailed("integer in a longer form", zero, "body malformed", "number not in shortest form");
    let texts =
        |first: &[u8], second: &[u8], bytes: &[u8]| column(&join(&[&[0, 1, 3, 2], first, second, bytes]));
    list.add("text that is not there", texts(&[1], &[1], b"a"), "body length");
    list.detailed("text of 4 GiB", texts(&varint(1 << 32), &[0], b""), "body limit", "value");
    list.add("texts of 4 GiB together", texts(&varint(u64::from(u32::MAX)), &[1], b""), "body length");
    list.detailed(
        "text that is not UTF-8",
        texts(&[1], &[1], &[0xff, b'a']),
        "body malformed",
        "text is not UTF-8",
    );
    list.detailed(
        "texts that share a character",
        texts(&[1], &[1], "é".as_bytes()),
        "body malformed",
        "text is not UTF-8",
    );
    list.detailed(
        "text with a surrogate",
        texts(&[3], &[0], &[0xed, 0xa0, 0x80]),
        "body malformed",
        "text is not UTF-8",
    );
    list.detailed(
        "text beyond Unicode",
        texts(&[4], &[0], &[0xf4, 0x90, 0x80, 0x80]),
        "body malformed",
        "text is not UTF-8",
    );
    list.detailed(
        "text in an overlong form",
        texts(&[2], &[0], &[0xc0, 0x80]),
        "body malformed",
        "text is not UTF-8",
    );
    list.add("blob that is not there", column(&[0, 1, 4, 2, 5, 5, 1, 2]), "body length");
    list.detailed(
        "blob of 2^63 bytes",
        column(&join(&[&[0, 1, 4, 2], &varint(1 << 63), &[0]])),
        "body limit",
        "value",
    );
    list.add("reference of 15 bytes", column(&join(&[&[0, 1, 5, 2], &[7; 31]])), "body length");
    list.add("reference of 17 bytes", column(&join(&[&[0, 1, 5, 2], &[7; 33]])), "body length");
    list.done()
}

/// A body with this change, as sent by an author who takes no care.
fn authored(change: &Change) -> Vec<u8> {
    let mut body = Body::default();
    body.push(change, samples::header(4, Hash([1; 32])).version());
    encode_body(&body)
}

fn authors() -> Vec<Hostile> {
    let mut list = List::new("change", changes);
    let own = samples::header(4, Hash([1; 32])).version();
    let plain = Change {
        model: Name::from("m"),
        record: RecordId::from_bytes([1; 16]),
        kind: ChangeKind::Write,
        version: own,
        over: None,
        seen_delete: None,
        fields: Vec::new(),
    };
    let written = |merge, value| {
        let write = FieldWrite { field: Name::from("f"), merge, value };
        authored(&Change { fields: vec![write], ..plain.clone() })
    };
    for value in [Value::Null, Value::Real(1.0), Value::Text("1".into()), Value::Blob(vec![1])] {
        list.add(format!("counter with {value:?}"), written(MergeKind::Counter, value), "change value");
    }
    for (kind, name) in [(MergeKind::Max, "maximum"), (MergeKind::Min, "minimum")] {
        for real in [0.5, -0.0, f64::INFINITY] {
            list.add(format!("{name} of {real:?}"), written(kind, Value::Real(real)), "change value");
        }
    }
    for value in [Value::Null, Value::Text("[]".into()), Value::Blob(Vec::new()), Value::Blob(vec![9])] {
        list.add(format!("set with {value:?}"), written(MergeKind::Set, value), "change value");
    }
    let stamped = |hlc: Hlc| {
        let version = sync_core::changeset::Version { stamp: Stamp::new(hlc, own.origin), ..own };
        authored(&Change { version, ..plain.clone() })
    };
    let noted =
        |hlc: Hlc| authored(&Change { seen_delete: Some(Stamp::new(hlc, own.origin)), ..plain.clone() });
    let before = Hlc(Hlc::MIN_VALID.0 - 1);
    for (name, hlc) in
        [("0", Hlc(0)), ("before 2020", before), ("2200", Hlc::MAX_VALID), ("u64::MAX", Hlc(u64::MAX))]
    {
        list.add(format!("stamp {name}"), stamped(hlc), "change stamp");
        list.add(format!("seen delete at {name}"), noted(hlc), "change stamp");
    }
    let over = |kind, stamp| authored(&Change { kind, over: Some(stamp), ..plain.clone() });
    let later = Stamp::new(own.stamp.hlc.successor(), own.origin);
    let not_above = "an insert that is not above what it declares dead";
    list.detailed(
        "insert at what it declares dead",
        over(ChangeKind::Insert, own.stamp),
        "change shape",
        not_above,
    );
    list.detailed(
        "insert below what it declares dead",
        over(ChangeKind::Insert, later),
        "change shape",
        not_above,
    );
    let only = "only an insert declares anything dead";
    list.detailed(
        "write that declares something dead",
        over(ChangeKind::Write, own.stamp),
        "change shape",
        only,
    );
    list.detailed(
        "delete that declares something dead",
        over(ChangeKind::Delete, own.stamp),
        "change shape",
        only,
    );
    let write = || FieldWrite { field: Name::from("f"), merge: MergeKind::LastWriter, value: Value::Null };
    let delete = Change { kind: ChangeKind::Delete, fields: vec![write()], ..plain.clone() };
    list.detailed("delete with values", authored(&delete), "change shape", "a delete with values");
    let doubled = Change { fields: vec![write(), write()], ..plain.clone() };
    list.add("a field twice", authored(&doubled), "change doubled");
    list.done()
}
