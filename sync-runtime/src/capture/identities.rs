//! Record ids that the application does not set: drawn where the column is NULL, derived from natural keys and
//! parents. Done before anything else is read, with the notes that this makes removed again.

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{ids::RecordId, value::Value};

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

/// Fills the record ids of the touched rows of a model. `draw` gives a random id.
pub(super) async fn fill(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    sql: &ModelSql,
    draw: &(dyn Fn() -> RecordId + Send + Sync),
) -> Result<()> {
    if model.identity == Derivation::Given && !model.id.nullable {
        return Ok(());
    }
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
    let mut batch = Batch::default();
    let mut changed = false;
    let last_note = last_note(tx).await?;
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
        if current == Some(wanted) {
            continue;
        }
        refuse_taken(tx, local, model, wanted).await?;
        let matches =
            model.key.iter().map(|k| format!("{} = ?", quote(&k.column))).collect::<Vec<_>>().join(" AND ");
        let text = format!("UPDATE {} SET {} = ? WHERE {matches}", model.quoted(), quote(&model.id.column));
        batch.push(&text, std::iter::once(id(wanted)).chain(key.to_sql()));
        batch.flush(tx).await?;
        changed = true;
    }
    if changed {
        let values = vec![Sql::BigInt(Some(last_note))];
        crate::store::db::execute(tx, "DELETE FROM _sync_pending WHERE n > ?", values).await?;
    }
    Ok(())
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
    _local: &Local,
    model: &Model,
    wanted: RecordId,
) -> Result<()> {
    let text = format!("SELECT 1 FROM {} WHERE {} = ?", model.quoted(), quote(&model.id.column));
    match query_one(tx, &text, vec![id(wanted)]).await? {
        None => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Value,
            "commit",
            format!(
                "\"{}\" already has a row with this natural key (record {wanted}); change that row instead of \
                 writing a second one",
                model.table
            ),
        )),
    }
}
