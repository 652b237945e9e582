//! Values, changes, bodies and records, drawn from a seed.

use sync_core::{
    changeset::{Body, Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Millis, Stamp},
    ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
    merge::{Dot, Record, SetOperation, check},
    value::{MergeKind, Value},
};

use crate::random::Random;

/// An origin that signs nothing.
fn somebody(n: u8) -> Origin {
    Origin { device: DeviceId::from_bytes([n; 16]), incarnation: Incarnation(u32::from(n)) }
}

/// A stamp of one of a few origins, near the others.
pub fn stamp(random: &mut Random) -> Stamp {
    let millis = 1_700_000_000_000 + random.bits() % 64;
    let by = 1 + random.byte() % 3;
    Stamp::new(Hlc::at(Millis(millis)), somebody(by))
}

/// A version whose dot is mostly of its stamp's origin.
pub fn version(random: &mut Random) -> Version {
    let stamp = stamp(random);
    let origin = if random.one_in(8) { somebody(4) } else { stamp.origin };
    Version { stamp, origin, seq: Seq(1 + random.bits() % 40) }
}

/// A value that merges as `kind`.
pub fn value(random: &mut Random, kind: MergeKind) -> Value {
    match kind {
        MergeKind::Counter => Value::Integer(number(random)),
        MergeKind::Set => set_operation(random).to_value(),
        MergeKind::LastWriter | MergeKind::Max | MergeKind::Min => match random.below(7) {
            0 => Value::Null,
            1 | 2 => Value::Integer(number(random)),
            3 if kind == MergeKind::LastWriter => Value::Real(f64::from(random.byte()) / 7.0 - 9.0),
            4 => Value::Blob((0..random.below(9)).map(|_| random.byte()).collect()),
            5 => Value::Reference(RecordId::from_bytes([random.byte(); 16])),
            _ => Value::Text("aé😀\n\"".chars().cycle().take(random.below(12)).collect()),
        },
    }
}

fn number(random: &mut Random) -> i64 {
    let bits = random.bits().cast_signed();
    match random.below(4) {
        0 => bits % 3,
        1 => bits % 1000,
        2 => bits % (1 << 40),
        _ => bits,
    }
}

/// An operation on a set of a few elements.
pub fn set_operation(random: &mut Random) -> SetOperation {
    const ELEMENTS: [&str; 5] = ["\"a\"", "\"b\"", "1", "[1,{\"k\":null}]", "{\"a\":1.50}"];
    let mut add: Vec<String> =
        ELEMENTS.iter().filter(|_| random.one_in(3)).map(|e| (*e).to_owned()).collect();
    add.sort_unstable();
    let mut remove: Vec<(String, Vec<Dot>)> = Vec::new();
    for element in ELEMENTS {
        if !random.one_in(5) {
            continue;
        }
        let mut dots: Vec<Dot> = (0..=random.below(3)).map(|_| Dot::from(version(random))).collect();
        dots.sort_unstable();
        dots.dedup();
        remove.push((element.to_owned(), dots));
    }
    remove.sort_unstable();
    SetOperation { add, remove }
}

const KINDS: [MergeKind; 5] =
    [MergeKind::LastWriter, MergeKind::Counter, MergeKind::Max, MergeKind::Min, MergeKind::Set];

/// A change that can be merged.
pub fn change(random: &mut Random) -> Change {
    let kind = match random.below(8) {
        0 => ChangeKind::Delete,
        1 | 2 => ChangeKind::Insert,
        _ => ChangeKind::Write,
    };
    let version = version(random);
    let fields = if kind == ChangeKind::Delete { 0 } else { 1 + random.below(5) };
    let mut change = Change {
        model: Name::from(["book", "author"].get(random.below(2)).copied().unwrap_or("book")),
        record: RecordId::from_bytes([random.byte() % 4; 16]),
        kind,
        version,
        over: (kind == ChangeKind::Insert && random.one_in(3)).then(|| stamp(random)),
        seen_delete: random.one_in(4).then(|| stamp(random)),
        fields: (0..fields)
            .zip(KINDS)
            .map(|(n, merge)| FieldWrite {
                field: Name::from(format!("f{n}").as_str()),
                merge,
                value: value(random, merge),
            })
            .collect(),
    };
    if check(&change).is_err() {
        change.over = None;
    }
    change
}

/// Changes of one record and others.
pub fn changes(random: &mut Random) -> Vec<Change> {
    (0..=random.below(12)).map(|_| change(random)).collect()
}

/// A body. Most changes have the changeset's own version, or its dot.
pub fn body(random: &mut Random, own: Version) -> Body {
    let (own_version, own_dot) = (random.one_in(2), random.one_in(2));
    let mut body = Body::default();
    for mut change in changes(random) {
        if own_version {
            change.version = own;
            change.over = None;
        } else if own_dot {
            change.version.origin = own.origin;
            change.version.seq = own.seq;
        }
        body.push(&change, own);
    }
    body
}

/// The state that some changes make.
pub fn record(random: &mut Random) -> Record {
    let mut record = Record::default();
    for change in changes(random) {
        record.join_change(&change);
    }
    record
}

/// The row beside a record's residue.
pub fn row() -> Vec<(Name, MergeKind, Value)> {
    vec![
        (Name::from("author"), MergeKind::LastWriter, Value::Reference(RecordId::from_bytes([0xa0; 16]))),
        (Name::from("copies"), MergeKind::Counter, Value::Integer(7)),
        (Name::from("f0"), MergeKind::LastWriter, Value::Text("a".to_owned())),
        (Name::from("f1"), MergeKind::Counter, Value::Integer(-5)),
        (Name::from("f2"), MergeKind::Max, Value::Integer(9)),
        (Name::from("f3"), MergeKind::Min, Value::Text("m".to_owned())),
        (Name::from("f4"), MergeKind::Set, Value::Text("[\"a\",1]".to_owned())),
        (Name::from("title"), MergeKind::LastWriter, Value::Text("Books".to_owned())),
    ]
}
