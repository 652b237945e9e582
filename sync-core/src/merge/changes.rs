//! The writes that a record's state consists of. Joined in any order, any number of times, into an empty record
//! they give the same state.

use std::collections::BTreeMap;

use super::{
    field::FieldState,
    record::Record,
    set::{Presence, SetOperation, SetState},
};
use crate::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::Stamp,
    ids::RecordId,
    value::{MergeKind, Value},
};

/// Inserts before writes, each by version and by the delete that it saw.
type Groups = BTreeMap<(bool, Version, Option<Stamp>), Vec<FieldWrite>>;

impl Record {
    /// The irreducible writes of this state: the insert with the values that nobody has overwritten, writes by
    /// version, shares and set operations with their own dots, the delete.
    pub fn changes(&self, model: &Name, id: RecordId) -> Vec<Change> {
        let mut groups = self.groups();
        let over = self.over.map(|over| {
            let carrier = |epoch| (false, over.insert, epoch);
            // A group that knew of an earlier delete only must not be lifted to this one.
            let plain = |fields: &Vec<FieldWrite>| fields.iter().all(|f| f.merge == MergeKind::LastWriter);
            let key = if !groups.contains_key(&carrier(Some(over.stamp)))
                && groups.get(&carrier(None)).is_some_and(plain)
            {
                carrier(None)
            } else {
                carrier(Some(over.stamp))
            };
            groups.entry(key).or_default();
            (key, over.stamp)
        });
        let change = |kind, version, over, seen_delete, fields| Change {
            model: model.clone(),
            record: id,
            kind,
            version,
            over,
            seen_delete,
            fields,
        };
        let mut all = Vec::with_capacity(groups.len().saturating_add(1));
        for (key, fields) in groups {
            let (write, version, epoch) = key;
            let kind = if write { ChangeKind::Write } else { ChangeKind::Insert };
            let over = over.filter(|(carrier, _)| *carrier == key).map(|(_, stamp)| stamp);
            all.push(change(kind, version, over, epoch.filter(|_| epoch != over), fields));
        }
        all.extend(self.delete.map(|version| change(ChangeKind::Delete, version, None, None, Vec::new())));
        all
    }

    fn groups(&self) -> Groups {
        let mut groups = Groups::new();
        let is_write = |version: Version| Some(version) != self.insert;
        let mut add = |write, version, epoch, name: &Name, merge, value| {
            let field = FieldWrite { field: name.clone(), merge, value };
            groups.entry((write, version, epoch)).or_default().push(field);
        };
        for field in &self.fields {
            let (name, merge) = (&field.name, field.state.kind());
            match &field.state {
                FieldState::Last(_) => {}
                FieldState::Max(extreme) | FieldState::Min(extreme) => {
                    let write = is_write(extreme.version);
                    add(write, extreme.version, extreme.epoch, name, merge, extreme.value.clone());
                }
                FieldState::Counter(counter) => {
                    if let Some(base) = counter.base {
                        add(false, base.version, counter.epoch, name, merge, Value::Integer(base.amount));
                    }
                    for share in counter.shares.values() {
                        add(true, share.version, counter.epoch, name, merge, Value::Integer(share.amount));
                    }
                }
                FieldState::Set(set) => {
                    for (version, operation) in operations(set) {
                        add(is_write(version), version, set.epoch, name, merge, operation.to_value());
                    }
                }
            }
        }
        for field in &self.fields {
            let FieldState::Last(register) = &field.state else { continue };
            let (write, version) = (is_write(register.version), register.version);
            let written = FieldWrite {
                field: field.name.clone(),
                merge: MergeKind::LastWriter,
                value: register.value.clone(),
            };
            group_of(&mut groups, write, version).push(written);
        }
        if let Some(insert) = self.insert {
            group_of(&mut groups, false, insert);
        }
        groups
    }
}

/// A group of that version, whatever delete it saw: last-writer values do not ask.
fn group_of(groups: &mut Groups, write: bool, version: Version) -> &mut Vec<FieldWrite> {
    let from = (write, version, None);
    let known = groups.range(from..).next().map(|(key, _)| *key);
    let key = known.filter(|(w, v, _)| (*w, *v) == (write, version)).unwrap_or(from);
    groups.entry(key).or_default()
}

/// The operations that make a set; each entry stands under its own version.
fn operations(set: &SetState) -> BTreeMap<Version, SetOperation> {
    let mut all = BTreeMap::from([(set.latest, SetOperation::default())]);
    set.for_each_entry(|element, dot, presence| {
        let operation = all.entry(presence.version(dot)).or_default();
        match presence {
            Presence::Added(_) => operation.add.push(element.to_owned()),
            Presence::Removed(_) => match operation.remove.last_mut() {
                Some((last, dots)) if last == element => dots.push(dot),
                _ => operation.remove.push((element.to_owned(), vec![dot])),
            },
        }
    });
    all
}
