//! Record ids that the application does not set: drawn where the column is NULL, derived from natural keys and
//! parents. Done before anything else is read, with the notes that this makes removed again.

use std::collections::HashSet;

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{ids::RecordId, value::Value};

use super::notes::BITS;
use crate::{
    catalog::{Derivation, FieldIndex, Model, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        batch::Batch,
        db::{cell, query, query_one, sqlite_row},
        key::Key,
        model_sql::ModelSql,
        rows,
        versions::id,
    },
};
use sync_core::value::ValueRef;

/// Fills the record ids of the touched rows of a model. `draw` gives a random id. Returns whether other models were
/// touched by it: rows that refer to a record whose id changed.
pub(super) async fn fill(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    sql: &ModelSql,
    draw: &(dyn Fn() -> RecordId + Send + Sync),
) -> Result<bool> {
    if model.identity == Derivation::Given && !model.id.nullable {
        return Ok(false);
    }
    let wrong = wrong_ids(tx, model, sql, draw).await?;
    if wrong.is_empty() {
        return Ok(false);
    }
    refuse_taken(tx, model, &wrong).await?;
    let noted = last_note(tx).await?;
    let kept = keys_with_images(tx, model, sql).await?;
    let matches =
        model.key.iter().map(|k| format!("{} = ?", quote(&k.column))).collect::<Vec<_>>().join(" AND ");
    let text = format!("UPDATE {} SET {} = ? WHERE {matches}", model.quoted(), quote(&model.id.column));
    let mut batch = Batch::default();
    for (key, _, wanted) in &wrong {
        batch.push(&text, std::iter::once(id(*wanted)).chain(key.to_sql()));
    }
    batch.push("DELETE FROM _sync_pending WHERE n > ?", [Sql::BigInt(Some(noted))]);
    if model.may_be_shared() {
        // The triggers kept rows as they were before their ids were right.
        let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
        let head = format!("DELETE FROM {} WHERE ({keys}) IN (", model.images_table());
        let fresh =
            wrong.iter().filter(|(key, ..)| !kept.contains(key)).map(|(key, ..)| key.to_sql()).collect();
        batch.push_rows(tx, &head, sql.key_columns, ")", fresh).await?;
    }
    batch.flush(tx).await?;
    let moved: Vec<Sql> = wrong
        .iter()
        .filter(|(_, current, _)| current.is_some())
        .filter_map(|(key, ..)| key.to_sql().into_iter().next())
        .collect();
    note_referrers(tx, local, model, moved).await
}

/// Rows whose id is not the one that it should be: key, present id, wanted id.
async fn wrong_ids(
    tx: &DatabaseTransaction,
    model: &Model,
    sql: &ModelSql,
    draw: &(dyn Fn() -> RecordId + Send + Sync),
) -> Result<Vec<(Key, Option<RecordId>, RecordId)>> {
    let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
    let condition = if model.identity == Derivation::Given {
        format!("AND a.{} IS NULL", quote(&model.id.column))
    } else {
        String::new()
    };
    let text = format!(
        "SELECT {}, {} FROM (SELECT DISTINCT {keys} FROM _sync_pending WHERE m = ?) p CROSS JOIN {}{}
         WHERE {} {condition}",
        sql.keys, sql.wire, sql.table, sql.joins, sql.pending_join
    );
    let mut out = Vec::new();
    for row in query(tx, &text, vec![Sql::BigInt(Some(model.number))]).await? {
        let row = sqlite_row(&row)?;
        let key = Key::read(row, 0, sql.key_columns)?;
        let current = match cell(row, sql.key_columns)? {
            ValueRef::Null => None,
            _ => Some(rows::record_id(model, row, sql.key_columns)?),
        };
        let wanted = match &model.identity {
            Derivation::Given => draw(),
            Derivation::Fields(fields) => derived(model, fields, &rows::values(model, row, sql.key_columns)?),
        };
        if current != Some(wanted) {
            out.push((key, current, wanted));
        }
    }
    Ok(out)
}

async fn keys_with_images(tx: &DatabaseTransaction, model: &Model, sql: &ModelSql) -> Result<HashSet<Key>> {
    if !model.may_be_shared() {
        return Ok(HashSet::new());
    }
    let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
    let text = format!("SELECT {keys} FROM {}", model.images_table());
    let rows = query(tx, &text, vec![]).await?;
    rows.iter().map(|row| Key::read(sqlite_row(row)?, 0, sql.key_columns)).collect()
}

/// Notes the rows that refer to these by local key: their references are written anew.
async fn note_referrers(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    keys: Vec<Sql>,
) -> Result<bool> {
    let mut noted = false;
    for (child, field) in &model.referrers {
        let Some((child, _)) = local.model(*child) else { continue };
        let Some(column) = child.field(*field).filter(|f| f.reference.is_some_and(|r| !r.by_id)) else {
            continue;
        };
        let own_keys = child.key.iter().map(|k| quote(&k.column)).collect::<Vec<_>>().join(", ");
        let names = (0..child.key.len()).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
        for chunk in keys.chunks(400) {
            let text = format!(
                "INSERT INTO _sync_pending (m, t, {names}, r, w{}) SELECT ?, 2, {own_keys}, {}, ? FROM {}
                 WHERE {} IN ({})",
                field.0 / BITS,
                quote(&child.id.column),
                child.quoted(),
                quote(&column.column),
                crate::store::db::marks(chunk.len())
            );
            let values = [Sql::BigInt(Some(child.number)), Sql::BigInt(Some(1 << (field.0 % BITS)))];
            let values = values.into_iter().chain(chunk.iter().cloned()).collect();
            noted |= crate::store::db::execute(tx, &text, values).await?.rows_affected() > 0;
        }
    }
    Ok(noted)
}

/// The id that these fields give.
pub(crate) fn derived(model: &Model, fields: &[FieldIndex], values: &[Value]) -> RecordId {
    let parts = fields.iter().filter_map(|field| values.get(field.0));
    RecordId::derived(model.name.as_str(), parts)
}

async fn last_note(tx: &DatabaseTransaction) -> Result<i64> {
    let row = query_one(tx, "SELECT coalesce(max(n), 0) FROM _sync_pending", vec![]).await?;
    match &row {
        Some(row) => crate::store::db::integer(sqlite_row(row)?, 0),
        None => Ok(0),
    }
}

async fn refuse_taken(
    tx: &DatabaseTransaction,
    model: &Model,
    wrong: &[(Key, Option<RecordId>, RecordId)],
) -> Result<()> {
    let wanted: HashSet<RecordId> = wrong.iter().map(|(.., wanted)| *wanted).collect();
    let leaving: HashSet<RecordId> = wrong.iter().filter_map(|(_, current, _)| *current).collect();
    let mut taken = wanted.len() != wrong.len();
    for chunk in wrong.chunks(400) {
        let column = quote(&model.id.column);
        let marks = crate::store::db::marks(chunk.len());
        let text = format!("SELECT {column} FROM {} WHERE {column} IN ({marks})", model.quoted());
        for row in query(tx, &text, chunk.iter().map(|(.., wanted)| id(*wanted)).collect()).await? {
            taken |= !leaving.contains(&rows::record_id(model, sqlite_row(&row)?, 0)?);
        }
    }
    if !taken {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Value,
        "commit",
        format!(
            "\"{}\" already has a row with this natural key; change that row instead of writing a second one",
            model.table
        ),
    ))
}
