//! The examples of docs/merge.md, and that `sync-core` agrees on whatever is drawn.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;

use sync_core::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Stamp},
    ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
    merge::{Dot, Record, SetOperation, check},
    value::{MergeKind, Value},
};

use super::{
    Check, Delete, Field, Model, OnDelete, Place, Row, Schema, Shown, Unique, Why, merge, observed, view,
    violations,
};
use crate::random::Random;

fn origin(number: u8) -> Origin {
    Origin { device: DeviceId::from_bytes([number; 16]), incarnation: Incarnation(0) }
}

/// `time` after 2020, by device `by`; each has a sequence of its own.
fn at(time: u64, by: u8) -> Version {
    let stamp = Stamp::new(Hlc(Hlc::MIN_VALID.0 + time), origin(by));
    Version { stamp, origin: origin(by), seq: Seq(time) }
}

fn id(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

fn place(model: &str, number: u8) -> Place {
    (Name::from(model), id(number))
}

fn change(model: &str, number: u8, kind: ChangeKind, version: Version, values: &[(&str, Value)]) -> Change {
    let write = |(name, value): &(&str, Value)| FieldWrite {
        field: Name::from(*name),
        merge: MergeKind::LastWriter,
        value: value.clone(),
    };
    Change {
        model: Name::from(model),
        record: id(number),
        kind,
        version,
        over: None,
        seen_delete: None,
        fields: values.iter().map(write).collect(),
    }
}

fn insert(model: &str, number: u8, version: Version, values: &[(&str, Value)]) -> Change {
    change(model, number, ChangeKind::Insert, version, values)
}

fn delete(model: &str, number: u8, version: Version) -> Change {
    change(model, number, ChangeKind::Delete, version, &[])
}

fn to(number: u8) -> Value {
    Value::Reference(id(number))
}

/// Parents, and children that refer to them in this way, with a unique name and a check.
fn family(on_delete: OnDelete, nullable: bool) -> Schema {
    let name = || Field::value("name", MergeKind::LastWriter, true);
    let parent = Model::new("parent", vec![name()]);
    let mut child =
        Model::new("child", vec![name(), Field::reference("parent", "parent", on_delete, nullable)]);
    child.uniques = vec![Unique::over("child_name", &["name"])];
    child.checks = vec![Check::new("not_bad", |row: &Row| {
        row.get(&Name::from("name")) != Some(&Value::Text("bad".into()))
    })];
    Schema { models: vec![parent, child] }
}

fn shown(schema: &Schema, writes: &[Change], place: &Place) -> Shown {
    let merged = merge(schema, writes);
    let view = view(schema, &merged);
    assert_eq!(violations(schema, &view), Vec::<String>::new());
    view.records[place].clone()
}

fn named(name: &str, parent: Value) -> Shown {
    Shown::Row(BTreeMap::from([
        (Name::from("name"), Value::Text(name.into())),
        (Name::from("parent"), parent),
    ]))
}

fn child(number: u8, version: Version, name: &str, parent: Value) -> Change {
    insert("child", number, version, &[("name", Value::Text(name.into())), ("parent", parent)])
}

#[test]
fn a_deleted_parent_takes_a_concurrent_child_along_or_hides_it_or_is_read_as_null() {
    let writes =
        [insert("parent", 1, at(1, 1), &[]), delete("parent", 1, at(5, 1)), child(2, at(6, 2), "c", to(1))];
    let of = |on_delete, nullable| shown(&family(on_delete, nullable), &writes, &place("child", 2));
    assert_eq!(of(OnDelete::Cascade, false), Shown::Dead);
    assert_eq!(of(OnDelete::Other, false), Shown::Hidden(Why::Reference(Name::from("parent"))));
    assert_eq!(of(OnDelete::Other, true), named("c", Value::Null));
}

#[test]
fn a_parent_that_is_inserted_again_does_not_bring_old_children_back() {
    let mut again = insert("parent", 1, at(11, 2), &[]);
    again.over = Some(at(10, 1).stamp);
    let mut writes = vec![
        insert("parent", 1, at(1, 1), &[]),
        child(2, at(8, 3), "old", to(1)),
        delete("parent", 1, at(10, 1)),
        again,
    ];
    let schema = family(OnDelete::Cascade, false);
    assert_eq!(shown(&schema, &writes, &place("child", 2)), Shown::Dead);
    writes.push(child(3, at(12, 3), "new", to(1)));
    assert_eq!(shown(&schema, &writes, &place("child", 3)), named("new", to(1)));
}

#[test]
fn the_older_insert_keeps_a_unique_value_and_a_hidden_record_claims_none() {
    let schema = family(OnDelete::Other, false);
    let mut writes = vec![
        insert("parent", 1, at(1, 1), &[]),
        child(4, at(4, 2), "same", to(1)),
        child(3, at(3, 1), "same", to(1)),
    ];
    let lost = Shown::Hidden(Why::Unique("child_name".into()));
    assert_eq!(shown(&schema, &writes, &place("child", 3)), named("same", to(1)));
    assert_eq!(shown(&schema, &writes, &place("child", 4)), lost);
    // The first one loses its parent, and with it the value.
    writes.push(insert("parent", 2, at(2, 1), &[]));
    writes.push(change("child", 3, ChangeKind::Write, at(9, 1), &[("parent", to(2))]));
    writes.push(delete("parent", 2, at(10, 3)));
    assert_eq!(shown(&schema, &writes, &place("child", 4)), named("same", to(1)));
}

#[test]
fn a_check_that_fails_after_merge_hides() {
    let schema = family(OnDelete::Other, true);
    let writes = [child(2, at(3, 1), "bad", Value::Null)];
    assert_eq!(shown(&schema, &writes, &place("child", 2)), Shown::Hidden(Why::Check("not_bad".into())));
}

#[test]
fn a_record_without_a_known_insert_waits() {
    let schema = family(OnDelete::Other, true);
    let writes = [change("child", 2, ChangeKind::Write, at(3, 1), &[("name", Value::Text("x".into()))])];
    assert_eq!(shown(&schema, &writes, &place("child", 2)), Shown::Waiting);
}

#[test]
fn of_two_devices_that_claim_an_owned_record_the_smaller_keeps_it() {
    let mut schema = family(OnDelete::Other, true);
    schema.models[1].owned = true;
    let writes = [
        child(2, at(3, 2), "mine", Value::Null),
        child(2, at(9, 3), "theirs", Value::Null),
        child(2, at(5, 2), "still mine", Value::Null),
    ];
    assert_eq!(shown(&schema, &writes, &place("child", 2)), named("still mine", Value::Null));
}

const KINDS: [(&str, MergeKind); 6] = [
    ("count", MergeKind::Counter),
    ("high", MergeKind::Max),
    ("low", MergeKind::Min),
    ("tags", MergeKind::Set),
    ("title", MergeKind::LastWriter),
    ("title", MergeKind::Counter),
];

fn any_value(random: &mut Random, kind: MergeKind) -> Value {
    let integer = i64::from(u8::try_from(random.below(5)).unwrap_or_default()) - 2;
    match kind {
        MergeKind::Set => {
            let element = |random: &mut Random| format!("\"{}\"", random.below(2));
            let dot = Dot { origin: origin(1), seq: Seq(1 + random.below(6)) };
            let operation = SetOperation {
                add: vec![element(random)],
                remove: if random.below(2) == 0 { vec![(element(random), vec![dot])] } else { Vec::new() },
            };
            operation.to_value()
        }
        MergeKind::Max | MergeKind::Min if random.below(5) == 0 => Value::Null,
        _ => Value::Integer(integer),
    }
}

fn any_change(random: &mut Random) -> Change {
    let by = 1 + u8::try_from(random.below(3)).unwrap_or_default();
    let mut version = at(1 + random.below(8), by);
    version.seq = Seq(1 + random.below(6));
    let kind = match random.below(7) {
        0 | 1 => ChangeKind::Insert,
        2 => ChangeKind::Delete,
        _ => ChangeKind::Write,
    };
    let mut change = change("thing", 1, kind, version, &[]);
    if kind == ChangeKind::Delete {
        return change;
    }
    for (name, merge) in KINDS {
        if random.below(2) == 0 {
            let value = any_value(random, merge);
            change.fields.push(FieldWrite { field: Name::from(name), merge, value });
        }
    }
    if random.below(3) == 0 {
        change.seen_delete = Some(at(random.below(8), 1).stamp);
    }
    let over = at(random.below(8), 2).stamp;
    if kind == ChangeKind::Insert && random.below(2) == 0 && over < version.stamp {
        change.over = Some(over);
    }
    change
}

/// Also what no correct author writes: equal stamps with different bytes, dots of others, odd epochs.
#[test]
fn agrees_with_sync_core_on_whatever_changes_are_drawn() {
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let fields = KINDS.iter().take(5).map(|(name, kind)| Field::value(name, *kind, true));
        let mut model = Model::new("thing", fields.collect());
        model.delete = if seed % 2 == 0 { Delete::Wins } else { Delete::Loses };
        let schema = Schema { models: vec![model] };
        let writes: Vec<Change> = (0..=random.below(8)).map(|_| any_change(&mut random)).collect();
        let mut record = Record::default();
        for write in &writes {
            assert_eq!(check(write), Ok(()), "seed {seed}");
            record.join_change(write);
        }
        let merged = merge(&schema, &writes);
        assert_eq!(merged, observed(&schema, [(place("thing", 1), &record)]), "seed {seed}: {writes:#?}");
    }
}
