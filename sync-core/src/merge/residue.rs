//! The compact form of a state beside its row: the row has the values, and an ordinary record's versions all are
//! its insert's. A residue holds what does not follow from these two.

use super::{
    codec::{self, FieldKey, Place, RecordError},
    counter::{Amount, Counter},
    field::FieldState,
    record::{Field, Record},
    register::{Extreme, Register},
    set::{SetOperation, SetState},
};
use crate::{
    changeset::{Name, Version},
    value::{MergeKind, Value},
};

/// The state of a field that only the insert wrote, from the row's value: a counter's is its base, a set's its
/// JSON array. `None` when the value is not one of that kind.
fn inserted(kind: MergeKind, value: Value, version: Version) -> Option<FieldState> {
    let extreme = |value| Extreme { epoch: None, version, value };
    Some(match (kind, value) {
        (MergeKind::LastWriter, value) => FieldState::Last(Register { version, value }),
        (MergeKind::Max, value) => FieldState::Max(extreme(value)),
        (MergeKind::Min, value) => FieldState::Min(extreme(value)),
        (MergeKind::Counter, Value::Integer(amount)) => {
            FieldState::Counter(Counter { base: Some(Amount { version, amount }), ..Counter::default() })
        }
        (MergeKind::Set, Value::Text(array)) => {
            FieldState::Set(SetState::operated(&SetOperation::of_array(&array).ok()?, version, None))
        }
        (MergeKind::Counter | MergeKind::Set, _) => return None,
    })
}

/// Whether a field is as `version`'s insert left it, of a record that was never deleted before.
fn is_inserted(state: &FieldState, version: Version) -> bool {
    if state.epoch().is_some() {
        return false;
    }
    match state {
        FieldState::Last(register) => register.version == version,
        FieldState::Max(extreme) | FieldState::Min(extreme) => extreme.version == version,
        FieldState::Counter(counter) => {
            counter.shares.is_empty() && counter.base.is_some_and(|base| base.version == version)
        }
        FieldState::Set(set) => {
            let mut plain = set.latest == version;
            set.for_each_entry(|_, dot, presence| {
                plain &= presence == super::Presence::Added(version.stamp) && dot == version.into();
            });
            plain
        }
    }
}

impl Record {
    /// A record that has just been inserted. A counter's value is its base, a set's the JSON array; a value that
    /// is not one of its kind makes no field.
    pub fn plain(version: Version, fields: impl IntoIterator<Item = (Name, MergeKind, Value)>) -> Self {
        let mut record = Self { insert: Some(version), ..Self::default() };
        let fields = fields.into_iter();
        record.fields.reserve_exact(fields.size_hint().0);
        for (name, kind, value) in fields {
            let (Err(at), Some(state)) =
                (record.position(name.as_str(), kind), inserted(kind, value, version))
            else {
                continue;
            };
            record.fields.insert(at, Field { name, state });
        }
        record
    }

    /// Whether it is what [`Self::plain`] makes: nothing but an insert. Only for a record all of whose fields are
    /// columns of the row and stand there as they are.
    pub fn is_plain(&self) -> bool {
        let Some(version) = self.insert else { return false };
        self.delete.is_none()
            && self.over.is_none()
            && self.fields.iter().all(|field| is_inserted(&field.state, version))
    }

    /// [`Self::is_plain`] beside a row that has the columns `row` and shows each as it is in the state. Columns
    /// that show something else (a hidden reference, a clamped sum) must not be among them.
    pub fn is_plain_beside(&self, row: &[(Name, MergeKind)]) -> bool {
        self.is_plain()
            && self.fields.len() == row.len()
            && row.iter().all(|(name, kind)| self.field_as(name.as_str(), *kind).is_some())
    }

    /// All that [`Self::from_residue`] cannot take from a row that has every field. Only a record with an insert has
    /// a row.
    pub fn residue(&self) -> Vec<u8> {
        codec::encode(self, |field| self.place(field), Some(&[]))
    }

    /// All that [`Self::from_residue`] cannot take from a row with the columns `row`, each of which shows the
    /// value that is in the state; values of other fields go into the residue.
    pub fn residue_beside(&self, row: &[(Name, MergeKind)]) -> Vec<u8> {
        let is_column =
            |field: &Field| row.iter().any(|(name, kind)| *name == field.name && *kind == field.state.kind());
        let absent: Vec<FieldKey> = row
            .iter()
            .filter(|(name, kind)| self.field_as(name.as_str(), *kind).is_none())
            .cloned()
            .collect();
        let place = |field: &Field| if is_column(field) { self.place(field) } else { Place::State };
        codec::encode(self, place, Some(&absent))
    }

    fn place(&self, field: &Field) -> Place {
        match &field.state {
            state if self.insert.is_some_and(|version| is_inserted(state, version)) => Place::Nowhere,
            FieldState::Last(_) | FieldState::Max(_) | FieldState::Min(_) => Place::Row,
            FieldState::Counter(_) | FieldState::Set(_) => Place::State,
        }
    }

    /// The state again, from its residue, the insert's version and the row. Columns beyond those that the residue
    /// was made for must not be in `row`.
    pub fn from_residue(
        residue: &[u8],
        insert: Version,
        row: impl IntoIterator<Item = (Name, MergeKind, Value)>,
    ) -> Result<Self, RecordError> {
        let codec::Partial { mut record, residue, mut in_row, absent } = codec::decode(residue)?;
        if !residue {
            return Err(RecordError::Malformed("a whole state in place of a residue"));
        }
        record.insert = Some(insert);
        for (name, kind, value) in row {
            if absent.iter().any(|(other, k)| *other == name && *k == kind) {
                continue;
            }
            match record.position(name.as_str(), kind) {
                Err(at) => {
                    let state = inserted(kind, value, insert)
                        .ok_or(RecordError::Malformed("the row's value is not one of its merge kind"))?;
                    record.fields.insert(at, Field { name, state });
                }
                Ok(at) => {
                    let Some(listed) = in_row.iter().position(|(other, k)| *other == name && *k == kind)
                    else {
                        continue;
                    };
                    in_row.swap_remove(listed);
                    match record.fields.get_mut(at).map(|field| &mut field.state) {
                        Some(FieldState::Last(register)) => register.value = value,
                        Some(FieldState::Max(extreme) | FieldState::Min(extreme)) => extreme.value = value,
                        _ => {}
                    }
                }
            }
        }
        if in_row.is_empty() { Ok(record) } else { Err(RecordError::Malformed("the row lacks a value")) }
    }
}
