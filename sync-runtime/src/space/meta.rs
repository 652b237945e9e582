//! The framework's own tables, and what the database says of the space and the device it belongs to.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};
use sync_core::ids::{DeviceId, Hash, Incarnation, Origin, Seq, SpaceId};

use super::device::{Identity, Known};
use crate::{
    Error, ErrorKind, Result,
    engine::incarnation::note_predecessor,
    store::{
        batch::Batch,
        origins::Origins,
        schema::{LAYOUT, TABLES},
    },
};

const SPACE: &str = "space";
const DEVICE: &str = "device";
const INCARNATION: &str = "incarnation";
const LAYOUT_KEY: &str = "layout";

/// Makes the tables that are missing. A database of a later version is left as it is.
pub(super) async fn prepare(tx: &DatabaseTransaction) -> Result<()> {
    let exists = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = '_sync_meta'";
    if tx.query_one_raw(Statement::from_string(DbBackend::Sqlite, exists)).await?.is_some() {
        let found: Option<i64> = read(tx, LAYOUT_KEY).await?;
        if found.is_some_and(|found| found > LAYOUT) {
            let found = found.unwrap_or_default();
            let message =
                format!("the _sync_ tables have layout {found}, this version knows {LAYOUT}; update it");
            return Err(Error::new(ErrorKind::Storage, "open space", message));
        }
    }
    for table in TABLES {
        tx.execute_unprepared(table).await?;
    }
    write(tx, LAYOUT_KEY, LAYOUT.into()).await
}

/// Whose database it is; `None` when it never was in a space.
pub(super) async fn known(tx: &DatabaseTransaction) -> Result<Option<Known>> {
    let Some(space) = read::<Vec<u8>>(tx, SPACE).await? else { return Ok(None) };
    let device: Option<Vec<u8>> = read(tx, DEVICE).await?;
    let incarnation: Option<i64> = read(tx, INCARNATION).await?;
    let whole = SpaceId::from_slice(&space).zip(device.as_deref().and_then(DeviceId::from_slice));
    let (Some((space, device)), Some(incarnation)) = (whole, incarnation.and_then(|n| u32::try_from(n).ok()))
    else {
        return Err(Error::new(ErrorKind::Storage, "open space", "_sync_meta is damaged: restore a backup"));
    };
    let origin = Origin { device, incarnation: Incarnation(incarnation) };
    Ok(Some(Known { space, origin, head: head(tx, origin).await? }))
}

async fn head(tx: &DatabaseTransaction, origin: Origin) -> Result<Seq> {
    let sql = "SELECT head FROM _sync_origin WHERE device = ? AND incarnation = ?";
    let values = [origin.device.as_bytes().to_vec().into(), i64::from(origin.incarnation.0).into()];
    let row = tx.query_one_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?;
    let head: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(Seq(u64::try_from(head).unwrap_or_default()))
}

/// Notes that another incarnation follows this one.
pub(super) async fn follow(tx: &DatabaseTransaction, known: Known) -> Result<()> {
    let origins = Origins::load(tx).await?;
    let hash = origins.get(&known.origin).map_or(Hash::NONE, |row| row.head_hash);
    let mut batch = Batch::default();
    note_predecessor(&mut batch, (known.origin, known.head, hash));
    batch.flush(tx).await
}

/// Enters whose database it is from now on.
pub(super) async fn record(tx: &DatabaseTransaction, identity: &Identity) -> Result<()> {
    let origin = identity.origin();
    write(tx, SPACE, identity.space.as_bytes().to_vec().into()).await?;
    write(tx, DEVICE, origin.device.as_bytes().to_vec().into()).await?;
    write(tx, INCARNATION, i64::from(origin.incarnation.0).into()).await
}

async fn read<T: sea_orm::TryGetable>(tx: &DatabaseTransaction, key: &str) -> Result<Option<T>> {
    let sql = "SELECT value FROM _sync_meta WHERE key = ?";
    let row = tx.query_one_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [key.into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// Writes a fact; one that stands there already is not touched.
async fn write(tx: &DatabaseTransaction, key: &str, value: Value) -> Result<()> {
    let sql = "INSERT INTO _sync_meta (key, value) VALUES (?, ?)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value";
    let values = [Value::from(key), value];
    tx.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?;
    Ok(())
}
