//! Named cases: what other systems got wrong, and the examples of docs/merge.md, each with the right outcome.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use super::{
    BeyondEnd, DeletePolicy, InvalidChange, Record, Resolution, SetOperation, check, claim_order,
    delete_overwrites, diff, insert_stamp, next_share, reference_overwrites, resolution, resolves,
    write_overwrites, write_stamp,
};
use crate::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Millis, Stamp},
    ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
    value::{MergeKind, Value},
};

use DeletePolicy::{Loses, Wins};

const A: Origin = origin(1);
const B: Origin = origin(2);
const C: Origin = origin(3);

const fn origin(number: u8) -> Origin {
    Origin { device: DeviceId::from_bytes([number; 16]), incarnation: Incarnation(0) }
}

/// `time` after 2020-01-01; the sequence is the time too, so every changeset has its own dot.
fn at(time: u64, by: Origin) -> Version {
    Version { stamp: stamp(time, by), origin: by, seq: Seq(time) }
}

fn stamp(time: u64, by: Origin) -> Stamp {
    Stamp::new(Hlc(Hlc::MIN_VALID.0 + time), by)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn change<const N: usize>(
    kind: ChangeKind,
    version: Version,
    fields: [(&str, MergeKind, Value); N],
) -> Change {
    Change {
        model: Name::from("book"),
        record: RecordId::from_bytes([9; 16]),
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

fn insert<const N: usize>(version: Version, fields: [(&str, MergeKind, Value); N]) -> Change {
    change(ChangeKind::Insert, version, fields)
}

fn write(version: Version, name: &str, merge: MergeKind, value: Value) -> Change {
    change(ChangeKind::Write, version, [(name, merge, value)])
}

fn delete(version: Version) -> Change {
    change(ChangeKind::Delete, version, [])
}

fn titled(version: Version, title: &str) -> Change {
    insert(version, [("title", MergeKind::LastWriter, text(title))])
}

fn title(version: Version, title: &str) -> Change {
    write(version, "title", MergeKind::LastWriter, text(title))
}

fn joined(changes: &[Change]) -> Record {
    let mut record = Record::default();
    for change in changes {
        assert_eq!(check(change), Ok(()));
        record.join_change(change);
    }
    record
}

#[test]
fn later_write_with_a_smaller_value_wins() {
    let record = joined(&[titled(at(1, A), "m"), title(at(3, B), "a"), title(at(2, A), "z")]);
    assert_eq!(record.value("title"), Some(text("a")));
    assert_eq!(record.version_of("title"), Some(at(3, B)));
}

#[test]
fn plus_one_and_plus_five_on_ten_are_sixteen() {
    let base = insert(at(1, A), [("count", MergeKind::Counter, Value::Integer(10))]);
    let seen = joined(std::slice::from_ref(&base));
    let share = |time, by, delta| {
        write(
            at(time, by),
            "count",
            MergeKind::Counter,
            Value::Integer(next_share(&seen, "count", by, delta)),
        )
    };
    let mut record = joined(&[share(3, B, 5), base.clone(), share(2, A, 1)]);
    assert_eq!(record.value("count"), Some(Value::Integer(16)));
    // The next of A's totals replaces the first, and again is not more.
    let total = next_share(&record, "count", A, 4);
    let next = write(at(4, A), "count", MergeKind::Counter, Value::Integer(total));
    assert!(record.join_change(&next).changed);
    assert!(!record.join_change(&next).changed);
    assert_eq!((total, record.value("count")), (5, Some(Value::Integer(20))));
}

#[test]
fn counter_is_exact_beyond_the_bounds_of_an_integer() {
    let record = joined(&[
        insert(at(1, A), [("count", MergeKind::Counter, Value::Integer(i64::MAX))]),
        write(at(2, A), "count", MergeKind::Counter, Value::Integer(i64::MAX)),
    ]);
    assert_eq!(record.value("count"), Some(Value::Integer(i64::MAX)));
    let mut record = record;
    record.join_change(&write(at(3, B), "count", MergeKind::Counter, Value::Integer(-i64::MAX)));
    record.join_change(&write(at(4, C), "count", MergeKind::Counter, Value::Integer(-i64::MAX)));
    assert_eq!(record.value("count"), Some(Value::Integer(0)));
}

/// A changeset that is published again under a new incarnation keeps its stamps.
#[test]
fn share_published_again_under_another_dot_counts_once() {
    let mut again = at(2, A);
    again.origin = C;
    again.seq = Seq(1);
    let record = joined(&[
        insert(at(1, B), [("count", MergeKind::Counter, Value::Integer(10))]),
        write(at(2, A), "count", MergeKind::Counter, Value::Integer(3)),
        write(again, "count", MergeKind::Counter, Value::Integer(3)),
    ]);
    assert_eq!(record.value("count"), Some(Value::Integer(13)));
}

#[test]
fn delete_against_concurrent_edit_follows_the_policy() {
    let later = joined(&[titled(at(1, A), "old"), delete(at(5, A)), title(at(6, B), "edited")]);
    assert_eq!((later.is_alive(Wins), later.is_alive(Loses)), (false, true));
    assert_eq!(later.value("title"), Some(text("edited")));
    let earlier = joined(&[titled(at(1, A), "old"), title(at(4, B), "edited"), delete(at(5, A))]);
    assert_eq!((earlier.is_alive(Wins), earlier.is_alive(Loses)), (false, false));
}

/// A record that `loses` brought back keeps the sums that its deleter saw and that came after.
#[test]
fn counter_of_a_record_that_came_back_keeps_its_base() {
    let mut record = joined(&[
        insert(at(1, A), [("count", MergeKind::Counter, Value::Integer(10))]),
        delete(at(5, A)),
        write(at(6, B), "count", MergeKind::Counter, Value::Integer(1)),
    ]);
    assert!(record.is_alive(Loses));
    let mut next = write(at(7, C), "count", MergeKind::Counter, Value::Integer(2));
    next.seen_delete = record.epoch("count", MergeKind::Counter);
    record.join_change(&next);
    assert_eq!(record.value("count"), Some(Value::Integer(13)));
}

#[test]
fn dead_stays_dead_until_an_insert_above_the_delete() {
    let mut record = joined(&[titled(at(1, A), "x"), delete(at(10, A))]);
    for late in [titled(at(9, B), "y"), title(at(12, B), "z"), titled(at(10, A), "equal")] {
        record.join_change(&late);
        assert!(!record.is_alive(Wins), "{late:?}");
    }
    record.join_change(&titled(at(13, B), "again"));
    assert!(record.is_alive(Wins));
    assert_eq!(record.value("title"), Some(text("again")));
}

/// docs/merge.md section 2: child c (reference at 8) of P, deleted at 10; P is inserted again at a clock of 3.
#[test]
fn reinserted_parent_is_above_its_delete_and_does_not_bring_children_back() {
    let dead = joined(&[titled(at(1, A), "p"), delete(at(10, A))]);
    let made = insert_stamp(stamp(3, B).hlc, B, Some(&dead), Wins, Stamp::ZERO, [stamp(8, C)]).unwrap();
    assert_eq!((made.stamp, made.over), (stamp(11, B), Some(stamp(10, A))));
    let mut again = titled(Version { stamp: made.stamp, origin: B, seq: Seq(1) }, "p");
    again.over = made.over;
    // Where nothing but the insert arrives, what it declares dead is dead too.
    for known in [dead, Record::default()] {
        let mut parent = known;
        parent.join_change(&again);
        assert!(parent.is_alive(Wins));
        assert_eq!(parent.delete_stamp(), Some(stamp(10, A)));
        assert_eq!(resolution(stamp(8, C), Some(&parent), Wins), Resolution::Dead);
        let above = write_stamp(stamp(4, C).hlc, C, reference_overwrites(&parent)).unwrap();
        assert!(resolves(above, Some(&parent), Wins));
    }
}

/// The insert that declared something dead keeps its dot when a later insert wins that knew of no delete.
#[test]
fn what_an_insert_declares_dead_outlives_a_later_insert() {
    let mut declared = titled(at(20, A), "a");
    declared.over = Some(stamp(15, C));
    let record = joined(&[declared, titled(at(30, B), "b")]);
    assert_eq!(record.delete_stamp(), Some(stamp(15, C)));
    assert!(record.dots().any(|dot| dot == (A, Seq(20))));
}

#[test]
fn new_life_starts_its_counter_maximum_and_set_anew() {
    let fields = |count, high, tags: &str| {
        [
            ("count", MergeKind::Counter, Value::Integer(count)),
            ("high", MergeKind::Max, Value::Integer(high)),
            ("tags", MergeKind::Set, SetOperation::of_array(tags).unwrap().to_value()),
        ]
    };
    let mut again = insert(at(11, B), fields(1, 2, "[3]"));
    again.over = Some(stamp(10, A));
    // A share, a value and an element of the old life that arrive after the new one began.
    let late = change(ChangeKind::Write, at(9, C), fields(100, 100, "[100]"));
    let record = joined(&[insert(at(1, A), fields(50, 50, "[50]")), again, late, delete(at(10, A))]);
    assert_eq!(record.value("count"), Some(Value::Integer(1)));
    assert_eq!(record.value("high"), Some(Value::Integer(2)));
    assert_eq!(record.value("tags"), Some(text("[3]")));
    // Writes of the new life merge with it, though a later delete of the old one is known by then.
    let mut record = record;
    record.join_change(&delete(at(10, C)));
    let mut next = write(at(12, C), "count", MergeKind::Counter, Value::Integer(4));
    next.seen_delete = record.epoch("count", MergeKind::Counter);
    record.join_change(&next);
    assert_eq!((record.is_alive(Wins), record.value("count")), (true, Some(Value::Integer(5))));
}

#[test]
fn forged_stamp_of_2199_is_replaceable() {
    let far = Hlc::at(Millis(Hlc::MAX_VALID.millis().0 - 86_400_000));
    let forged = Version { stamp: Stamp::new(far, B), origin: B, seq: Seq(2) };
    let mut record = joined(&[titled(at(1, A), "old"), title(forged, "forged")]);
    assert_eq!(record.value("title"), Some(text("forged")));
    let over = write_overwrites(&record, [("title", MergeKind::LastWriter)]);
    let stamp = write_stamp(stamp(5, A).hlc, A, over).unwrap();
    record.join_change(&title(Version { stamp, origin: A, seq: Seq(5) }, "mended"));
    assert_eq!(record.value("title"), Some(text("mended")));
    let stamp = write_stamp(self::stamp(6, A).hlc, A, delete_overwrites(&record)).unwrap();
    record.join_change(&delete(Version { stamp, origin: A, seq: Seq(6) }));
    assert_eq!((record.is_alive(Wins), record.is_alive(Loses)), (false, false));
}

#[test]
fn nothing_is_stamped_beyond_2200() {
    let last = Stamp::new(Hlc(Hlc::MAX_VALID.0 - 1), B);
    assert_eq!(write_stamp(stamp(1, A).hlc, A, last), Err(BeyondEnd { overwrites: last }));
    // The same time is enough for an origin that ties higher.
    assert_eq!(write_stamp(last.hlc, C, last), Ok(Stamp::new(last.hlc, C)));
    let beyond = Version { stamp: Stamp::new(Hlc::MAX_VALID, B), ..at(1, B) };
    assert_eq!(check(&title(beyond, "x")), Err(InvalidChange::Stamp(beyond.stamp)));
    assert!(matches!(
        check(&title(Version { stamp: Stamp::ZERO, ..beyond }, "x")),
        Err(InvalidChange::Stamp(_))
    ));
}

#[test]
fn equal_stamps_with_different_bytes_are_told_and_agreed_on() {
    let (small, large) = (title(at(2, A), "a"), title(at(2, A), "b"));
    for (first, second) in [(&small, &large), (&large, &small)] {
        let mut record = Record::default();
        assert!(!record.join_change(first).equivocation);
        assert!(record.join_change(second).equivocation);
        assert_eq!(record.value("title"), Some(text("b")));
    }
}

#[test]
fn field_of_another_kind_is_another_field() {
    let mut record = joined(&[insert(at(1, A), [("count", MergeKind::Counter, Value::Integer(10))])]);
    record.join_change(&write(at(9, B), "count", MergeKind::LastWriter, text("not a number")));
    assert_eq!(record.value_as("count", MergeKind::Counter), Some(Value::Integer(10)));
    assert_eq!(record.value_as("count", MergeKind::LastWriter), Some(text("not a number")));
    assert_eq!(record.value_as("count", MergeKind::Max), None);
}

#[test]
fn concurrent_add_survives_a_removal() {
    let begin =
        insert(at(1, A), [("tags", MergeKind::Set, SetOperation::of_array("[\"x\"]").unwrap().to_value())]);
    let seen = joined(std::slice::from_ref(&begin));
    let Some(super::FieldState::Set(set)) = seen.field("tags") else { panic!("a set") };
    let operation = |old, new| diff(old, new, Some(set)).unwrap().to_value();
    let removal = write(at(2, A), "tags", MergeKind::Set, operation("[\"x\"]", "[ ]"));
    let gone = joined(&[removal.clone(), begin.clone()]);
    assert_eq!(gone.value("tags"), Some(text("[]")));
    let again = write(at(2, B), "tags", MergeKind::Set, operation("[]", "[\"y\", \"x\"]"));
    let both = joined(&[again, removal, begin]);
    assert_eq!(both.value("tags"), Some(text("[\"x\",\"y\"]")));
}

#[test]
fn maxima_and_minima_compare_as_numbers_and_prefer_anything_to_null() {
    let record = joined(&[
        insert(at(1, A), [("high", MergeKind::Max, Value::Null), ("low", MergeKind::Min, Value::Null)]),
        write(at(2, A), "high", MergeKind::Max, Value::Integer(-5)),
        write(at(3, A), "high", MergeKind::Max, Value::Integer(-7)),
        write(at(2, B), "low", MergeKind::Min, Value::Integer(5)),
        write(at(3, B), "low", MergeKind::Min, Value::Null),
        write(at(4, B), "low", MergeKind::Min, Value::Integer(-1)),
    ]);
    assert_eq!(record.value("high"), Some(Value::Integer(-5)));
    assert_eq!(record.value("low"), Some(Value::Integer(-1)));
}

#[test]
fn values_that_cannot_merge_are_refused_and_change_nothing() {
    let cases = [
        ("count", MergeKind::Counter, text("1")),
        ("count", MergeKind::Counter, Value::Null),
        ("high", MergeKind::Max, Value::Real(1.0)),
        ("tags", MergeKind::Set, text("[1]")),
        ("tags", MergeKind::Set, Value::Blob(vec![1, 2, 3])),
        ("tags", MergeKind::Set, SetOperation { add: vec!["[ 1]".into()], remove: vec![] }.to_value()),
        (
            "tags",
            MergeKind::Set,
            SetOperation { add: vec!["2".into(), "1".into()], remove: vec![] }.to_value(),
        ),
    ];
    for (name, merge, value) in cases {
        let bad = write(at(2, B), name, merge, value);
        assert!(matches!(check(&bad), Err(InvalidChange::Value { .. })), "{bad:?}");
        if merge != MergeKind::Max {
            let mut record = Record::default();
            record.join_change(&bad);
            assert_eq!(record, Record::default());
        }
    }
    let doubled = change(
        ChangeKind::Write,
        at(2, B),
        [("title", MergeKind::LastWriter, text("a")), ("title", MergeKind::LastWriter, text("b"))],
    );
    assert_eq!(check(&doubled), Err(InvalidChange::Doubled(Name::from("title"))));
    let mut over = titled(at(2, B), "a");
    over.over = Some(stamp(2, B));
    assert!(matches!(check(&over), Err(InvalidChange::Shape(_))));
    over.over = Some(stamp(1, B));
    assert_eq!(check(&over), Ok(()));
}

#[test]
fn unknown_target_is_not_a_dead_one() {
    let orphan = joined(&[title(at(5, A), "written before its insert arrived")]);
    assert_eq!(resolution(stamp(9, A), None, Wins), Resolution::Unknown);
    assert_eq!(resolution(stamp(9, A), Some(&orphan), Wins), Resolution::Unknown);
    assert_eq!(resolution(stamp(9, A), Some(&joined(&[delete(at(2, A))])), Wins), Resolution::Dead);
    assert!(!orphan.is_alive(Wins) && !orphan.is_alive(Loses));
}

#[test]
fn older_insert_claims_first() {
    let (low, high) = (RecordId::from_bytes([1; 16]), RecordId::from_bytes([2; 16]));
    assert!(claim_order((stamp(1, B), high), (stamp(2, A), low)).is_lt());
    assert!(claim_order((stamp(1, B), low), (stamp(1, B), high)).is_lt());
}

#[test]
fn plain_record_needs_no_residue_and_a_written_one_does() {
    let fields = || {
        [
            (Name::from("title"), MergeKind::LastWriter, text("x")),
            (Name::from("count"), MergeKind::Counter, Value::Integer(3)),
            (Name::from("tags"), MergeKind::Set, text("[2, 1]")),
        ]
    };
    let columns: Vec<_> = fields().into_iter().map(|(name, kind, _)| (name, kind)).collect();
    let mut record = Record::plain(at(1, A), fields());
    assert!(record.is_plain() && record.is_plain_beside(&columns));
    assert!(!record.is_plain_beside(columns.get(..2).unwrap()), "a field without a column is not in the row");
    record.join_change(&title(at(2, B), "y"));
    assert!(!record.is_plain());
    let residue = record.residue();
    assert!(residue.len() < record.encode().len());
    let row = fields().into_iter().map(|(name, kind, value)| {
        let value = if name.as_str() == "title" { text("y") } else { value };
        (name, kind, value)
    });
    assert_eq!(Record::from_residue(&residue, at(1, A), row).unwrap(), record);
    assert!(Record::from_residue(&residue, at(1, A), []).is_err());
}
