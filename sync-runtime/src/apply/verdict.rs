//! What the view makes of a record, and why.

use sync_core::ids::RecordId;

use crate::{
    catalog::{FieldIndex, ModelIndex},
    store::versions::ShadowStatus,
};

/// What the view makes of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Its row shows it; these references read NULL.
    Shown(Vec<FieldIndex>),
    /// Alive, but without a row.
    Hidden(Reason),
    /// Dead: deleted, or gone with what it belonged to.
    Dead,
    /// No insert is known.
    Waiting,
}

impl Verdict {
    /// Whether it has a row.
    pub(crate) fn is_shown(&self) -> bool {
        matches!(self, Self::Shown(_))
    }

    /// Where it stands in the shadow, if it does.
    pub(crate) fn shadow_status(&self) -> Option<ShadowStatus> {
        match self {
            Self::Shown(nulls) if nulls.is_empty() => None,
            Self::Shown(_) => Some(ShadowStatus::Altered),
            Self::Hidden(_) => Some(ShadowStatus::Hidden),
            Self::Dead => Some(ShadowStatus::Dead),
            Self::Waiting => Some(ShadowStatus::Waiting),
        }
    }
}

/// Why a record that is alive has no row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// A reference that must not be NULL leads to a record that is not known, hidden, or dead.
    Reference {
        /// The field.
        field: FieldIndex,
        /// The model that it refers to.
        target: ModelIndex,
        /// The record.
        record: RecordId,
        /// It is dead; else unknown or hidden.
        dead: bool,
    },
    /// Another record has the value of a unique index.
    Unique {
        /// Name of the index.
        index: String,
        /// Who has it.
        winner: RecordId,
    },
    /// It came as device-owned from a device that does not own it.
    NotOwner {
        /// The device at the end of the owner path.
        owner: RecordId,
    },
    /// A CHECK fails.
    Check {
        /// Its text.
        expression: String,
    },
}
