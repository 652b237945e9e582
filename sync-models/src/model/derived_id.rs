//! Record ids that follow from others: the same rule as the engine's, so that a row carries its final id from
//! the moment it is made.

use sea_orm::prelude::Uuid;
use sync_core::{ids::RecordId, value::Value};

/// The record id of the junction row of `model` between these parents, given by their record ids.
pub(crate) fn of_parents(model: &str, parents: &[Uuid]) -> Uuid {
    let references: Vec<Value> =
        parents.iter().map(|id| Value::Reference(RecordId::from_bytes(*id.as_bytes()))).collect();
    Uuid::from_bytes(*RecordId::derived(model, &references).as_bytes())
}

/// The record id of the row of `model` with this binary natural key.
pub(crate) fn of_bytes(model: &str, key: &[u8]) -> Uuid {
    Uuid::from_bytes(*RecordId::derived(model, &[Value::Blob(key.to_owned())]).as_bytes())
}
