//! Whether a change can be merged at all. The answer depends on the change alone, so all members agree on it.

use super::set::SetOperation;
use crate::{
    changeset::{Change, ChangeKind, Name},
    hlc::Stamp,
    value::{MergeKind, Value},
};

/// A change that no correct author writes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidChange {
    /// A stamp before 2020 or from 2200 on.
    #[error("a stamp outside 2020 to 2200: {0:?}")]
    Stamp(Stamp),
    /// A value that its merge kind does not have.
    #[error("field {field}: a value that cannot merge as {merge:?}")]
    Value {
        /// The field.
        field: Name,
        /// How it claims to merge.
        merge: MergeKind,
    },
    /// A field twice.
    #[error("field {0} is written twice")]
    Doubled(Name),
    /// A delete with values, or an insert that is not above what it declares dead.
    #[error("{0}")]
    Shape(&'static str),
}

/// Checks one change before it is merged.
pub fn check(change: &Change) -> Result<(), InvalidChange> {
    let stamps = [Some(change.version.stamp), change.over, change.seen_delete];
    if let Some(stamp) = stamps.into_iter().flatten().find(|stamp| !stamp.hlc.is_valid()) {
        return Err(InvalidChange::Stamp(stamp));
    }
    match change.kind {
        ChangeKind::Delete if !change.fields.is_empty() => {
            return Err(InvalidChange::Shape("a delete with values"));
        }
        ChangeKind::Insert if change.over >= Some(change.version.stamp) => {
            return Err(InvalidChange::Shape("an insert that is not above what it declares dead"));
        }
        ChangeKind::Write | ChangeKind::Delete if change.over.is_some() => {
            return Err(InvalidChange::Shape("only an insert declares anything dead"));
        }
        _ => {}
    }
    for (at, write) in change.fields.iter().enumerate() {
        let fits = match write.merge {
            MergeKind::LastWriter => true,
            MergeKind::Counter => matches!(write.value, Value::Integer(_)),
            MergeKind::Max | MergeKind::Min => !matches!(write.value, Value::Real(_)),
            MergeKind::Set => SetOperation::from_value(&write.value).is_some(),
        };
        if !fits {
            return Err(InvalidChange::Value { field: write.field.clone(), merge: write.merge });
        }
        let before = change.fields.get(..at).unwrap_or_default();
        if before.iter().any(|other| other.field == write.field && other.merge == write.merge) {
            return Err(InvalidChange::Doubled(write.field.clone()));
        }
    }
    Ok(())
}
