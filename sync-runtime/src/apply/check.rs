//! CHECK: evaluated by the database over the row that would be shown.

use sea_orm::DatabaseTransaction;
use sync_core::value::Value;

use super::rows::LocalValues;
use crate::{
    catalog::Model,
    error::Result,
    store::db::{integer, query_one, sqlite_row},
};

/// The first CHECK that a row with these values fails; `present` has a key for every reference that is set.
pub(super) async fn failing(
    tx: &DatabaseTransaction,
    model: &Model,
    present: &LocalValues,
    wire: &[Value],
) -> Result<Option<String>> {
    if let Some((field, _)) = model.fields.iter().zip(wire).find(|(f, v)| !f.nullable && **v == Value::Null) {
        // Written by a version of the program that did not have the column yet.
        return Ok(Some(format!("{} NOT NULL", field.column)));
    }
    if model.checks.is_empty() {
        return Ok(None);
    }
    let (source, binds) = present.as_row(model);
    let checks = model.checks.iter().map(|check| format!("coalesce(({check}), 1) <> 0"));
    let text = format!("SELECT {} FROM ({source})", checks.collect::<Vec<_>>().join(", "));
    let Some(row) = query_one(tx, &text, binds).await? else { return Ok(None) };
    let row = sqlite_row(&row)?;
    for (n, check) in model.checks.iter().enumerate() {
        if integer(row, n)? == 0 {
            return Ok(Some(check.clone()));
        }
    }
    Ok(None)
}
