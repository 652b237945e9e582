//! A record as it is stored against a record as its changesets make it.

use std::collections::BTreeMap;

use sea_orm::DatabaseTransaction;
use sync_core::{hlc::Stamp, ids::RecordId, merge::Record, value::Value};

use super::{
    history::States,
    report::{Audit, Finding},
};
use crate::{
    apply::{
        context::Place,
        load::{self, Loaded, Standing},
    },
    capture::shown_value,
    catalog::{Field, Model, ModelIndex},
    engine::local::Local,
    error::Result,
    store::origins::Origins,
};

/// Records that are loaded together.
const CHUNK: usize = 2_000;

/// Compares all of `states` with what is stored. Returns those that differ, as they should be.
pub(super) async fn compare(
    tx: &DatabaseTransaction,
    local: &Local,
    states: States,
    audit: &mut Audit,
) -> Result<Vec<(Place, Record)>> {
    let origins = Origins::load(tx).await?;
    let mut by_model: BTreeMap<ModelIndex, BTreeMap<RecordId, Record>> = BTreeMap::new();
    for ((model, record), state) in states {
        by_model.entry(model).or_default().insert(record, state);
    }
    let mut wrong = Vec::new();
    for (index, mut expected) in by_model {
        let Some((model, _)) = local.model(index) else { continue };
        for state in expected.values_mut() {
            state.drop_void(model.delete);
        }
        let ids: Vec<RecordId> = expected.keys().copied().collect();
        for chunk in ids.chunks(CHUNK) {
            for loaded in load::by_id(tx, local, &origins, index, chunk).await? {
                let Some(state) = expected.get(&loaded.id) else { continue };
                audit.records += 1;
                if let Some(finding) = difference(model, state, loaded) {
                    audit.add(finding.0);
                    wrong.push(((index, finding.1), state.clone()));
                }
            }
        }
    }
    Ok(wrong)
}

fn difference(model: &Model, expected: &Record, mut loaded: Loaded) -> Option<(Finding, RecordId)> {
    // What its owner wrote is not in the log.
    if loaded.owned && loaded.standing != Standing::Absent {
        return None;
    }
    loaded.record.drop_void(model.delete);
    let (name, record) = (model.name.clone(), loaded.id);
    let finding = match loaded.standing {
        Standing::Absent if expected.is_alive(model.delete) && expected.insert().is_some() => {
            Finding::Missing { model: name, record }
        }
        Standing::Shown if !expected.is_alive(model.delete) => Finding::Lingers { model: name, record },
        Standing::Shown => {
            let columns = columns(model, expected, &loaded);
            if columns.is_empty() {
                return None;
            }
            Finding::Differs { model: name, record, columns }
        }
        Standing::Shadow(_)
            if marks(expected) == marks(&loaded.record) && columns(model, expected, &loaded).is_empty() =>
        {
            return None;
        }
        Standing::Absent | Standing::Shadow(_) => Finding::Misremembered { model: name, record },
    };
    Some((finding, record))
}

/// Stamps of insert and delete.
fn marks(record: &Record) -> (Option<Stamp>, Option<Stamp>) {
    (record.insert().map(|insert| insert.stamp), record.delete_stamp())
}

/// Columns whose value or stamp differs, in what is kept or in the row itself.
fn columns(model: &Model, expected: &Record, loaded: &Loaded) -> Vec<String> {
    let stamp = |record: &Record, name: &str| record.version_of(name).map(|version| version.stamp);
    let row = loaded.row.as_ref().filter(|_| loaded.standing == Standing::Shown);
    let differs = |(n, field): &(usize, &Field)| {
        let name = field.name.as_str();
        let value = shown_value(field, expected);
        value != shown_value(field, &loaded.record)
            || stamp(expected, name) != stamp(&loaded.record, name)
            || row.is_some_and(|row| row.values.get(*n) != Some(value.as_ref().unwrap_or(&Value::Null)))
    };
    model.fields.iter().enumerate().filter(differs).map(|(_, field)| field.column.clone()).collect()
}
