//! Rows that were there before their model was synced.

use sea_orm::{DatabaseTransaction, Value as Sql};

use super::local::Local;
use crate::{catalog::ModelIndex, error::Result, store::db::execute};

/// Notes every row without a version as inserted; the next drain takes it up. Returns how many.
pub(super) async fn note_rows(tx: &DatabaseTransaction, local: &Local, model: ModelIndex) -> Result<u64> {
    let Some((model, sql)) = local.model(model) else { return Ok(0) };
    let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
    let noted = (0..sql.key_columns).map(|n| format!("p.k{n} = a_key{n}")).collect::<Vec<_>>().join(" AND ");
    let named = model.key.iter().enumerate();
    let named = named
        .map(|(n, k)| format!("a.{} AS a_key{n}", crate::catalog::quote(&k.column)))
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!(
        "INSERT INTO _sync_pending (m, t, {keys}) SELECT ?1, 1, * FROM (
            SELECT {named} FROM {} WHERE NOT EXISTS (SELECT 1 FROM {} v WHERE {})) 
         WHERE NOT EXISTS (SELECT 1 FROM _sync_pending p WHERE p.m = ?1 AND {noted})",
        sql.table,
        model.versions_table(),
        sql.version_join,
    );
    Ok(execute(tx, &text, vec![Sql::BigInt(Some(model.number))]).await?.rows_affected())
}
