//! From what a transaction did to a record to the changes that say so, and the record's new state.

use std::collections::HashMap;

use sync_core::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::{Hlc, Stamp},
    ids::{Origin, RecordId, Seq},
    merge::{self, Record, SetOperation, insert_stamp, next_share, write_overwrites, write_stamp},
    value::{MergeKind, Value, ValueRef},
};

use super::{
    changes::LocalBody,
    inserts::not_owner,
    touched::{After, Before, Touched},
};
use crate::{
    catalog::{Field, FieldIndex, Model, Ownership},
    error::{Error, ErrorKind, Result},
    store::{
        key::Key,
        origins::{OriginNumber, Origins},
        rows::not_an_array,
        versions::{ShadowStatus, StateWrites, VersionRow, is_hybrid},
    },
};

/// Who made the changes that are drained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Writer {
    /// A transaction of this space: what it may not do fails its commit.
    ThisSpace,
    /// Other programs, whose transactions are over: what they may not do is left out and reported.
    OtherPrograms,
}

/// What authoring needs of the world, fixed for one drain.
#[derive(Debug)]
pub(super) struct Author<'a> {
    pub(super) origin: Origin,
    pub(super) own: OriginNumber,
    pub(super) seq: Seq,
    pub(super) hlc: Hlc,
    pub(super) origins: &'a Origins,
    pub(super) writer: Writer,
    /// Stamps above which a write that refers to a record must be, where one is above the clock.
    pub(super) targets: HashMap<RecordId, Stamp>,
    /// Merged states in the shadow, and unresolved references, of the touched records.
    pub(super) shadow: HashMap<RecordId, (ShadowStatus, Record)>,
    pub(super) unresolved: HashMap<RecordId, Vec<Stamp>>,
}

/// What a drain found that must be put right in the application's table, or said.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Columns that merge wants to hold something else.
    pub(super) corrections: Vec<(Key, FieldIndex, Value)>,
    /// Changes of other programs that were left out.
    pub(super) left_out: Vec<String>,
}

impl Author<'_> {
    /// The changeset's own version.
    pub(super) fn own_version(&self) -> Version {
        self.version(Stamp::new(self.hlc, self.origin))
    }

    fn version(&self, stamp: Stamp) -> Version {
        Version { stamp, origin: self.origin, seq: self.seq }
    }

    /// Turns one touched record into changes and writes.
    pub(super) fn author(
        &mut self,
        model: &Model,
        touched: Touched,
        body: &mut LocalBody,
        writes: &mut StateWrites,
        findings: &mut Findings,
    ) -> Result<()> {
        let Touched { record, before, after, mask, .. } = touched;
        let outcome = match (before, after) {
            (None, None) => Ok(()),
            (None, Some(after)) => self.insert(model, record, after, body, writes, findings),
            (Some(before), None) => self.delete(model, record, &before, body, writes),
            (Some(before), Some(after)) => {
                let fields: Vec<FieldIndex> =
                    (0..model.fields.len()).filter(|n| mask.has(*n)).map(FieldIndex).collect();
                if before.key != after.key {
                    writes.gone.push((model.index, before.key.clone()));
                } else if fields.is_empty() {
                    return Ok(());
                }
                self.update(model, record, &before, after, fields, body, writes, findings)
            }
        };
        match outcome {
            Err(error) if self.writer == Writer::OtherPrograms && error.kind() != ErrorKind::Database => {
                findings.left_out.push(format!("{} {record}: {error}", model.name));
                Ok(())
            }
            other => other,
        }
    }

    /// Whether a row that has these values is ours to own, shared, or somebody else's.
    fn owned(&self, model: &Model, after: &After) -> Result<bool> {
        match after.device {
            Some(device) if model.may_be_owned() => {
                if device == self.origin.device {
                    Ok(true)
                } else {
                    Err(not_owner(model))
                }
            }
            _ if model.may_be_shared() => Ok(false),
            _ => Err(not_owner(model)),
        }
    }

    fn owned_before(&self, model: &Model, before: &Before) -> Result<bool> {
        if before.stored.owned && before.stored.insert.origin.device != self.origin.device {
            return Err(not_owner(model));
        }
        Ok(before.stored.owned)
    }

    fn beyond(model: &Model, error: merge::BeyondEnd) -> Error {
        Error::new(
            ErrorKind::Value,
            "commit",
            format!("a record of \"{}\" cannot be written any more", model.table),
        )
        .with_source(error)
    }

    fn reference_floor(&self, model: &Model, values: &[Value]) -> Stamp {
        if self.targets.is_empty() {
            return Stamp::ZERO;
        }
        let references = model.fields.iter().zip(values).filter(|(f, _)| f.reference.is_some());
        references
            .filter_map(|(_, value)| match value {
                Value::Reference(target) => self.targets.get(target).copied(),
                _ => None,
            })
            .max()
            .unwrap_or(Stamp::ZERO)
    }

    fn insert(
        &mut self,
        model: &Model,
        record: RecordId,
        after: After,
        body: &mut LocalBody,
        writes: &mut StateWrites,
        findings: &mut Findings,
    ) -> Result<()> {
        let owned = self.owned(model, &after)?;
        let known = self.shadow.remove(&record).map(|(_, state)| state);
        let unresolved = self.unresolved.remove(&record).unwrap_or_default();
        let mut floor = self.reference_floor(model, &after.values);
        if let (Some(known), false) = (&known, owned) {
            // What was written to it while it was hidden is overwritten like anything else.
            let plain = model.fields.iter().filter(|field| field.merge == MergeKind::LastWriter);
            floor = floor.max(write_overwrites(known, plain.map(|f| (f.name.as_str(), f.merge))));
        }
        let stamps =
            insert_stamp(self.hlc, self.origin, known.as_ref(), model.delete, Stamp::ZERO, unresolved)
                .map_err(|e| Self::beyond(model, e))?;
        let stamp = write_stamp(stamps.stamp.hlc, self.origin, floor).map_err(|e| Self::beyond(model, e))?;
        let change = Change {
            // What is signed of an owned row is the row as anyone can serve it, without what it was inserted over.
            over: stamps.over.filter(|_| !owned),
            seen_delete: known.as_ref().and_then(Record::delete_stamp).filter(|_| !owned),
            ..self.whole_row(model, record, &after.values, stamp)?
        };
        let mut state = known.clone().unwrap_or_default();
        state.join_change(&change);
        state.drop_void(model.delete);
        body.push(&change, owned, self.own_version());
        if owned {
            state.reduce_to_highest();
            if known.is_some() {
                writes.unshadow.push((model.number, record));
            }
            self.show(model, after, &state, true, writes);
        } else {
            // Others' shares of a counter go on to count, also those that nobody saw here.
            self.finish_shared(model, record, after, &state, known.is_some(), writes, findings);
        }
        Ok(())
    }

    /// An insert with all fields.
    fn whole_row(&self, model: &Model, record: RecordId, values: &[Value], stamp: Stamp) -> Result<Change> {
        let fields = model
            .fields
            .iter()
            .zip(values)
            .map(|(field, value)| {
                let value = match (field.merge, value) {
                    (MergeKind::Set, value) => SetOperation::of_array(array(value))
                        .map_err(|e| not_an_array(model, field, e))?
                        .to_value(),
                    (_, value) => value.clone(),
                };
                Ok(FieldWrite { field: field.name.clone(), merge: field.merge, value })
            })
            .collect::<Result<_>>()?;
        Ok(Change {
            model: model.name.clone(),
            record,
            kind: ChangeKind::Insert,
            version: self.version(stamp),
            over: None,
            seen_delete: None,
            fields,
        })
    }

    /// Notes the version of a row that shows its state.
    fn show(&self, model: &Model, after: After, state: &Record, owned: bool, writes: &mut StateWrites) {
        let Some(insert) = state.insert().copied() else { return };
        let columns: Vec<(Name, MergeKind)> =
            model.fields.iter().map(|f| (f.name.clone(), f.merge)).collect();
        let plain = insert.stamp.origin == insert.origin && state.is_plain_beside(&columns);
        let origin = self.origins.get(&insert.origin).map_or(self.own, |row| row.number);
        let row = VersionRow {
            key: after.key,
            origin,
            seq: insert.seq,
            hlc: ((insert.origin, insert.seq) != (self.origin, self.seq) || insert.stamp.hlc != self.hlc)
                .then_some(insert.stamp.hlc),
            residue: (!plain).then(|| state.residue_beside(&columns)),
            owned,
        };
        writes.versions.push((model.index, row));
    }

    fn delete(
        &mut self,
        model: &Model,
        record: RecordId,
        before: &Before,
        body: &mut LocalBody,
        writes: &mut StateWrites,
    ) -> Result<()> {
        let owned = self.owned_before(model, before)?;
        let mut state = match self.shadow.remove(&record) {
            Some((_, state)) => {
                // What it waited for goes with its old entry.
                writes.unshadow.push((model.number, record));
                state
            }
            None => before_state(model, before, before.image.as_deref())?,
        };
        let stamp =
            write_stamp(self.hlc, self.origin, state.highest()).map_err(|e| Self::beyond(model, e))?;
        let change = Change {
            model: model.name.clone(),
            record,
            kind: ChangeKind::Delete,
            version: self.version(stamp),
            over: None,
            seen_delete: None,
            fields: Vec::new(),
        };
        state.join_change(&change);
        state.drop_void(model.delete);
        if owned {
            state.reduce_to_highest();
            writes.own_dots(&state, model.number, record, self.origins);
        }
        writes.gone.push((model.index, before.key.clone()));
        writes.shadow.push((model.number, record, ShadowStatus::Dead, state.encode()));
        body.push(&change, owned, self.own_version());
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all of it is one record's before and after, and where results go"
    )]
    fn update(
        &mut self,
        model: &Model,
        record: RecordId,
        before: &Before,
        after: After,
        mut fields: Vec<FieldIndex>,
        body: &mut LocalBody,
        writes: &mut StateWrites,
        findings: &mut Findings,
    ) -> Result<()> {
        let owned = self.owned_before(model, before)?;
        if let Some(field) = fields.iter().find(|f| is_fixed(model, **f)).and_then(|f| model.field(*f)) {
            return Err(Error::new(
                ErrorKind::Misuse,
                "commit",
                format!(
                    "{}.{} decides who owns the row (or names it) and is fixed at insert; delete the row and \
                     insert it anew instead",
                    model.table, field.column
                ),
            ));
        }
        if owned || (is_hybrid(model) && self.owned(model, &after)?) {
            let stamp = write_stamp(self.hlc, self.origin, before.stored.insert.stamp)
                .map_err(|e| Self::beyond(model, e))?;
            let change = self.whole_row(model, record, &after.values, stamp)?;
            let mut state = Record::default();
            state.join_change(&change);
            self.show(model, after, &state, true, writes);
            body.push(&change, true, self.own_version());
            return Ok(());
        }
        expand_groups(model, &mut fields);
        let shadowed = self.shadow.remove(&record);
        let mut state = match &shadowed {
            Some((_, state)) => state.clone(),
            None => {
                let row = mixed_values(model, before.image.as_deref(), &after.values);
                before_state(model, before, Some(&row))?
            }
        };
        for change in self.writes(model, record, &state, before, &after, &fields)? {
            state.join_change(&change);
            body.push(&change, false, self.own_version());
        }
        self.finish_shared(model, record, after, &state, shadowed.is_some(), writes, findings);
        Ok(())
    }

    /// Sets the version, the columns that merge wants otherwise, and the shadow where a reference still reads NULL.
    #[expect(
        clippy::too_many_arguments,
        reason = "all of it is one record's new state, and where results go"
    )]
    fn finish_shared(
        &self,
        model: &Model,
        record: RecordId,
        after: After,
        state: &Record,
        shadowed: bool,
        writes: &mut StateWrites,
        findings: &mut Findings,
    ) {
        let mut altered = false;
        for (n, (field, shown)) in model.fields.iter().zip(&after.values).enumerate() {
            let merged = shown_value(field, state).unwrap_or(Value::Null);
            if merged == *shown {
                continue;
            }
            if field.reference.is_some() {
                altered = true;
            } else {
                findings.corrections.push((after.key.clone(), FieldIndex(n), merged));
            }
        }
        if altered {
            writes.shadow.push((model.number, record, ShadowStatus::Altered, state.encode()));
        } else if shadowed {
            writes.unshadow.push((model.number, record));
        }
        self.show(model, after, state, false, writes);
    }

    /// The writes of the changed fields, one for each stamp and epoch that they need.
    fn writes(
        &self,
        model: &Model,
        record: RecordId,
        state: &Record,
        before: &Before,
        after: &After,
        fields: &[FieldIndex],
    ) -> Result<Vec<Change>> {
        let mut out: Vec<Change> = Vec::new();
        for index in fields {
            let (Some(field), Some(value)) = (model.field(*index), after.values.get(index.0)) else {
                continue;
            };
            let Some(write) = self.field_write(model, field, *index, state, before, value)? else { continue };
            let name = field.name.as_str();
            let mut overwrites = write_overwrites(state, [(name, field.merge)]);
            if let (Some(_), Value::Reference(target)) = (field.reference, value) {
                overwrites = overwrites.max(self.targets.get(target).copied().unwrap_or(Stamp::ZERO));
            }
            if let Some(group) = field.group.and_then(|g| model.groups.get(g)) {
                let members = group.iter().filter_map(|f| model.field(*f));
                overwrites =
                    overwrites.max(write_overwrites(state, members.map(|f| (f.name.as_str(), f.merge))));
            }
            let stamp = write_stamp(self.hlc, self.origin, overwrites).map_err(|e| Self::beyond(model, e))?;
            let seen =
                if field.merge == MergeKind::LastWriter { None } else { state.epoch(name, field.merge) };
            let version = self.version(stamp);
            let slot = out.iter_mut().find(|c| {
                c.version == version
                    && (c.seen_delete == seen
                        || (field.merge == MergeKind::LastWriter
                            && c.fields.iter().all(|f| f.merge == MergeKind::LastWriter)))
            });
            match slot {
                Some(change) => change.fields.push(write),
                None => out.push(Change {
                    model: model.name.clone(),
                    record,
                    kind: ChangeKind::Write,
                    version,
                    over: None,
                    seen_delete: seen,
                    fields: vec![write],
                }),
            }
        }
        Ok(out)
    }

    fn field_write(
        &self,
        model: &Model,
        field: &Field,
        index: FieldIndex,
        state: &Record,
        before: &Before,
        value: &Value,
    ) -> Result<Option<FieldWrite>> {
        let name = field.name.as_str();
        let value = match field.merge {
            MergeKind::LastWriter => value.clone(),
            MergeKind::Counter => {
                let old = shown_value(field, state).unwrap_or(Value::Integer(0));
                let (Value::Integer(old), Value::Integer(new)) = (&old, value) else {
                    return Err(wrong_kind(model, field, "an integer"));
                };
                if old == new {
                    return Ok(None);
                }
                Value::Integer(next_share(state, name, self.origin, new.saturating_sub(*old)))
            }
            MergeKind::Max | MergeKind::Min => {
                if matches!(value, Value::Real(_)) {
                    return Err(wrong_kind(model, field, "an integer or a text"));
                }
                value.clone()
            }
            MergeKind::Set => {
                let shown = shown_value(field, state);
                let old = before.image.as_ref().and_then(|i| i.get(index.0)).or(shown.as_ref());
                let current = match state.field_as(name, MergeKind::Set) {
                    Some(merge::FieldState::Set(set)) => Some(set),
                    _ => None,
                };
                let operation = merge::diff(old.map_or("[]", array), array(value), current)
                    .map_err(|e| not_an_array(model, field, e))?;
                if operation.is_empty() {
                    return Ok(None);
                }
                operation.to_value()
            }
        };
        Ok(Some(FieldWrite { field: field.name.clone(), merge: field.merge, value }))
    }
}

/// A column that decides who owns rows. Columns of the key may change where they do not.
fn is_fixed(model: &Model, index: FieldIndex) -> bool {
    let key = model.key.iter().any(|part| part.field == Some(index));
    let owner = match &model.regime {
        Ownership::Device { path, .. } => path.first().is_some_and(|step| step.field == Some(index)),
        Ownership::Shared => false,
    };
    owner || (!key && model.field(index).is_some_and(|field| field.fixed))
}

fn wrong_kind(model: &Model, field: &Field, expected: &str) -> Error {
    let text =
        format!("{}.{} merges as {:?} and must hold {expected}", model.table, field.column, field.merge);
    Error::new(ErrorKind::Value, "commit", text)
}

/// The JSON array in a set's column.
fn array(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "[]",
    }
}

/// What the column of a field shows of a state: the merged value, a counter's sum clamped to the column's range. A
/// value that is no reference shows nothing where one belongs: it could be taken for a local key.
pub(crate) fn shown_value(field: &Field, state: &Record) -> Option<Value> {
    if field.merge == MergeKind::Counter {
        let sum = state.counter(field.name.as_str())?.sum();
        let (low, high) = (i128::from(field.range.0), i128::from(field.range.1));
        return Some(Value::Integer(i64::try_from(sum.clamp(low, high)).unwrap_or(field.range.1)));
    }
    state.value_as(field.name.as_str(), field.merge).filter(|value| fits(field, value.as_ref()))
}

/// Whether a value can stand in the column of a field. What an author of this version writes always does.
pub(crate) fn fits(field: &Field, value: ValueRef<'_>) -> bool {
    field.reference.is_none() || matches!(value, ValueRef::Null | ValueRef::Reference(_))
}

fn expand_groups(model: &Model, fields: &mut Vec<FieldIndex>) {
    let touched: Vec<usize> = fields.iter().filter_map(|f| model.field(*f).and_then(|f| f.group)).collect();
    fields.extend(touched.iter().filter_map(|g| model.groups.get(*g)).flatten().copied());
    fields.sort_unstable();
    fields.dedup();
}

/// Old values where merge needs them, the new ones elsewhere.
fn mixed_values(model: &Model, image: Option<&[Value]>, now: &[Value]) -> Vec<Value> {
    let fields = model.fields.iter().zip(now).enumerate();
    fields
        .map(|(n, (field, now))| match image.and_then(|image| image.get(n)) {
            Some(old) if field.merge != MergeKind::LastWriter => old.clone(),
            _ => now.clone(),
        })
        .collect()
}

/// The state before the transaction. Without a row the last-writer values are unknown, which only a delete that
/// wins can bear.
fn before_state(model: &Model, before: &Before, row: Option<&[Value]>) -> Result<Record> {
    let insert = before.stored.insert;
    let values = |n: usize| row.and_then(|row| row.get(n)).cloned().unwrap_or(Value::Null);
    let row = model.fields.iter().enumerate().map(|(n, f)| (f.name.clone(), f.merge, values(n)));
    match &before.stored.residue {
        None => Ok(Record::plain(insert, row)),
        Some(residue) => Record::from_residue(residue, insert, row).map_err(|error| {
            Error::new(
                ErrorKind::Storage,
                "versions",
                format!("the version of a row of \"{}\" is damaged; restore a backup", model.table),
            )
            .with_source(error)
        }),
    }
}
