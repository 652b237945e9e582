//! How the connections to the application's database are set up. Every figure about SQLite's settings stands here.

use std::{path::Path, time::Duration};

use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, ErrorKind, Result};

/// The first version without the WAL-reset bug, which could corrupt a database.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// How to open a database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenOptions {
    /// Connections that only read.
    pub(crate) readers: u32,
    /// The file must exist already.
    pub(crate) must_exist: bool,
    /// How long a write waits for another program's transaction.
    pub(crate) busy: Duration,
    /// How long a write waits for a transaction that the same task holds open, which would wait for ever.
    pub(crate) own_transaction: Duration,
    /// How long a write waits for other tasks' transactions.
    pub(crate) turn: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            must_exist: false,
            busy: Duration::from_secs(10),
            own_transaction: Duration::from_secs(2),
            turn: Duration::from_secs(30),
        }
    }
}

/// Settings that all connections share.
fn common(path: &Path, options: OpenOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.busy)
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
        // Rows that the database's thread may be ahead: a chunk of the drain, so that it need not wait in the middle.
        .row_buffer_size(4_096)
        .disable_statement_logging()
}

/// The one connection that writes. It is never closed for being old or idle.
pub(super) async fn open_writer(path: &Path, options: OpenOptions) -> Result<SqlitePool> {
    let connect = common(path, options).create_if_missing(!options.must_exist).pragma("cache_size", "-32768");
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(options.turn)
        .after_release(|connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    // A dropped transaction's ROLLBACK is still queued; the ping comes after it.
                    connection.ping().await?;
                }
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(connect)
        .await
        .map_err(|error| cannot_open(path, error))?;
    Ok(pool)
}

/// Connections that can only read.
pub(super) async fn open_readers(path: &Path, options: OpenOptions) -> Result<SqlitePool> {
    let connect = common(path, options).pragma("cache_size", "-8192").pragma("query_only", "ON");
    SqlitePoolOptions::new()
        .max_connections(options.readers)
        .min_connections(0)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(options.turn)
        .connect_with(connect)
        .await
        .map_err(|error| cannot_open(path, error))
}

/// One reading connection of its own, outside the pool: what it answers to `PRAGMA data_version` belongs to it.
pub(super) async fn open_watcher(path: &Path, options: OpenOptions) -> Result<sqlx::SqliteConnection> {
    let connect = common(path, options).pragma("cache_size", "-64").pragma("query_only", "ON");
    connect.connect().await.map_err(|error| cannot_open(path, error))
}

fn cannot_open(path: &Path, error: sqlx::Error) -> Error {
    Error::new(ErrorKind::Database, "open database", format!("{}: {error}", path.display()))
        .with_source(error)
}

/// Refuses an SQLite that can corrupt the database.
pub(super) async fn check_version(pool: &SqlitePool) -> Result<()> {
    let version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await.map_err(|error| {
            Error::new(ErrorKind::Database, "open database", "SQLite does not tell its version")
                .with_source(error)
        })?;
    if is_recent(&version) {
        return Ok(());
    }
    let (major, minor, patch) = OLDEST_SQLITE;
    Err(Error::new(
        ErrorKind::Storage,
        "open database",
        format!("SQLite {version} can corrupt a WAL database; {major}.{minor}.{patch} or later is needed"),
    ))
}

fn is_recent(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    let mut next = || parts.next().and_then(std::result::Result::ok);
    match (next(), next(), next()) {
        (Some(major), Some(minor), patch) => (major, minor, patch.unwrap_or(0)) >= OLDEST_SQLITE,
        _ => false,
    }
}

/// The pool as SeaORM has it.
pub(super) fn seaorm(pool: &SqlitePool) -> DatabaseConnection {
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone())
}

#[cfg(test)]
mod tests {
    use super::is_recent;

    #[test]
    fn versions_before_the_wal_fix_are_refused() {
        for old in ["3.51.2", "3.40.1", "2.99.99", "3", "", "x.y.z"] {
            assert!(!is_recent(old), "{old}");
        }
        for recent in ["3.51.3", "3.52.0", "3.60", "4.0.0"] {
            assert!(is_recent(recent), "{recent}");
        }
    }
}
