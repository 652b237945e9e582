//! Who owns a row that arrives as device-owned, as far as what is known tells.

use std::collections::{BTreeMap, HashMap};

use sea_orm::DatabaseTransaction;
use sync_core::{
    changeset::{Change, ChangeKind},
    ids::{DeviceId, RecordId, Seq},
    value::Value,
};

use crate::{
    apply::load,
    catalog::{Model, ModelIndex, Ownership},
    engine::local::Local,
    error::Result,
    store::origins::Origins,
};

/// Finds the device-owned rows among `changes` that belong to somebody other than `author`: their sequences, with
/// what is wrong. A row whose owner cannot be known yet is not among them; it is not shown before it can.
pub(super) async fn violations(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    author: DeviceId,
    changes: &[Change],
) -> Result<BTreeMap<Seq, String>> {
    let mut out = BTreeMap::new();
    let arriving: HashMap<(&str, RecordId), &Change> = changes
        .iter()
        .filter(|c| c.kind == ChangeKind::Insert)
        .map(|c| ((c.model.as_str(), c.record), c))
        .collect();
    for change in changes {
        let Some((model, _)) = local.named(&change.model) else { continue };
        let Ownership::Device { .. } = &model.regime else {
            out.insert(change.version.seq, format!("\"{}\" is shared, not device-owned", model.name));
            continue;
        };
        let stored = load::by_id(tx, local, origins, model.index, &[change.record]).await?;
        let holder =
            stored.first().filter(|l| l.owned).and_then(|l| l.record.insert()).map(|v| v.origin.device);
        if let Some(holder) = holder.filter(|holder| *holder != author) {
            out.insert(change.version.seq, format!("a row of \"{}\" belongs to device {holder}", model.name));
            continue;
        }
        if change.kind != ChangeKind::Insert {
            continue;
        }
        match owner(tx, local, origins, &arriving, model, change).await? {
            Owner::Device(device) if device != author => {
                out.insert(
                    change.version.seq,
                    format!("a row of \"{}\" belongs to device {device}", model.name),
                );
            }
            Owner::Nobody => {
                out.insert(change.version.seq, format!("a row of \"{}\" belongs to no device", model.name));
            }
            _ => {}
        }
    }
    Ok(out)
}

enum Owner {
    Device(DeviceId),
    Nobody,
    Unknown,
}

async fn owner(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    arriving: &HashMap<(&str, RecordId), &Change>,
    model: &Model,
    change: &Change,
) -> Result<Owner> {
    let Ownership::Device { path, .. } = &model.regime else { return Ok(Owner::Nobody) };
    let mut record = change.record;
    let mut values = values_of(change);
    for step in path {
        let value = match step.field.and_then(|f| local.catalog.model(step.model).and_then(|m| m.field(f))) {
            Some(field) => values.remove(field.name.as_str()).unwrap_or(Value::Null),
            // The record id column itself.
            None => Value::Reference(record),
        };
        let next = match value {
            Value::Null => return Ok(Owner::Nobody),
            Value::Reference(next) => next,
            Value::Blob(bytes) => match RecordId::from_slice(&bytes) {
                Some(id) => id,
                None => return Ok(Owner::Unknown),
            },
            Value::Text(text) => match text.parse() {
                Ok(id) => id,
                Err(_) => return Ok(Owner::Unknown),
            },
            _ => return Ok(Owner::Unknown),
        };
        record = next;
        let Some(target) = step.target else { break };
        match target_values(tx, local, origins, arriving, target, next).await? {
            Some(found) => values = found,
            // A device's record id is its device id; what it refers to need not be known.
            None if Some(step) == path.last() => break,
            None => return Ok(Owner::Unknown),
        }
    }
    Ok(Owner::Device(DeviceId::from_bytes(*record.as_bytes())))
}

type Values = HashMap<String, Value>;

fn values_of(change: &Change) -> Values {
    change.fields.iter().map(|f| (f.field.as_str().to_owned(), f.value.clone())).collect()
}

async fn target_values(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    arriving: &HashMap<(&str, RecordId), &Change>,
    model: ModelIndex,
    record: RecordId,
) -> Result<Option<Values>> {
    let Some((target, _)) = local.model(model) else { return Ok(None) };
    if let Some(change) = arriving.get(&(target.name.as_str(), record)) {
        return Ok(Some(values_of(change)));
    }
    let loaded = load::by_id(tx, local, origins, model, &[record]).await?;
    Ok(loaded.into_iter().next().filter(|l| l.record.insert().is_some()).map(|loaded| {
        let fields = target.fields.iter();
        fields
            .filter_map(|f| {
                Some((f.name.as_str().to_owned(), loaded.record.value_as(f.name.as_str(), f.merge)?))
            })
            .collect()
    }))
}
