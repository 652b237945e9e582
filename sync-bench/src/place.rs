//! The databases: plain ones and spaces, set up alike.

use std::path::Path;

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, SqlxSqliteConnector, TransactionSession,
    TransactionTrait,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sync_runtime::{Invite, Space, SpaceBuilder, registration_of};
use tempfile::TempDir;

use crate::{
    Outcome,
    schema::{Sample, TABLES, entry, item},
};

/// Rows in one INSERT; six values each stay below SQLite's limit.
pub(crate) const CHUNK: usize = 4_000;

/// A database without sync, set up exactly as a space sets up its writer.
pub(crate) async fn plain(path: &Path) -> Outcome<DatabaseConnection> {
    use sqlx::ConnectOptions as _;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-32768")
        .statement_cache_capacity(256)
        .row_buffer_size(4_096)
        .disable_statement_logging();
    let pool =
        SqlitePoolOptions::new().max_connections(1).test_before_acquire(false).connect_with(options).await?;
    let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    db.execute_unprepared(TABLES).await?;
    Ok(db)
}

fn with_models(builder: SpaceBuilder) -> SpaceBuilder {
    let models = registration_of::<item::Entity>().into_iter().chain(registration_of::<entry::Entity>());
    builder
        .models(models)
        .migrate_with(|tx| Box::pin(async move { tx.execute_unprepared(TABLES).await.map(drop) }))
}

/// A new space, not connected with anything.
pub(crate) async fn create(path: &Path) -> Outcome<Space> {
    Ok(with_models(Space::create(path)).open().await?)
}

/// A space that is there.
pub(crate) async fn open(path: &Path) -> Outcome<Space> {
    Ok(with_models(Space::open(path)).open().await?)
}

/// A new space that listens.
pub(crate) async fn create_listening(path: &Path) -> Outcome<Space> {
    Ok(with_models(Space::create(path)).transport("ws://127.0.0.1:0").open().await?)
}

/// A space that is there and listens.
pub(crate) async fn open_listening(path: &Path) -> Outcome<Space> {
    Ok(with_models(Space::open(path)).transport("ws://127.0.0.1:0").open().await?)
}

/// A new member.
pub(crate) async fn join(path: &Path, invite: Invite) -> Outcome<Space> {
    Ok(with_models(Space::join(path, invite)).open().await?)
}

/// A new member that listens.
pub(crate) async fn join_listening(path: &Path, invite: Invite) -> Outcome<Space> {
    Ok(with_models(Space::join(path, invite)).transport("ws://127.0.0.1:0").open().await?)
}

/// Two members that do not know each other's address; the second one listens.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) here: Space,
    pub(crate) there: Space,
    // ORDER: the files go after what has them open.
    _folder: TempDir,
}

impl Pair {
    /// Two empty members.
    pub(crate) async fn new(dir: &Path) -> Outcome<Self> {
        let folder = tempfile::tempdir_in(dir)?;
        let here = create(&folder.path().join("here.db")).await?;
        let there = join_listening(&folder.path().join("there.db"), here.invite()?).await?;
        Ok(Self { here, there, _folder: folder })
    }

    /// Where the second one listens.
    pub(crate) fn address(&self) -> Outcome<String> {
        let addresses = self.there.addresses();
        Ok(addresses.first().ok_or("no address")?.expose())
    }

    /// Waits until both hold the same.
    pub(crate) async fn converge(&self) -> Outcome<()> {
        self.there.caught_up_with(&self.here.vector().await?).await?;
        self.here.caught_up_with(&self.there.vector().await?).await?;
        Ok(())
    }

    /// An error unless both databases hold the same rows.
    pub(crate) async fn check(&self) -> Outcome<()> {
        if self.here.digest().await? == self.there.digest().await? {
            return Ok(());
        }
        Err("the two databases differ".into())
    }

    /// Closes both.
    pub(crate) async fn close(self) -> Outcome<()> {
        self.here.close().await?;
        self.there.close().await?;
        Ok(())
    }
}

/// Inserts all rows in one transaction, as an application would.
pub(crate) async fn insert<E, C>(db: &C, rows: Vec<E::ActiveModel>) -> Outcome<()>
where
    E: Sample,
    C: TransactionTrait,
    E::Model: sea_orm::IntoActiveModel<E::ActiveModel>,
{
    let tx = db.begin().await?;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        E::insert_many(rows.by_ref().take(CHUNK)).exec(&tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Changes one field of one row in a transaction.
pub(crate) async fn resize<E, C>(db: &C, id: i64, size: i64) -> Outcome<()>
where
    E: Sample,
    C: TransactionTrait,
    E::Model: sea_orm::IntoActiveModel<E::ActiveModel>,
{
    let tx = db.begin().await?;
    E::resize(id, size).update(&tx).await?;
    tx.commit().await?;
    Ok(())
}
