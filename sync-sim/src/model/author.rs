//! What a device writes: transactions over its merged state, stamped by the rules of `sync_core::merge`.

use sync_core::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Stamp},
    ids::{Origin, Seq},
    merge::{
        FieldState, Record, SetOperation, delete_overwrites, diff, insert_stamp, next_share,
        write_overwrites, write_stamp,
    },
    value::{MergeKind, Value},
};

use super::records::{NAMES, NOTES, PAIR, RECORDS, policy};
use crate::random::Random;

/// A device that is about to commit.
pub(super) struct Author<'a> {
    pub(super) records: &'a [Record],
    pub(super) origin: Origin,
    pub(super) seq: u64,
    pub(super) hlc: Hlc,
}

impl Author<'_> {
    /// The changes of a transaction that `salt` decides.
    pub(super) fn transaction(&self, salt: u32) -> Vec<(usize, Change)> {
        let mut random = Random::new(u64::from(salt));
        let bound = u64::try_from(RECORDS - NOTES).unwrap_or(1);
        let mut record = || NOTES + usize::try_from(random.below(bound)).unwrap_or_default();
        let (first, second) = (record(), record());
        let mut changes = Vec::with_capacity(2);
        match random.below(6) {
            0 => {
                // Both or none.
                let value = Value::Integer(i64::from(salt));
                changes.extend(PAIR.iter().filter_map(|slot| self.pair(*slot, value.clone())));
            }
            1 if first != second => {
                changes.extend(self.edit(first, &mut random));
                changes.extend(self.edit(second, &mut random));
            }
            _ => changes.extend(self.edit(first, &mut random)),
        }
        changes
    }

    /// Writes one half of the pair; both halves have the same history, and so the same stamps.
    fn pair(&self, slot: usize, value: Value) -> Option<(usize, Change)> {
        let record = self.records.get(slot)?;
        if record.insert().is_none() {
            return self.insert(slot, vec![(NAMES.value.clone(), MergeKind::LastWriter, value)]);
        }
        self.write(slot, &NAMES.value, MergeKind::LastWriter, value)
    }

    /// Some change of one record: what is not there is inserted.
    fn edit(&self, slot: usize, random: &mut Random) -> Option<(usize, Change)> {
        let record = self.records.get(slot)?;
        if !record.is_alive(policy(slot)) {
            return self.insert(slot, values(random));
        }
        let kind = random.below(14);
        if kind == 13 {
            return self.delete(slot);
        }
        let at = usize::try_from(kind / 2).unwrap_or_default().min(NAMES.fields.len() - 1);
        let (name, kind) = NAMES.fields.get(at)?;
        let number = i64::try_from(random.below(100)).unwrap_or_default();
        let value = match kind {
            MergeKind::Counter => Value::Integer(next_share(record, name.as_str(), self.origin, number - 30)),
            MergeKind::Set => set(record, name.as_str(), number % 6)?,
            MergeKind::LastWriter | MergeKind::Max | MergeKind::Min => Value::Integer(number),
        };
        self.write(slot, name, *kind, value)
    }

    fn insert(&self, slot: usize, values: Vec<(Name, MergeKind, Value)>) -> Option<(usize, Change)> {
        let known = self.records.get(slot).filter(|record| !record.is_empty());
        let made = insert_stamp(self.hlc, self.origin, known, policy(slot), Stamp::ZERO, []).ok()?;
        let mut change = self.blank(slot, ChangeKind::Insert, made.stamp)?;
        change.over = made.over;
        change.seen_delete = known.and_then(Record::delete_stamp);
        let writes = values.into_iter().map(|(field, merge, value)| FieldWrite { field, merge, value });
        change.fields.extend(writes);
        Some((slot, change))
    }

    fn write(&self, slot: usize, name: &Name, kind: MergeKind, value: Value) -> Option<(usize, Change)> {
        let record = self.records.get(slot)?;
        let overwrites = write_overwrites(record, [(name.as_str(), kind)]);
        let stamp = write_stamp(self.hlc, self.origin, overwrites).ok()?;
        let mut change = self.blank(slot, ChangeKind::Write, stamp)?;
        if kind != MergeKind::LastWriter {
            change.seen_delete = record.epoch(name.as_str(), kind);
        }
        change.fields.push(FieldWrite { field: name.clone(), merge: kind, value });
        Some((slot, change))
    }

    fn delete(&self, slot: usize) -> Option<(usize, Change)> {
        let overwrites = delete_overwrites(self.records.get(slot)?);
        let stamp = write_stamp(self.hlc, self.origin, overwrites).ok()?;
        Some((slot, self.blank(slot, ChangeKind::Delete, stamp)?))
    }

    fn blank(&self, slot: usize, kind: ChangeKind, stamp: Stamp) -> Option<Change> {
        let (model, record) = NAMES.places.get(slot)?.clone();
        let version = Version { stamp, origin: self.origin, seq: Seq(self.seq) };
        Some(Change { model, record, kind, version, over: None, seen_delete: None, fields: Vec::new() })
    }
}

/// A whole row.
fn values(random: &mut Random) -> Vec<(Name, MergeKind, Value)> {
    let mut value = |kind: MergeKind| match kind {
        MergeKind::Set => SetOperation { add: vec!["0".to_owned()], remove: Vec::new() }.to_value(),
        _ => Value::Integer(i64::try_from(random.below(50)).unwrap_or_default()),
    };
    NAMES.fields.iter().map(|(name, kind)| (name.clone(), *kind, value(*kind))).collect()
}

/// Adds an element that is not there, removes one that is.
fn set(record: &Record, name: &str, element: i64) -> Option<Value> {
    let state = match record.field_as(name, MergeKind::Set) {
        Some(FieldState::Set(state)) => Some(state),
        _ => None,
    };
    let mut elements: Vec<String> =
        state.map(|state| state.elements().map(str::to_owned).collect()).unwrap_or_default();
    let old = format!("[{}]", elements.join(","));
    let element = element.to_string();
    if elements.contains(&element) {
        elements.retain(|other| *other != element);
    } else {
        elements.push(element);
    }
    Some(diff(&old, &format!("[{}]", elements.join(",")), state).ok()?.to_value())
}
