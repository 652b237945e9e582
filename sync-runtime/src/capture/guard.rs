//! Whether the triggers look for rows that an INSERT would replace. Looking costs a search in each unique index for
//! every row, which a transaction of plain inserts can do without.

use sea_orm::DatabaseTransaction;

use crate::{error::Result, store::db::execute};

/// From now on no statement of this transaction replaces rows. Nothing is changed where a trigger of the
/// application might.
pub(crate) async fn lower(tx: &DatabaseTransaction) -> Result<()> {
    let sql = "DELETE FROM _sync_guard WHERE NOT EXISTS (
            SELECT 1 FROM sqlite_master
            WHERE type = 'trigger' AND name NOT GLOB '_sync_t_*' AND sql LIKE '%REPLACE%')
        AND NOT EXISTS (SELECT 1 FROM sqlite_temp_master WHERE type = 'trigger' AND sql LIKE '%REPLACE%')";
    execute(tx, sql, vec![]).await.map(drop)
}

/// Statements may replace rows again. It may be said twice.
pub(crate) async fn raise(tx: &DatabaseTransaction) -> Result<()> {
    execute(tx, "INSERT OR IGNORE INTO _sync_guard (one) VALUES (1)", vec![]).await.map(drop)
}
