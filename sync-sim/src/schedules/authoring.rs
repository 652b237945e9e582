//! Operations as a device writes them: what its own tables allow, stamped by the rules of `sync_core::merge`.

use sync_core::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Stamp},
    ids::{Origin, Seq},
    merge::{
        FieldState, Record, SetOperation, SetState, delete_overwrites, diff, insert_stamp, next_share,
        reference_overwrites, resolves, write_overwrites, write_stamp,
    },
    value::{MergeKind, Value},
};

use super::{
    family::{Family, P, Q, RECORDS, UNIQUE, X, fresh},
    table::Table,
};
use crate::reference::{Row, View};

/// What a device does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    /// Inserts its own child.
    Insert,
    /// Writes the first field of the common child.
    UpdateF1,
    /// Writes the second field of the common child, by its merge kind.
    UpdateF2,
    /// Deletes the common child.
    Delete,
    /// Inserts the common child again, or else a parent that is gone.
    Reinsert,
    /// Gives its own child, or else the common one, the unique value.
    WriteUnique,
    /// Points the common child at the other parent.
    SetReference,
    /// Deletes the parent of the common child.
    DeleteParent,
}

impl Operation {
    pub(super) const ALL: [Self; 8] = [
        Self::Insert,
        Self::UpdateF1,
        Self::UpdateF2,
        Self::Delete,
        Self::Reinsert,
        Self::WriteUnique,
        Self::SetReference,
        Self::DeleteParent,
    ];
}

/// What the author's tables must show after the operation.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// A row with this value.
    Value(usize, Name, Value),
    /// No row.
    Gone(usize),
}

/// A device that is about to write.
pub(super) struct Author<'a> {
    pub(super) family: &'a Family,
    pub(super) table: &'a Table,
    pub(super) view: &'a View,
    pub(super) device: usize,
    pub(super) origin: Origin,
    pub(super) seq: Seq,
    pub(super) hlc: Hlc,
    /// Number of the operation; what it writes differs by it.
    pub(super) number: i64,
}

/// The changes of an operation, and what its author sees then.
pub(super) type Authored = (Vec<(usize, Change)>, Vec<Expected>);

impl Author<'_> {
    /// Does an operation; `None` when the author's own tables have no place for it.
    pub(super) fn operate(&self, operation: Operation) -> Option<Authored> {
        let names = &self.family.names;
        match operation {
            Operation::Insert => {
                let slot = fresh(self.device);
                if self.row(slot).is_some() {
                    return None;
                }
                self.insert_child(slot)
            }
            Operation::UpdateF1 => {
                let row = self.row(X)?;
                if row.get(&names.unique) != Some(&Value::Null) && self.number % 2 != 0 {
                    return None; // The author's own CHECK refuses.
                }
                self.write(X, &names.f1, MergeKind::LastWriter, Value::Integer(self.number))
            }
            Operation::UpdateF2 => {
                self.row(X)?;
                let value = self.second()?;
                let change = self.change(X, &names.f2, self.family.kind, value)?;
                Some((vec![change], Vec::new()))
            }
            Operation::Delete => {
                self.row(X)?;
                Some((vec![self.delete(X)?], vec![Expected::Gone(X)]))
            }
            Operation::Reinsert => self.reinsert(),
            Operation::WriteUnique => self.write_unique(),
            Operation::SetReference => {
                let now = self.row(X)?.get(&names.parent)?.clone();
                let other = if now == self.family.reference(Q) { P } else { Q };
                self.row(other)?;
                let target = self.family.reference(other);
                self.write(X, &names.parent, MergeKind::LastWriter, target)
            }
            Operation::DeleteParent => self.delete_parent(),
        }
    }

    /// What everybody knows before the first operation: both parents, and the child of the first one.
    pub(super) fn begin(&self) -> Option<Vec<(usize, Change)>> {
        let child = self.insert(X, self.child_values(self.family.reference(P))?)?;
        Some(vec![self.insert_parent(P)?, self.insert_parent(Q)?, child])
    }

    fn row(&self, slot: usize) -> Option<&Row> {
        self.view.row(self.family.places.get(slot)?)
    }

    fn record(&self, slot: usize) -> Option<&Record> {
        self.table.record(slot)
    }

    fn version(&self, stamp: Stamp) -> Version {
        Version { stamp, origin: self.origin, seq: self.seq }
    }

    fn reinsert(&self) -> Option<Authored> {
        if self.row(X).is_none()
            && let Some(inserted) = self.insert_child(X)
        {
            return Some(inserted);
        }
        let gone = [P, Q].into_iter().find(|parent| self.row(*parent).is_none())?;
        let shown = Expected::Value(gone, self.family.names.f1.clone(), Value::Integer(0));
        Some((vec![self.insert_parent(gone)?], vec![shown]))
    }

    fn write_unique(&self) -> Option<Authored> {
        let names = &self.family.names;
        let slot = if self.row(fresh(self.device)).is_some() { fresh(self.device) } else { X };
        let row = self.row(slot)?;
        let value = Value::Integer(UNIQUE);
        let taken = (X..RECORDS)
            .any(|other| self.row(other).is_some_and(|row| row.get(&names.unique) == Some(&value)));
        let odd = matches!(row.get(&names.f1), Some(Value::Integer(value)) if value % 2 != 0);
        if taken || odd {
            return None; // The author's own UNIQUE or CHECK refuses.
        }
        self.write(slot, &names.unique, MergeKind::LastWriter, value)
    }

    /// What the author's own database does to the children is captured like any write of his.
    fn delete_parent(&self) -> Option<Authored> {
        let names = &self.family.names;
        let of_child = self.row(X).and_then(|row| row.get(&names.parent)).cloned();
        let parent = if of_child == Some(self.family.reference(Q)) { Q } else { P };
        self.row(parent)?;
        let mut changes = Vec::new();
        let mut expected = vec![Expected::Gone(parent)];
        for child in X..RECORDS {
            let refers = |row: &Row| row.get(&names.parent) == Some(&self.family.reference(parent));
            if !self.row(child).is_some_and(refers) {
                continue;
            }
            if self.family.cascade {
                changes.push(self.delete(child)?);
                expected.push(Expected::Gone(child));
            } else if self.family.nullable {
                changes.push(self.change(child, &names.parent, MergeKind::LastWriter, Value::Null)?);
                expected.push(Expected::Value(child, names.parent.clone(), Value::Null));
            } else {
                return None; // The author's own FOREIGN KEY refuses.
            }
        }
        changes.push(self.delete(parent)?);
        Some((changes, expected))
    }

    fn insert_parent(&self, slot: usize) -> Option<(usize, Change)> {
        let f1 = (self.family.names.f1.clone(), MergeKind::LastWriter, Value::Integer(0));
        self.insert(slot, vec![f1])
    }

    fn insert_child(&self, slot: usize) -> Option<Authored> {
        let parent = [P, Q].into_iter().find(|parent| self.row(*parent).is_some());
        let target = match parent {
            Some(parent) => self.family.reference(parent),
            None if self.family.nullable => Value::Null,
            None => return None,
        };
        let shown = Expected::Value(slot, self.family.names.parent.clone(), target.clone());
        Some((vec![self.insert(slot, self.child_values(target)?)?], vec![shown]))
    }

    fn child_values(&self, parent: Value) -> Option<Vec<(Name, MergeKind, Value)>> {
        let names = &self.family.names;
        let second = match self.family.kind {
            MergeKind::Set => SetOperation::of_array("[0]").ok()?.to_value(),
            _ => Value::Integer(50),
        };
        Some(vec![
            (names.f1.clone(), MergeKind::LastWriter, Value::Integer(0)),
            (names.f2.clone(), self.family.kind, second),
            (names.unique.clone(), MergeKind::LastWriter, Value::Null),
            (names.parent.clone(), MergeKind::LastWriter, parent),
        ])
    }

    /// What the second field gets: something new of its kind.
    fn second(&self) -> Option<Value> {
        let (record, name) = (self.record(X)?, self.family.names.f2.as_str());
        Some(match self.family.kind {
            MergeKind::LastWriter => Value::Integer(self.number),
            MergeKind::Counter => Value::Integer(next_share(record, name, self.origin, self.number)),
            MergeKind::Max => Value::Integer(50 + self.number),
            MergeKind::Min => Value::Integer(50 - self.number),
            MergeKind::Set => {
                let state = match record.field_as(name, MergeKind::Set) {
                    Some(FieldState::Set(state)) => Some(state),
                    _ => None,
                };
                // The even ones replace everything, the odd ones add.
                let old = state.map_or_else(|| "[]".to_owned(), SetState::to_json);
                let kept = if self.number % 2 == 0 { "[" } else { old.trim_end_matches(']') };
                let comma = if kept.len() > 1 { "," } else { "" };
                diff(&old, &format!("{kept}{comma}{}]", self.number), state).ok()?.to_value()
            }
        })
    }

    fn write(&self, slot: usize, name: &Name, kind: MergeKind, value: Value) -> Option<Authored> {
        let expected = Expected::Value(slot, name.clone(), value.clone());
        Some((vec![self.change(slot, name, kind, value)?], vec![expected]))
    }

    /// One write of one field.
    fn change(&self, slot: usize, name: &Name, kind: MergeKind, value: Value) -> Option<(usize, Change)> {
        let record = self.record(slot)?;
        let overwrites = write_overwrites(record, [(name.as_str(), kind)]).max(self.target_floor(&value));
        let stamp = write_stamp(self.hlc, self.origin, overwrites).ok()?;
        let seen = if kind == MergeKind::LastWriter { None } else { record.epoch(name.as_str(), kind) };
        let write = FieldWrite { field: name.clone(), merge: kind, value };
        let mut change = self.blank(slot, ChangeKind::Write, stamp)?;
        change.seen_delete = seen;
        change.fields.push(write);
        Some((slot, change))
    }

    /// What a reference must be above to lead to its target.
    fn target_floor(&self, value: &Value) -> Stamp {
        let Value::Reference(target) = value else { return Stamp::ZERO };
        let target = self.family.slot(*target).and_then(|slot| self.record(slot));
        target.map_or(Stamp::ZERO, reference_overwrites)
    }

    fn delete(&self, slot: usize) -> Option<(usize, Change)> {
        let stamp = write_stamp(self.hlc, self.origin, delete_overwrites(self.record(slot)?)).ok()?;
        Some((slot, self.blank(slot, ChangeKind::Delete, stamp)?))
    }

    fn insert(&self, slot: usize, values: Vec<(Name, MergeKind, Value)>) -> Option<(usize, Change)> {
        let known = self.record(slot).filter(|record| !record.is_empty());
        let made = insert_stamp(
            self.hlc,
            self.origin,
            known,
            self.family.policy,
            Stamp::ZERO,
            self.unresolved(slot),
        );
        let made = made.ok()?;
        let floor = values.iter().map(|(_, _, value)| self.target_floor(value)).max().unwrap_or(Stamp::ZERO);
        let stamp = write_stamp(made.stamp.hlc, self.origin, floor).ok()?;
        let mut change = self.blank(slot, ChangeKind::Insert, stamp)?;
        change.over = made.over;
        change.seen_delete = known.and_then(Record::delete_stamp);
        let writes = values.into_iter().map(|(field, merge, value)| FieldWrite { field, merge, value });
        change.fields.extend(writes);
        Some((slot, change))
    }

    /// Stamps of references to a record that lead nowhere.
    fn unresolved(&self, slot: usize) -> Vec<Stamp> {
        let (target, name) = (self.family.reference(slot), self.family.names.parent.as_str());
        let mut stamps = Vec::new();
        for record in (X..RECORDS).filter_map(|child| self.record(child)) {
            if record.value(name).as_ref() != Some(&target) {
                continue;
            }
            let Some(version) = record.version_of(name) else { continue };
            if !resolves(version.stamp, self.record(slot), self.family.policy) {
                stamps.push(version.stamp);
            }
        }
        stamps
    }

    fn blank(&self, slot: usize, kind: ChangeKind, stamp: Stamp) -> Option<Change> {
        let (model, record) = self.family.places.get(slot)?.clone();
        Some(Change {
            model,
            record,
            kind,
            version: self.version(stamp),
            over: None,
            seen_delete: None,
            fields: Vec::new(),
        })
    }
}
