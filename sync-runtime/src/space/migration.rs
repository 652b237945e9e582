//! The application's migrations, run without our triggers, which would stand in the way of `DROP COLUMN` and would
//! be lost with a rebuilt table. All of it happens in one transaction.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait};
use sync_plugin::BoxFuture;

use crate::{Result, capture::install::remove_triggers};

/// One migration step of the application.
pub(super) type Migration =
    Box<dyn for<'a> FnOnce(&'a DatabaseTransaction) -> BoxFuture<'a, Result<(), DbErr>> + Send>;

/// Runs the migrations. When they change nothing, the triggers stay as they are.
pub(super) async fn run(tx: &DatabaseTransaction, migrations: Vec<Migration>) -> Result<()> {
    if migrations.is_empty() {
        return Ok(());
    }
    let attempt = tx.begin().await?;
    remove_triggers(&attempt).await?;
    let before = fingerprint(&attempt).await?;
    for migration in migrations {
        migration(&attempt).await?;
    }
    if fingerprint(&attempt).await? == before {
        // Taking it back also puts the triggers back, and nothing has to be looked for that changed without them.
        attempt.rollback().await?;
    } else {
        attempt.commit().await?;
    }
    Ok(())
}

/// Changes whenever the schema or a row does.
async fn fingerprint(tx: &DatabaseTransaction) -> Result<(i64, String)> {
    let sql = "SELECT total_changes(), coalesce(group_concat(type || name || tbl_name || coalesce(sql, ''), x'00'), '')
               FROM (SELECT * FROM main.sqlite_master ORDER BY type, name)";
    let row = tx.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    Ok(match row {
        Some(row) => (row.try_get_by_index(0)?, row.try_get_by_index(1)?),
        None => Default::default(),
    })
}
