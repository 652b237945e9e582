//! The audit: what SQLite says of its file, what the tables lack of the versions and the reverse, and every shared
//! record against its changesets.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{authorship::DeviceKey, ids::RecordId};

use super::{
    compare::compare,
    history::{self, Pass},
    report::{Audit, Finding},
};
use crate::{
    apply::{context::Place, settle},
    catalog::Model,
    engine::local::Local,
    error::Result,
    store::{
        db::{blob, integer, query, query_one, sqlite_row},
        model_sql::ModelSql,
        versions::ShadowStatus,
    },
};

/// Audits one snapshot.
pub(crate) async fn audit(tx: &DatabaseTransaction, local: &Local, key: &DeviceKey) -> Result<Audit> {
    let mut audit = Audit::default();
    damage(tx, &mut audit).await?;
    for (model, sql) in local.catalog.models.iter().zip(local.sql.iter()) {
        let rows = unnoticed(tx, model, sql).await?;
        if rows > 0 {
            audit.add(Finding::Unnoticed { model: model.name.clone(), rows });
        }
    }
    for pass in Pass::all(history::shared_changes(tx).await?) {
        let states = history::read(tx, local, key, pass, &mut audit).await?;
        compare(tx, local, states, &mut audit).await?;
    }
    for (place, reason) in settle::reasons(tx, local, hidden(tx, local).await?).await? {
        if let (None, Some((model, _))) = (reason, local.model(place.0)) {
            audit.add(Finding::HiddenForNothing { model: model.name.clone(), record: place.1 });
        }
    }
    Ok(audit)
}

/// What SQLite itself says of the file and of its foreign keys.
async fn damage(tx: &DatabaseTransaction, audit: &mut Audit) -> Result<()> {
    for row in query(tx, "PRAGMA quick_check(100)", vec![]).await? {
        let detail: String = row.try_get_by_index(0)?;
        if detail != "ok" {
            audit.add(Finding::Damaged { detail });
        }
    }
    let sql = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY \"table\"";
    for row in query(tx, sql, vec![]).await? {
        let rows = integer(sqlite_row(&row)?, 1)?.cast_unsigned();
        audit.add(Finding::Dangling { table: row.try_get_by_index(0)?, rows });
    }
    Ok(())
}

/// Rows without a version that no note speaks of.
async fn unnoticed(tx: &DatabaseTransaction, model: &Model, sql: &ModelSql) -> Result<u64> {
    let text = format!(
        "SELECT count(*) FROM {} WHERE NOT EXISTS (SELECT 1 FROM {} v WHERE {})
         AND NOT EXISTS (SELECT 1 FROM _sync_pending p WHERE p.m = ? AND {})",
        sql.table,
        model.versions_table(),
        sql.version_join,
        sql.pending_join
    );
    let row = query_one(tx, &text, vec![Sql::BigInt(Some(model.number))]).await?;
    row.map_or(Ok(0), |row| Ok(integer(sqlite_row(&row)?, 0)?.cast_unsigned()))
}

/// Every hidden record.
pub(super) async fn hidden(tx: &DatabaseTransaction, local: &Local) -> Result<BTreeSet<Place>> {
    let mut out = BTreeSet::new();
    for model in &local.catalog.models {
        let status = Sql::BigInt(Some(ShadowStatus::Hidden.number()));
        let sql = "SELECT r FROM _sync_shadow WHERE m = ? AND status = ?";
        for row in query(tx, sql, vec![Sql::BigInt(Some(model.number)), status]).await? {
            if let Some(record) = blob(sqlite_row(&row)?, 0)?.and_then(RecordId::from_slice) {
                out.insert((model.index, record));
            }
        }
    }
    Ok(out)
}
