//! The application's database with its writer, its readers and its hook: what a space implements SeaORM's traits
//! with.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, Weak},
};

use futures_util::StreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, RuntimeErr, SqlxError, Statement, StreamTrait, TransactionError, TransactionOptions,
    TransactionSession, TransactionTrait, entity::prelude::async_trait::async_trait,
};
use sqlx::{SqliteConnection, SqlitePool};
use sync_plugin::BoxFuture;

use super::{
    hook::CommitHook,
    keywords::{Access, classify},
    pool::{self, OpenOptions},
    stream::SpaceStream,
    transaction::{self, Role, SpaceTransaction},
    writer::{User, Writer},
};
use crate::{Error, ErrorKind, Result};

/// One database file: a writer, readers, and the hook that runs before every commit of the application.
pub(crate) struct Database {
    path: PathBuf,
    options: OpenOptions,
    writer: Writer,
    reader_pool: SqlitePool,
    readers: DatabaseConnection,
    /// Weak, because who captures holds the database: together they would live for ever.
    hook: OnceLock<Weak<dyn CommitHook>>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the file, in WAL mode. The application cannot write before [`Self::install`].
    pub(crate) async fn open(path: &Path, options: OpenOptions) -> Result<Self> {
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            let message = "a space needs a database file: its readers and its device key live beside it";
            return Err(Error::new(ErrorKind::Configuration, "open database", message));
        }
        let writer = Writer::open(path, options).await?;
        let reader_pool = pool::open_readers(path, options).await?;
        Ok(Self {
            path: path.to_owned(),
            options,
            writer,
            readers: pool::seaorm(&reader_pool),
            reader_pool,
            hook: OnceLock::new(),
        })
    }

    /// Puts the hook in place, once; from now on and as long as it lives the application may write.
    pub(crate) fn install(&self, hook: &Arc<dyn CommitHook>) -> Result<()> {
        let twice = |_| Error::new(ErrorKind::Misuse, "open space", "the commit hook is installed already");
        self.hook.set(Arc::downgrade(hook)).map_err(twice)
    }

    /// For the engine's own transactions.
    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Connections that only read, for the engine too.
    pub(crate) fn readers(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A reading connection outside the pool, for `PRAGMA data_version`.
    pub(crate) async fn watcher(&self) -> Result<SqliteConnection> {
        pool::open_watcher(&self.path, self.options).await
    }

    /// Refuses new work, waits for what runs, and closes every connection.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
        self.reader_pool.close().await;
    }

    /// The writing pool, for tests that set the database up.
    #[cfg(test)]
    pub(crate) fn setup_pool(&self) -> &SqlitePool {
        self.writer.pool()
    }

    async fn begin_write(&self) -> Result<SpaceTransaction, DbErr> {
        let Some(hook) = self.hook.get().and_then(Weak::upgrade) else {
            return Err(Error::new(ErrorKind::Misuse, "write", "the space is not open yet").into());
        };
        let turn = self.writer.turn(User::Application).await?;
        let root = self.writer.begin_immediate().await?;
        let role = Role::Write { writer: self.writer.clone(), hook, turn };
        Ok(SpaceTransaction::new(root, role, self.options.own_transaction))
    }

    async fn begin_access(&self, access: Option<AccessMode>) -> Result<SpaceTransaction, DbErr> {
        match access {
            Some(AccessMode::ReadOnly) => {
                let root = self.readers.begin().await?;
                Ok(SpaceTransaction::new(root, Role::Read, self.options.own_transaction))
            }
            Some(AccessMode::ReadWrite) | None => self.begin_write().await,
        }
    }

    async fn write_one(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        let transaction = self.begin_write().await?;
        let row = transaction.query_one_raw(stmt).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn write_all(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let transaction = self.begin_write().await?;
        let rows = transaction.query_all_raw(stmt).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

/// Whether a reader refused a statement because it writes (SQLITE_READONLY, extended or not).
fn is_read_only(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let SqlxError::Database(error) = error.as_ref() else { return false };
    error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
}

#[async_trait]
impl ConnectionTrait for Database {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        if classify(&stmt.sql)? == Access::Read {
            return self.readers.execute_raw(stmt).await;
        }
        let transaction = self.begin_write().await?;
        let result = transaction.execute_raw(stmt).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        if classify(sql)? == Access::Read {
            return self.readers.execute_unprepared(sql).await;
        }
        let transaction = self.begin_write().await?;
        let result = transaction.execute_unprepared(sql).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        match classify(&stmt.sql)? {
            Access::Read => self.readers.query_one_raw(stmt).await,
            Access::Write => self.write_one(stmt).await,
            Access::Perhaps => match self.readers.query_one_raw(stmt.clone()).await {
                Err(error) if is_read_only(&error) => self.write_one(stmt).await,
                outcome => outcome,
            },
        }
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match classify(&stmt.sql)? {
            Access::Read => self.readers.query_all_raw(stmt).await,
            Access::Write => self.write_all(stmt).await,
            Access::Perhaps => match self.readers.query_all_raw(stmt.clone()).await {
                Err(error) if is_read_only(&error) => self.write_all(stmt).await,
                outcome => outcome,
            },
        }
    }
}

impl StreamTrait for Database {
    type Stream<'a> = SpaceStream;

    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    fn stream_raw(&self, stmt: Statement) -> BoxFuture<'_, Result<SpaceStream, DbErr>> {
        Box::pin(async move {
            match classify(&stmt.sql)? {
                Access::Read => Ok(SpaceStream::live(None, self.readers.stream_raw(stmt).await?)),
                Access::Write => Ok(SpaceStream::collected(self.write_all(stmt).await?)),
                Access::Perhaps => {
                    let mut stream = self.readers.stream_raw(stmt.clone()).await?;
                    match stream.next().await {
                        Some(Err(error)) if is_read_only(&error) => {
                            drop(stream);
                            Ok(SpaceStream::collected(self.write_all(stmt).await?))
                        }
                        first => Ok(SpaceStream::live(first, stream)),
                    }
                }
            }
        })
    }
}

#[async_trait]
impl TransactionTrait for Database {
    type Transaction = SpaceTransaction;

    async fn begin(&self) -> Result<SpaceTransaction, DbErr> {
        self.begin_write().await
    }

    async fn begin_with_config(
        &self,
        _isolation: Option<IsolationLevel>,
        access: Option<AccessMode>,
    ) -> Result<SpaceTransaction, DbErr> {
        self.begin_access(access).await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<SpaceTransaction, DbErr> {
        self.begin_access(options.access_mode).await
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c SpaceTransaction) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        transaction::run(self.begin_write().await.map_err(TransactionError::Connection)?, callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        _isolation: Option<IsolationLevel>,
        access: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c SpaceTransaction) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        transaction::run(self.begin_access(access).await.map_err(TransactionError::Connection)?, callback)
            .await
    }
}
