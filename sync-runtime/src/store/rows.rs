//! Rows of the application's tables in wire form, column by column, without an allocation per value.

use sea_orm::QueryResult;
use sqlx::sqlite::SqliteRow;
use sync_core::{
    changeset::{ChangeKind, Section},
    ids::{DeviceId, RecordId},
    merge::{InvalidJson, SetOperation},
    value::{MergeKind, Value, ValueRef},
};

use super::db::{cell, sqlite_row};
use crate::{
    catalog::{Field, Model, OwnerStep, Ownership},
    error::{Error, ErrorKind, Result},
};

/// An empty section of whole rows of a model.
pub(crate) fn row_section(model: &Model) -> Section {
    let fields = model.fields.iter().map(|f| (f.name.clone(), f.merge));
    Section::new(model.name.clone(), ChangeKind::Insert, fields)
}

/// Appends rows that were read as `ModelSql::wire` to a section made by [`row_section`].
pub(crate) fn append(section: &mut Section, model: &Model, rows: &[QueryResult]) -> Result<()> {
    for row in rows {
        let row = sqlite_row(row)?;
        section.records.push(record_id(model, row, 0)?);
        for ((n, column), field) in section.columns.iter_mut().enumerate().zip(&model.fields) {
            let value = cell(row, n + 1)?;
            if field.merge == MergeKind::Set {
                column.cells.push(inserted_set(model, field, value)?.as_ref());
            } else {
                column.cells.push(wire_value(field, value, model)?);
            }
        }
    }
    Ok(())
}

/// Whether all rows of a section name `device` as their owner; `None` where the rows alone do not tell.
pub(crate) fn all_owned_by(section: &Section, model: &Model, device: DeviceId) -> Option<bool> {
    let Ownership::Device { path, .. } = &model.regime else { return None };
    let [OwnerStep { field: Some(field), target: None, .. }] = path.as_slice() else { return None };
    let name = &model.field(*field)?.name;
    let column = section.columns.iter().find(|column| column.field == *name)?;
    let own = |value| matches!(value, ValueRef::Blob(bytes) if bytes == device.as_bytes());
    Some(column.cells.iter().all(own))
}

/// The operation that an insert with this array stands for.
fn inserted_set(model: &Model, field: &Field, value: ValueRef<'_>) -> Result<Value> {
    let array = match value {
        ValueRef::Text(text) => text,
        _ => "[]",
    };
    let operation = SetOperation::of_array(array).map_err(|error| not_an_array(model, field, error))?;
    Ok(operation.to_value())
}

/// The column of a set does not hold a JSON array.
pub(crate) fn not_an_array(model: &Model, field: &Field, error: InvalidJson) -> Error {
    Error::new(
        ErrorKind::Value,
        "set",
        format!("{}.{} merges as a set and must hold a JSON array", model.table, field.column),
    )
    .with_source(error)
}

/// The record id in a column.
pub(crate) fn record_id(model: &Model, row: &SqliteRow, index: usize) -> Result<RecordId> {
    match cell(row, index)? {
        ValueRef::Blob(bytes) => RecordId::from_slice(bytes),
        ValueRef::Text(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| {
        Error::new(
            ErrorKind::Value,
            "record id",
            format!("{}.{} holds something that is not a UUID; set it to one", model.table, model.id.column),
        )
    })
}

/// A column's value in wire form.
pub(crate) fn wire_value<'a>(field: &Field, value: ValueRef<'a>, model: &Model) -> Result<ValueRef<'a>> {
    if field.reference.is_none() {
        return Ok(value);
    }
    match value {
        ValueRef::Null => return Ok(ValueRef::Null),
        ValueRef::Blob(bytes) => RecordId::from_slice(bytes).map(ValueRef::Reference),
        ValueRef::Text(text) => text.parse().ok().map(ValueRef::Reference),
        _ => None,
    }
    .ok_or_else(|| {
        Error::new(
            ErrorKind::Value,
            "reference",
            format!("{}.{} refers to a row whose record id is not a UUID", model.table, field.column),
        )
    })
}

/// All fields of a row that was read as `ModelSql::wire` from column `first` (the record id) on.
pub(crate) fn values(model: &Model, row: &SqliteRow, first: usize) -> Result<Vec<Value>> {
    model
        .fields
        .iter()
        .enumerate()
        .map(|(n, field)| wire_value(field, cell(row, first + 1 + n)?, model).map(ValueRef::to_value))
        .collect()
}
