//! The stored and sent forms, byte for byte: what an earlier version wrote, a later one must read and write the
//! same. The files hold hexadecimal digits, 32 bytes a line.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{fmt::Write as _, fs, path::PathBuf};

use sync_core::{
    changeset::{Body, Change, ChangeKind, FieldWrite, Header, Name, Version, decode_body, encode_body},
    hlc::{Hlc, Millis, Stamp},
    ids::{DeviceId, Hash, Incarnation, Origin, PartitionId, RecordId, Seq, SpaceId},
    merge::{Dot, Record, SetOperation},
    value::{MergeKind, Value},
};

fn origin(number: u8) -> Origin {
    Origin {
        device: DeviceId::from_bytes([number; 16]),
        incarnation: Incarnation(u32::from(number) << 8 | 1),
    }
}

fn version(second: u64, by: u8, seq: u64) -> Version {
    let origin = origin(by);
    let stamp = Stamp::new(Hlc::at(Millis(1_700_000_000_000 + second * 1_000)), origin);
    Version { stamp, origin, seq: Seq(seq) }
}

fn change(
    kind: ChangeKind,
    version: Version,
    fields: impl IntoIterator<Item = (&'static str, MergeKind, Value)>,
) -> Change {
    Change {
        model: Name::from("book"),
        record: RecordId::from_bytes([0xb0; 16]),
        kind,
        version,
        over: None,
        seen_delete: None,
        fields: fields
            .into_iter()
            .map(|(name, merge, value)| FieldWrite { field: Name::from(name), merge, value })
            .collect(),
    }
}

fn set(add: &[&str], remove: &[(&str, Version)]) -> Value {
    let add = add.iter().map(|element| (*element).to_owned()).collect();
    let remove = remove.iter().map(|(e, version)| ((*e).to_owned(), vec![Dot::from(*version)])).collect();
    SetOperation { add, remove }.to_value()
}

/// Changes with every kind, every value and every optional part.
fn changes() -> Vec<Change> {
    let mut again = change(
        ChangeKind::Insert,
        version(30, 1, 3),
        [
            ("author", MergeKind::LastWriter, Value::Reference(RecordId::from_bytes([0xa0; 16]))),
            ("copies", MergeKind::Counter, Value::Integer(10)),
            ("cover", MergeKind::LastWriter, Value::Blob(vec![0, 1, 254, 255])),
            ("first", MergeKind::Min, Value::Text("2001-02-03".into())),
            ("last", MergeKind::Max, Value::Integer(-5)),
            ("price", MergeKind::LastWriter, Value::Real(-12.75)),
            ("tags", MergeKind::Set, set(&["\"a\"", "\"b\""], &[])),
            ("title", MergeKind::LastWriter, Value::Text("Bücher".into())),
            ("unknown", MergeKind::LastWriter, Value::Null),
        ],
    );
    again.over = Some(version(21, 2, 0).stamp);
    let mut share = change(
        ChangeKind::Write,
        version(31, 2, 8),
        [
            ("copies", MergeKind::Counter, Value::Integer(-3)),
            ("tags", MergeKind::Set, set(&["\"c\""], &[("\"a\"", version(30, 1, 3))])),
        ],
    );
    share.seen_delete = again.over;
    let healed = Version { origin: origin(3), seq: Seq(1), ..version(32, 2, 9) };
    vec![
        change(ChangeKind::Insert, version(10, 2, 7), [("old", MergeKind::LastWriter, Value::Integer(1))]),
        change(ChangeKind::Delete, version(20, 1, 2), []),
        again,
        share,
        change(ChangeKind::Write, healed, [("title", MergeKind::LastWriter, Value::Text("Books".into()))]),
    ]
}

fn record() -> Record {
    let mut record = Record::default();
    for change in changes() {
        record.join_change(&change);
    }
    record
}

fn header() -> Header {
    let own = version(33, 1, 4);
    Header {
        version: Header::VERSION,
        space: SpaceId::from_bytes([0x55; 16]),
        partition: PartitionId::ROOT,
        origin: own.origin,
        seq: own.seq,
        hlc: own.stamp.hlc,
        seen: vec![(origin(2), Seq(8)), (origin(3), Seq(300))],
        previous: Hash::of(b"previous"),
        predecessor: Some((origin(4), Seq(12), Hash::of(b"predecessor"))),
        siblings: vec![PartitionId::from_bytes([0x66; 16])],
        parts: 2,
        shared: Hash::of(b"shared"),
        owned: Hash::NONE,
        shared_count: 5,
        owned_count: 0,
    }
}

fn body() -> Body {
    let mut body = Body::default();
    for change in changes() {
        body.push(&change, version(30, 1, 3));
    }
    body
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    let pair = |at| u8::from_str_radix(digits.get(at..at + 2).unwrap(), 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Compares with the committed bytes and returns those.
fn golden(name: &str, now: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let now = hexadecimal(now);
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert_eq!(
        committed, now,
        "tests/golden/{name}: the bytes of this format have changed. Databases and peers of earlier versions hold \
         the committed form: give the new one another format number, keep reading this one, and add a file beside \
         it (WRITE_GOLDEN=1 writes the file) instead of changing it."
    );
    bytes(&committed)
}

#[test]
fn header_keeps_its_bytes() {
    let committed = golden("header-1.hex", &header().encode());
    assert_eq!(Header::decode(&committed).unwrap(), header());
}

#[test]
fn body_keeps_its_bytes() {
    let committed = golden("body-1.hex", &encode_body(&body()));
    assert_eq!(decode_body(&committed).unwrap(), body());
}

#[test]
fn record_keeps_its_bytes() {
    let committed = golden("record-1.hex", &record().encode());
    assert_eq!(Record::decode(&committed).unwrap(), record());
}

#[test]
fn residue_keeps_its_bytes() {
    let record = record();
    let row = record.fields().map(|(name, state)| (name.clone(), state.kind(), state.value()));
    let committed = golden("residue-1.hex", &record.residue());
    let insert = *record.insert().unwrap();
    assert_eq!(Record::from_residue(&committed, insert, row).unwrap(), record);
}

#[test]
fn set_operation_keeps_its_bytes() {
    let value = set(&["\"c\""], &[("\"a\"", version(30, 1, 3))]);
    let Value::Blob(now) = &value else { panic!("a set operation travels as a blob") };
    let committed = golden("set-operation-1.hex", now);
    let operation = SetOperation::from_value(&Value::Blob(committed)).unwrap();
    assert_eq!(operation.to_value(), value);
}
