//! What `sync-core` made of the same writes, read in the form of the reference. Reads and compares, merges nothing.

use std::collections::BTreeMap;

use sync_core::{
    hlc::Stamp,
    merge::{DeletePolicy, FieldState, Record},
    value::MergeKind,
};

use super::{
    merged::{Merged, MergedRecord, MergedValue, Place},
    schema::{Delete, Model, Schema},
};

/// All records, as the reference would write them down.
pub fn observed<'a>(schema: &Schema, records: impl IntoIterator<Item = (Place, &'a Record)>) -> Merged {
    let mut out = BTreeMap::new();
    for (place, record) in records {
        if let Some(model) = schema.model(place.0.as_str()) {
            out.insert(place, observed_record(model, record));
        }
    }
    Merged { records: out }
}

/// One record of a model, as the reference would write it down.
pub fn observed_record(model: &Model, record: &Record) -> MergedRecord {
    let policy = match model.delete {
        Delete::Wins => DeletePolicy::Wins,
        Delete::Loses => DeletePolicy::Loses,
    };
    let delete = record.delete_stamp();
    let mut values = BTreeMap::new();
    for field in &model.fields {
        let Some(state) = record.field_as(field.name.as_str(), field.kind) else { continue };
        let stamp = highest(state);
        // A state may keep void values or have dropped them: both are the same state.
        if model.delete == Delete::Wins && field.kind == MergeKind::LastWriter && Some(stamp) <= delete {
            continue;
        }
        values.insert(field.name.clone(), MergedValue { value: state.value(), stamp });
    }
    let insert = record.insert().map(|version| version.stamp);
    MergedRecord { insert, delete, alive: record.is_alive(policy), values }
}

fn highest(state: &FieldState) -> Stamp {
    state.version().map_or(Stamp::ZERO, |version| version.stamp)
}
