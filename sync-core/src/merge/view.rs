//! The rules of the view (docs/merge.md, V) that need nothing but merged states.

use std::cmp::Ordering;

use super::record::{DeletePolicy, Record};
use crate::{hlc::Stamp, ids::RecordId};

/// What a reference leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// A record that lives and lived when the reference was written.
    Resolves,
    /// A record that is dead, or one that died after the reference was written and was inserted again: a
    /// re-insert does not bring old children back.
    Dead,
    /// A record of which no insert and no delete is known yet.
    Unknown,
}

/// What a reference with that stamp leads to.
pub fn resolution(reference: Stamp, target: Option<&Record>, policy: DeletePolicy) -> Resolution {
    let Some(target) = target else { return Resolution::Unknown };
    let delete = target.delete_stamp();
    if target.insert().is_none() && delete.is_none() {
        Resolution::Unknown
    } else if target.is_alive(policy) && Some(reference) > delete {
        Resolution::Resolves
    } else {
        Resolution::Dead
    }
}

/// Whether a reference with that stamp resolves.
pub fn resolves(reference: Stamp, target: Option<&Record>, policy: DeletePolicy) -> bool {
    resolution(reference, target, policy) == Resolution::Resolves
}

/// Whether a nullable reference reads NULL: unless it resolves and its target is shown.
pub fn reads_null(resolution: Resolution, target_shown: bool) -> bool {
    resolution != Resolution::Resolves || !target_shown
}

/// The order in which records claim UNIQUE values: the older insert first, the id between equal stamps.
pub fn claim_order(a: (Stamp, RecordId), b: (Stamp, RecordId)) -> Ordering {
    a.cmp(&b)
}
