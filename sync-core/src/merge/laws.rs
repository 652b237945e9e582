//! The laws of the join, over random changes of three origins: every merge kind, deletes, re-inserts that
//! declare things dead, equal stamps with different bytes, one field under two kinds, dots of another origin.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use proptest::prelude::*;

use super::{DeletePolicy, Dot, Record, SetOperation, reference::Reference};
use crate::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Stamp},
    ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
    value::{MergeKind, Value},
};

const FIELDS: [(&str, MergeKind); 8] = [
    ("count", MergeKind::Counter),
    ("high", MergeKind::Max),
    ("low", MergeKind::Min),
    ("note", MergeKind::LastWriter),
    ("tags", MergeKind::Set),
    ("title", MergeKind::LastWriter),
    ("title", MergeKind::Counter),
    ("title", MergeKind::Set),
];
const POLICIES: [DeletePolicy; 2] = [DeletePolicy::Wins, DeletePolicy::Loses];
const ID: RecordId = RecordId::from_bytes([7; 16]);

fn origin(number: u8) -> Origin {
    Origin { device: DeviceId::from_bytes([number; 16]), incarnation: Incarnation(u32::from(number % 2)) }
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (0_u64..10, 0_u8..3).prop_map(|(time, by)| Stamp::new(Hlc(Hlc::MIN_VALID.0 + time), origin(by)))
}

fn version() -> impl Strategy<Value = Version> {
    (stamp(), prop_oneof![3 => Just(None), 1 => (0_u8..3).prop_map(Some)], 1_u64..6).prop_map(
        |(stamp, other, seq)| Version { stamp, origin: other.map_or(stamp.origin, origin), seq: Seq(seq) },
    )
}

fn operation() -> impl Strategy<Value = SetOperation> {
    let element = || (0_u8..3).prop_map(|n| format!("\"{n}\""));
    let dots = proptest::collection::btree_set((0_u8..3, 1_u64..6), 1..3);
    let remove = proptest::collection::btree_map(element(), dots, 0..3);
    (proptest::collection::btree_set(element(), 0..3), remove).prop_map(|(add, remove)| SetOperation {
        add: add.into_iter().collect(),
        remove: remove
            .into_iter()
            .map(|(e, dots)| {
                let dots = dots.into_iter().map(|(by, seq)| Dot { origin: origin(by), seq: Seq(seq) });
                (e, dots.collect())
            })
            .collect(),
    })
}

fn value(kind: MergeKind) -> BoxedStrategy<Value> {
    let integer =
        prop_oneof![8 => -3_i64..3, 1 => Just(i64::MAX), 1 => Just(i64::MIN)].prop_map(Value::Integer);
    match kind {
        MergeKind::Counter => integer.boxed(),
        MergeKind::Max | MergeKind::Min => prop_oneof![1 => Just(Value::Null), 6 => integer].boxed(),
        MergeKind::Set => operation().prop_map(|operation| operation.to_value()).boxed(),
        MergeKind::LastWriter => prop_oneof![
            Just(Value::Null),
            integer,
            "[ab]{0,2}".prop_map(Value::Text),
            Just(Value::Real(-0.0)),
            Just(Value::Blob(vec![0, 255])),
            Just(Value::Reference(ID)),
        ]
        .boxed(),
    }
}

fn change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![
        2 => Just(ChangeKind::Insert),
        4 => Just(ChangeKind::Write),
        1 => Just(ChangeKind::Delete)
    ];
    let fields: Vec<_> = FIELDS
        .iter()
        .map(|(name, kind)| {
            (any::<bool>(), value(*kind)).prop_map(|(is, value)| is.then_some((*name, *kind, value)))
        })
        .collect();
    let seen = || prop_oneof![2 => Just(None), 1 => stamp().prop_map(Some)];
    (kind, version(), seen(), seen(), fields).prop_map(|(kind, version, over, seen_delete, fields)| {
        let field = |(name, merge, value)| FieldWrite { field: Name::from(name), merge, value };
        let is_delete = kind == ChangeKind::Delete;
        Change {
            model: Name::from("book"),
            record: ID,
            kind,
            version,
            over: over.filter(|_| kind == ChangeKind::Insert),
            seen_delete,
            fields: fields.into_iter().flatten().filter(|_| !is_delete).map(field).collect(),
        }
    })
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    proptest::collection::vec(change(), 0..12)
}

fn joined<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Record {
    let mut record = Record::default();
    for change in changes {
        let before = record.clone();
        let joined = record.join_change(change);
        assert_eq!(joined.changed, record != before, "`changed` must tell whether anything did: {change:?}");
    }
    record
}

/// The changes in another order, with some of them twice.
fn shuffled(changes: Vec<Change>) -> impl Strategy<Value = Vec<Change>> {
    let length = changes.len();
    let again = proptest::collection::vec(0..length.max(1), 0..4);
    (Just(changes), again)
        .prop_map(|(mut all, again)| {
            let doubles: Vec<_> = again.iter().filter_map(|at| all.get(*at).cloned()).collect();
            all.extend(doubles);
            all
        })
        .prop_shuffle()
}

/// The columns of a row that shows every field of a record.
fn row(record: &Record) -> Vec<(Name, MergeKind, Value)> {
    record.fields().map(|(name, state)| (name.clone(), state.kind(), state.value())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Invariant 5: merge is a join; order and repetition of arrival mean nothing.
    #[test]
    fn invariant_5_order_and_repetition_mean_nothing(
        (all, other) in changes().prop_flat_map(|all| (Just(all.clone()), shuffled(all)))
    ) {
        prop_assert_eq!(joined(&all), joined(&other));
    }

    #[test]
    fn states_join_commutatively_associatively_idempotently(a in changes(), b in changes(), c in changes()) {
        let join = |x: &Record, y: &Record| {
            let mut joined = x.clone();
            let told = joined.join(y);
            assert_eq!(told.changed, joined != *x);
            joined
        };
        let all = joined(a.iter().chain(&b).chain(&c));
        let (a, b, c) = (joined(&a), joined(&b), joined(&c));
        prop_assert_eq!(join(&a, &a), a.clone());
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), all.clone());
        prop_assert_eq!(join(&a, &join(&b, &c)), all);
    }

    #[test]
    fn agrees_with_the_reference(all in changes()) {
        let (record, reference) = (joined(&all), Reference(&all));
        prop_assert_eq!(record.insert().map(|insert| insert.stamp), reference.insert());
        prop_assert_eq!(record.delete_stamp(), reference.delete());
        for policy in POLICIES {
            prop_assert_eq!(record.is_alive(policy), reference.is_alive(policy, &FIELDS), "{:?}", policy);
        }
        for (name, kind) in FIELDS {
            prop_assert_eq!(record.value_as(name, kind), reference.value(name, kind), "{} {:?}", name, kind);
        }
    }

    /// The writes that a state gives away make the same state, in any order.
    #[test]
    fn changes_make_the_state(
        (record, given) in changes().prop_map(|all| joined(&all)).prop_flat_map(|record| {
            let given = record.changes(&Name::from("book"), ID);
            (Just(record), shuffled(given))
        })
    ) {
        prop_assert_eq!(joined(&given), record.clone());
        let mut dots: Vec<_> = record.dots().collect();
        dots.sort_unstable();
        dots.dedup();
        let mut given: Vec<_> = given.iter().map(|c| (c.version.origin, c.version.seq)).collect();
        given.sort_unstable();
        given.dedup();
        prop_assert_eq!(dots, given);
    }

    /// docs/merge.md section 5: whoever holds every dot of a record has its state, so a response may leave it out.
    #[test]
    fn who_holds_every_dot_has_the_state(all in changes()) {
        let record = joined(&all);
        let dots: Vec<_> = record.dots().collect();
        let held = all.iter().filter(|change| dots.contains(&(change.version.origin, change.version.seq)));
        prop_assert_eq!(joined(held), record);
    }

    #[test]
    fn encoding_keeps_the_state(all in changes(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let record = joined(&all);
        let mut bytes = record.encode();
        prop_assert_eq!(&Record::decode(&bytes).unwrap(), &record);
        let at = at.index(bytes.len());
        prop_assert!(Record::decode(&bytes[..at]).is_err());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = Record::decode(&bytes) {
            other.encode();
        }
    }

    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _either = Record::decode(&bytes).map(|record| record.encode());
        let mut formatted = vec![1];
        formatted.extend(bytes);
        let _either = Record::decode(&formatted).map(|record| record.encode());
    }

    /// A residue and the row give the state again, whichever columns the row shows.
    #[test]
    fn residue_and_row_make_the_state(all in changes(), shown in proptest::collection::vec(any::<bool>(), 8)) {
        let record = joined(&all);
        let Some(insert) = record.insert().copied() else { return Ok(()) };
        prop_assert_eq!(&Record::from_residue(&record.residue(), insert, row(&record)).unwrap(), &record);
        prop_assert_eq!(record.is_plain(), Record::plain(insert, row(&record)) == record);

        let columns: Vec<_> = FIELDS.iter().zip(shown).filter(|(_, shown)| *shown).map(|(field, _)| field).collect();
        let keys: Vec<_> = columns.iter().map(|(name, kind)| (Name::from(*name), *kind)).collect();
        let cells = columns.iter().map(|(name, kind)| {
            (Name::from(*name), *kind, record.value_as(name, *kind).unwrap_or(Value::Null))
        });
        let residue = record.residue_beside(&keys);
        prop_assert_eq!(&Record::from_residue(&residue, insert, cells.clone()).unwrap(), &record);
        if record.is_plain_beside(&keys) {
            prop_assert_eq!(Record::plain(insert, cells), record);
        }
    }

    /// Where times differ, the names of the origins decide nothing.
    #[test]
    fn renaming_origins_changes_nothing_else(all in changes(), shift in 1_u8..3) {
        let rename = |origin: &mut Origin| {
            *origin = super::laws::origin((origin.device.as_bytes()[0] + shift) % 3);
        };
        let mut all = all;
        for (at, change) in all.iter_mut().enumerate() {
            change.version.stamp.hlc = Hlc(change.version.stamp.hlc.0 * 64 + at as u64);
            for stamp in change.over.iter_mut().chain(&mut change.seen_delete) {
                // One time, one author: else the author decides which of two deletes is the later.
                *stamp = Stamp::new(Hlc(stamp.hlc.0 * 64 + 63), origin(0));
            }
        }
        let mut renamed = all.clone();
        for change in &mut renamed {
            rename(&mut change.version.origin);
            rename(&mut change.version.stamp.origin);
            change.over.iter_mut().chain(&mut change.seen_delete).for_each(|stamp| rename(&mut stamp.origin));
            for write in change.fields.iter_mut().filter(|write| write.merge == MergeKind::Set) {
                let mut operation = SetOperation::from_value(&write.value).unwrap();
                for (_, dots) in &mut operation.remove {
                    for dot in dots.iter_mut() {
                        rename(&mut dot.origin);
                    }
                    dots.sort_unstable();
                }
                write.value = operation.to_value();
            }
        }
        let (before, after) = (joined(&all), joined(&renamed));
        for policy in POLICIES {
            prop_assert_eq!(before.is_alive(policy), after.is_alive(policy));
        }
        for (name, kind) in FIELDS {
            prop_assert_eq!(before.value_as(name, kind), after.value_as(name, kind), "{} {:?}", name, kind);
        }
    }

    /// Void values may be dropped before a join or after it.
    #[test]
    fn void_values_may_be_dropped_at_any_time(a in changes(), b in changes()) {
        let mut whole = joined(a.iter().chain(&b));
        whole.drop_void(DeletePolicy::Wins);
        let (mut early, mut late) = (joined(&a), joined(&b));
        early.drop_void(DeletePolicy::Wins);
        late.drop_void(DeletePolicy::Wins);
        early.join(&late);
        early.drop_void(DeletePolicy::Wins);
        prop_assert_eq!(early, whole);
    }

    /// Whatever a record holds, a local insert or write made after it wins.
    #[test]
    fn whoever_saw_a_record_can_replace_it(all in changes(), clock in 0_u64..12, by in 0_u8..3) {
        let mut record = joined(&all);
        let (clock, by) = (Hlc(Hlc::MIN_VALID.0 + clock), origin(by));
        for policy in POLICIES {
            let made = super::insert_stamp(clock, by, Some(&record), policy, Stamp::ZERO, []).unwrap();
            let mut next = record.clone();
            next.join_change(&insert_of(made, by));
            prop_assert!(next.is_alive(policy));
            prop_assert_eq!(next.value_as("title", MergeKind::LastWriter), Some(Value::Text("new".into())));
        }
        let stamp = super::write_stamp(clock, by, super::delete_overwrites(&record)).unwrap();
        let version = Version { stamp, origin: by, seq: Seq(9) };
        let delete = Change { kind: ChangeKind::Delete, version, over: None, fields: vec![], ..insert_of(
            super::InsertStamp { stamp, over: None }, by) };
        record.join_change(&delete);
        prop_assert!(POLICIES.iter().all(|policy| !record.is_alive(*policy)));
    }
}

fn insert_of(made: super::InsertStamp, by: Origin) -> Change {
    Change {
        model: Name::from("book"),
        record: ID,
        kind: ChangeKind::Insert,
        version: Version { stamp: made.stamp, origin: by, seq: Seq(9) },
        over: made.over,
        seen_delete: None,
        fields: vec![FieldWrite {
            field: Name::from("title"),
            merge: MergeKind::LastWriter,
            value: Value::Text("new".into()),
        }],
    }
}
