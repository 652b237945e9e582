//! M from the set of all authored writes (docs/merge.md, section 3).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use sync_core::{
    changeset::{Change, ChangeKind, FieldWrite, Name},
    hlc::Stamp,
    ids::{Origin, RecordId, Seq},
    merge::SetOperation,
    value::{MergeKind, Value},
};

use super::schema::{Delete, Model, Schema};

/// A record of a model.
pub type Place = (Name, RecordId);

/// The merged state: every record of which anything is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Merged {
    /// By model and record id.
    pub records: BTreeMap<Place, MergedRecord>,
}

/// One record of M.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MergedRecord {
    /// Stamp of the highest insert.
    pub insert: Option<Stamp>,
    /// Up to where it is dead: the highest delete, or what an insert declared dead.
    pub delete: Option<Stamp>,
    /// Whether it lives.
    pub alive: bool,
    /// The fields that the schema names and somebody wrote.
    pub values: BTreeMap<Name, MergedValue>,
}

/// One field of M.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MergedValue {
    /// What a column would show.
    pub value: Value,
    /// The highest stamp among the writes that count.
    pub stamp: Stamp,
}

/// A write of one field, with the change that it is of.
type Write<'a> = (&'a Change, &'a FieldWrite);

/// M, from all writes that were ever authored, in any order, repeated or not.
pub fn merge<'a>(schema: &Schema, writes: impl IntoIterator<Item = &'a Change>) -> Merged {
    let mut by_record: BTreeMap<Place, Vec<&Change>> = BTreeMap::new();
    for change in writes {
        by_record.entry((change.model.clone(), change.record)).or_default().push(change);
    }
    let mut records = BTreeMap::new();
    for (place, changes) in by_record {
        let Some(model) = schema.model(place.0.as_str()) else { continue };
        let record = if model.owned { owned(model, &changes) } else { shared(model, &changes) };
        records.insert(place, record);
    }
    Merged { records }
}

/// A record that anyone may write.
fn shared(model: &Model, changes: &[&Change]) -> MergedRecord {
    let inserts = changes.iter().filter(|change| change.kind == ChangeKind::Insert);
    let insert = inserts.clone().map(|change| change.version.stamp).max();
    let deletes = changes.iter().filter(|change| change.kind == ChangeKind::Delete);
    let delete =
        deletes.map(|change| change.version.stamp).chain(inserts.filter_map(|change| change.over)).max();

    let mut fields: BTreeSet<(Name, MergeKind)> = BTreeSet::new();
    for change in changes {
        fields.extend(change.fields.iter().map(|write| (write.field.clone(), write.merge)));
    }
    let mut latest = insert;
    let mut values = BTreeMap::new();
    for (name, kind) in fields {
        let Some(value) = value(changes, &name, kind) else { continue };
        latest = latest.max(Some(value.stamp));
        // Under `wins` a last-writer value at or below the delete is void.
        let void =
            model.delete == Delete::Wins && kind == MergeKind::LastWriter && Some(value.stamp) <= delete;
        if !void && model.field(name.as_str()).is_some_and(|field| field.kind == kind) {
            values.insert(name, value);
        }
    }
    let alive = match model.delete {
        Delete::Wins => insert > delete,
        Delete::Loses => latest > delete,
    };
    MergedRecord { insert, delete, alive: insert.is_some() && alive, values }
}

/// A record that belongs to the smallest device that ever inserted it, whole, by its highest write.
fn owned(model: &Model, changes: &[&Change]) -> MergedRecord {
    let device = |change: &&&Change| change.version.origin.device;
    let owner = changes.iter().filter(|change| change.kind == ChangeKind::Insert).min_by_key(device);
    let owner = owner.or(changes.iter().min_by_key(device)).map(|change| change.version.origin.device);
    let own = changes.iter().filter(|change| Some(change.version.origin.device) == owner);
    let highest = own.max_by_key(|change| change.version.stamp);
    let mut record = MergedRecord { insert: None, delete: None, alive: false, values: BTreeMap::new() };
    let Some(highest) = highest else { return record };
    let stamp = highest.version.stamp;
    match highest.kind {
        ChangeKind::Delete => record.delete = Some(stamp),
        ChangeKind::Insert | ChangeKind::Write => {
            record.insert = Some(stamp);
            record.alive = true;
            for write in &highest.fields {
                let known = model.field(write.field.as_str()).is_some_and(|field| field.kind == write.merge);
                if known {
                    let value = MergedValue { value: write.value.clone(), stamp };
                    record.values.insert(write.field.clone(), value);
                }
            }
        }
    }
    record
}

/// What the writes of a field come to.
fn value(changes: &[&Change], name: &Name, kind: MergeKind) -> Option<MergedValue> {
    let mut writes: Vec<Write<'_>> = Vec::new();
    for change in changes.iter().copied().filter(|change| change.kind != ChangeKind::Delete) {
        let of_field = change.fields.iter().filter(|write| write.field == *name && write.merge == kind);
        writes.extend(of_field.map(|write| (change, write)));
    }
    if kind != MergeKind::LastWriter {
        // A value whose author saw a later delete replaces those that saw none or an earlier one.
        let latest = writes.iter().map(|(change, _)| epoch(change)).max()?;
        writes.retain(|(change, _)| epoch(change) == latest);
    }
    match kind {
        MergeKind::LastWriter => writes.into_iter().max_by(later).map(single),
        MergeKind::Counter => counter(&writes),
        MergeKind::Max => {
            let up =
                |a: &Write<'_>, b: &Write<'_>| null_first(a, b, Ordering::Less).then_with(|| later(a, b));
            writes.into_iter().max_by(up).map(single)
        }
        MergeKind::Min => {
            let down =
                |a: &Write<'_>, b: &Write<'_>| null_first(a, b, Ordering::Greater).then_with(|| later(a, b));
            writes.into_iter().max_by(down).map(single)
        }
        MergeKind::Set => set(&writes),
    }
}

fn single((change, write): Write<'_>) -> MergedValue {
    MergedValue { value: write.value.clone(), stamp: change.version.stamp }
}

/// The delete that the author of a value saw.
fn epoch(change: &Change) -> Option<Stamp> {
    match change.kind {
        ChangeKind::Insert => change.seen_delete.max(change.over),
        ChangeKind::Write | ChangeKind::Delete => change.seen_delete,
    }
}

/// Which of two writes wins: the stamp; between equal stamps the larger bytes; then the dot.
fn later((a, x): &Write<'_>, (b, y): &Write<'_>) -> Ordering {
    let bytes = |write: &FieldWrite| {
        let mut bytes = Vec::new();
        write.value.canonical(&mut bytes);
        bytes
    };
    let dot = |change: &Change| (change.version.origin, change.version.seq);
    a.version
        .stamp
        .cmp(&b.version.stamp)
        .then_with(|| bytes(x).cmp(&bytes(y)))
        .then_with(|| dot(a).cmp(&dot(b)))
}

/// The order of two values that a maximum or minimum compares: NULL is the farthest from both ends. `less` says what
/// a smaller value counts as.
fn null_first((_, x): &Write<'_>, (_, y): &Write<'_>, less: Ordering) -> Ordering {
    let towards = |order: Ordering| if less == Ordering::Less { order } else { order.reverse() };
    match (&x.value, &y.value) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Integer(x), Value::Integer(y)) => towards(x.cmp(y)),
        (Value::Text(x), Value::Text(y)) => towards(x.cmp(y)),
        (Value::Blob(x), Value::Blob(y)) => towards(x.cmp(y)),
        (x, y) => towards(storage_class(x).cmp(&storage_class(y))),
    }
}

/// SQLite's order of storage classes. Floats have no maximum or minimum.
const fn storage_class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) => 1,
        Value::Real(_) => 2,
        Value::Text(_) => 3,
        Value::Blob(_) => 4,
        Value::Reference(_) => 5,
    }
}

/// The last base, and each author's last total.
fn counter(writes: &[Write<'_>]) -> Option<MergedValue> {
    let amount = |write: &FieldWrite| match &write.value {
        Value::Integer(amount) => i128::from(*amount),
        _ => 0,
    };
    let mut counted: Vec<Write<'_>> = Vec::new();
    let bases = writes.iter().copied().filter(|(change, _)| change.kind == ChangeKind::Insert);
    counted.extend(bases.max_by(later));
    let shares = writes.iter().copied().filter(|(change, _)| change.kind == ChangeKind::Write);
    let authors: BTreeSet<Origin> = shares.clone().map(|(change, _)| change.version.stamp.origin).collect();
    for author in authors {
        let own = shares.clone().filter(|(change, _)| change.version.stamp.origin == author);
        counted.extend(own.max_by(later));
    }
    let sum: i128 = counted.iter().map(|(_, write)| amount(write)).sum();
    let shown = sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    let stamp = counted.iter().map(|(change, _)| change.version.stamp).max()?;
    Some(MergedValue { value: Value::Integer(i64::try_from(shown).unwrap_or_default()), stamp })
}

/// The elements that were added by a changeset which nobody's removal names.
fn set(writes: &[Write<'_>]) -> Option<MergedValue> {
    let mut added: BTreeSet<(String, Origin, Seq)> = BTreeSet::new();
    let mut removed: BTreeSet<(String, Origin, Seq)> = BTreeSet::new();
    for (change, write) in writes {
        let operation = SetOperation::from_value(&write.value)?;
        for element in operation.add {
            added.insert((element, change.version.origin, change.version.seq));
        }
        for (element, dots) in operation.remove {
            removed.extend(dots.into_iter().map(|dot| (element.clone(), dot.origin, dot.seq)));
        }
    }
    let left: BTreeSet<&str> = added.difference(&removed).map(|(element, _, _)| element.as_str()).collect();
    let text = left.into_iter().collect::<Vec<_>>().join(",");
    let stamp = writes.iter().map(|(change, _)| change.version.stamp).max()?;
    Some(MergedValue { value: Value::Text(format!("[{text}]")), stamp })
}
