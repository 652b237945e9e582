//! From wire values to the values of a row of this database: references become local keys.

use sea_orm::Value as Sql;
use sync_core::{merge::Record, value::Value};

use super::context::{Focus, Place};
use crate::{
    capture::shown_value,
    catalog::{FieldIndex, Model, quote},
    store::{db::bind, key::Key},
};

/// The values of a row's fields as this database stores them.
#[derive(Clone, Debug)]
pub(super) struct LocalValues(Vec<Value>);

impl LocalValues {
    /// Of wire values; references to records without a row become NULL.
    pub(super) fn of(focus: &Focus, model: &Model, wire: &[Value]) -> Self {
        let local = model.fields.iter().zip(wire).map(|(field, value)| match (field.reference, value) {
            (Some(reference), Value::Reference(target)) if reference.by_id => {
                Value::Blob(target.as_bytes().to_vec())
            }
            (Some(reference), Value::Reference(target)) => key_of(focus, (reference.target, *target)),
            (_, value) => value.clone(),
        });
        Self(local.collect())
    }

    /// With some key where `wire` refers to a row that has none yet, to evaluate conditions over. One target has one
    /// key and no other target has it, as it will be in the table: `CHECK (parent_id <> child_id)` must not fail
    /// because both parents came in the same batch.
    pub(super) fn with_placeholders(&self, wire: &[Value]) -> Self {
        let key = |target: &Value| {
            let first = wire.iter().position(|other| other == target).unwrap_or_default();
            Value::Integer(i64::MAX - i64::try_from(first).unwrap_or_default())
        };
        let values = self.0.iter().zip(wire).map(|(local, wire)| match (local, wire) {
            (Value::Null, Value::Reference(_)) => key(wire),
            (local, _) => local.clone(),
        });
        Self(values.collect())
    }

    /// A field's value.
    pub(super) fn get(&self, field: usize) -> Option<&Value> {
        self.0.get(field)
    }

    /// All values, in order of fields.
    pub(super) fn all(&self) -> &[Value] {
        &self.0
    }

    /// `SELECT ? AS "a", ? AS "b"` with its values: a row to evaluate expressions over, generated columns included.
    pub(super) fn as_row(&self, model: &Model) -> (String, Vec<Sql>) {
        let columns = model.fields.iter().map(|f| format!("? AS {}", quote(&f.column))).collect::<Vec<_>>();
        let mut source = format!("SELECT {}", columns.join(", "));
        for (column, expression) in &model.generated {
            source = format!("SELECT *, ({expression}) AS {} FROM ({source})", quote(column));
        }
        (source, self.0.iter().map(|v| bind(v.as_ref())).collect())
    }
}

fn key_of(focus: &Focus, target: Place) -> Value {
    match focus.entries.get(&target).and_then(|entry| entry.loaded.row.as_ref()).map(|row| &row.key) {
        Some(Key::Integer(key)) => Value::Integer(*key),
        Some(Key::Columns(values)) => values.first().cloned().unwrap_or(Value::Null),
        None => Value::Null,
    }
}

/// What the row of a state shows, in wire form; `nulls` read NULL.
pub(super) fn shown_values(model: &Model, record: &Record, nulls: &[FieldIndex]) -> Vec<Value> {
    let fields = model.fields.iter().enumerate();
    fields
        .map(|(n, field)| {
            if nulls.contains(&FieldIndex(n)) {
                Value::Null
            } else {
                shown_value(field, record).unwrap_or(Value::Null)
            }
        })
        .collect()
}
