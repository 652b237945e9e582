//! What the shadow knows of the records that a transaction touched.

use std::collections::HashMap;

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{hlc::Stamp, ids::RecordId, merge::Record, value::Value};

use super::touched::Touched;
use crate::{
    apply::load,
    catalog::Model,
    engine::local::Local,
    error::Result,
    store::{
        db::{blob, integer, marks, query, sqlite_row},
        origins::Origins,
        versions::{ShadowStatus, id},
    },
};

/// The states of these records that are in the shadow.
pub(super) async fn states(
    tx: &DatabaseTransaction,
    model: &Model,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, (ShadowStatus, Record)>> {
    load::shadow(tx, model.number, ids).await
}

/// Stamps of references to these records that do not resolve.
pub(super) async fn unresolved(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, Vec<Stamp>>> {
    let mut holders: HashMap<i64, Vec<RecordId>> = HashMap::new();
    for chunk in ids.chunks(400) {
        let text =
            format!("SELECT DISTINCT hm, hr FROM _sync_wants WHERE m = ? AND w IN ({})", marks(chunk.len()));
        let values =
            std::iter::once(Sql::BigInt(Some(model.number))).chain(chunk.iter().map(|r| id(*r))).collect();
        for row in query(tx, &text, values).await? {
            let row = sqlite_row(&row)?;
            if let Some(holder) = blob(row, 1)?.and_then(RecordId::from_slice) {
                holders.entry(integer(row, 0)?).or_default().push(holder);
            }
        }
    }
    let mut out: HashMap<RecordId, Vec<Stamp>> = HashMap::new();
    for (number, records) in holders {
        let Some((holder, _)) = local.numbered(number) else { continue };
        for (_, state) in load::shadow(tx, number, &records).await?.into_values() {
            let references =
                holder.fields.iter().filter(|f| f.reference.is_some_and(|r| r.target == model.index));
            for field in references {
                if let (Some(Value::Reference(target)), Some(version)) =
                    (state.value_as(field.name.as_str(), field.merge), state.version_of(field.name.as_str()))
                {
                    out.entry(target).or_default().push(version.stamp);
                }
            }
        }
    }
    Ok(out)
}

/// Stamps that references to these targets must be above.
pub(super) async fn target_stamps(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    model: &Model,
    touched: &[Touched],
) -> Result<HashMap<RecordId, Stamp>> {
    let mut out = HashMap::new();
    for (n, field) in model.fields.iter().enumerate() {
        let Some(reference) = field.reference else { continue };
        let mut targets: Vec<RecordId> = touched
            .iter()
            .filter_map(|t| t.after.as_ref().and_then(|after| after.values.get(n)))
            .filter_map(|value| if let Value::Reference(target) = value { Some(*target) } else { None })
            .collect();
        targets.sort_unstable();
        targets.dedup();
        for loaded in load::by_id(tx, local, origins, reference.target, &targets).await? {
            let stamp = sync_core::merge::reference_overwrites(&loaded.record);
            let entry = out.entry(loaded.id).or_insert(Stamp::ZERO);
            *entry = stamp.max(*entry);
        }
    }
    Ok(out)
}
