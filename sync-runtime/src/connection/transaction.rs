//! The application's transactions. SeaORM's own ones lose data without a word when they are nested out of order or
//! cancelled at the wrong moment; here each of these is an error and nothing commits.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, Statement, StreamTrait, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait, entity::prelude::async_trait::async_trait,
};
use sync_plugin::BoxFuture;
use tokio::sync::OwnedMutexGuard;

use super::{
    bulk::Bulk,
    hook::CommitHook,
    keywords::classify,
    stream::SpaceTransactionStream,
    writer::{Turn, Writer},
};
use crate::{Error, ErrorKind, Result};

/// A transaction on a space, or a savepoint in one (`begin` on a transaction). What it wrote is captured when the
/// outermost one commits. Dropped without a commit it is rolled back.
///
/// Transactions end in the reverse order of their beginning; anything else is an [`ErrorKind::Misuse`] and the whole
/// transaction is rolled back.
#[derive(Debug)]
pub struct SpaceTransaction {
    level: Level,
}

/// Which handle this is. Every open handle holds the tree once, so their number says whether one is the innermost.
#[derive(Debug)]
enum Level {
    Outermost(Arc<Tree>),
    Nested(Savepoint),
}

/// One outermost transaction with its savepoints.
pub(super) struct Tree {
    // ORDER: savepoints go before the transaction, the transaction before the turn on the writer.
    savepoints: Savepoints,
    /// Shared only while `busy` is held.
    root: Arc<DatabaseTransaction>,
    role: Role,
    bulk: Bulk,
    /// Held by whoever runs a statement.
    busy: Arc<tokio::sync::Mutex<()>>,
    /// The holder of `busy` is a stream, which the caller may have forgotten.
    streaming: AtomicBool,
    /// Why nothing more may happen in this transaction.
    doomed: Arc<OnceLock<&'static str>>,
    patience: Duration,
}

/// What a transaction may do and what its commit means.
pub(super) enum Role {
    /// It writes; the hook runs at commit.
    Write {
        /// Commits.
        writer: Writer,
        /// Called around the commit.
        hook: Arc<dyn CommitHook>,
        /// Held until the end.
        turn: Turn,
    },
    /// It only reads, from one snapshot.
    Read,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("doomed", &self.doomed.get()).finish_non_exhaustive()
    }
}

/// Open savepoints, innermost last.
#[derive(Default)]
struct Savepoints(Mutex<Vec<DatabaseTransaction>>);

impl Savepoints {
    fn push(&self, savepoint: DatabaseTransaction) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(savepoint);
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn pop(&self) -> Option<DatabaseTransaction> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Drop for Savepoints {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

/// A nested transaction.
#[derive(Debug)]
struct Savepoint {
    tree: Arc<Tree>,
    depth: usize,
    open: bool,
}

impl Drop for Savepoint {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if Arc::strong_count(&self.tree) != self.depth {
            self.tree
                .doom("a nested transaction was dropped while one inside it was open, or after its parent");
            return;
        }
        let popped = match self.tree.busy.try_lock() {
            // Dropping it queues its ROLLBACK.
            Ok(_busy) => self.tree.savepoints.pop().is_some(),
            Err(_) => false,
        };
        if !popped {
            self.tree.doom("a nested transaction was dropped while a statement was running");
        }
    }
}

/// The right to run one statement.
#[derive(Debug)]
pub(super) struct Busy<'a> {
    tree: &'a Tree,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Busy<'_> {
    /// Says that a stream holds it.
    pub(super) fn streams(&self) {
        self.tree.streaming.store(true, Ordering::Relaxed);
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.tree.streaming.store(false, Ordering::Relaxed);
    }
}

/// Dooms the tree unless it is defused: stands around steps that must not be cut.
struct Fuse<'a> {
    tree: &'a Tree,
    reason: &'static str,
    armed: bool,
}

impl Fuse<'_> {
    fn defuse(mut self) {
        self.armed = false;
    }
}

impl Drop for Fuse<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.tree.doom(self.reason);
        }
    }
}

/// The transaction of a tree that nobody else works on.
fn alone(root: Arc<DatabaseTransaction>) -> Result<DatabaseTransaction> {
    Arc::into_inner(root).ok_or_else(|| misuse("a statement of this transaction is still running"))
}

fn misuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Misuse, "transaction", message)
}

impl Tree {
    fn doom(&self, reason: &'static str) {
        // The first reason stays.
        self.doomed.get_or_init(|| reason);
    }

    fn check(&self) -> Result<()> {
        match self.doomed.get() {
            None => Ok(()),
            Some(reason) => Err(misuse(format!("{reason}; the whole transaction is rolled back"))),
        }
    }

    /// Waits until no other statement runs. A forgotten stream would be waited for in vain.
    async fn enter(&self) -> Result<Busy<'_>> {
        let guard = match Arc::clone(&self.busy).try_lock_owned() {
            Ok(guard) => guard,
            Err(_) => loop {
                match tokio::time::timeout(self.patience, Arc::clone(&self.busy).lock_owned()).await {
                    Ok(guard) => break guard,
                    Err(_) if self.streaming.load(Ordering::Relaxed) => {
                        return Err(misuse("a stream of this transaction is open; finish or drop it first"));
                    }
                    Err(_) => {}
                }
            },
        };
        self.check()?;
        Ok(Busy { tree: self, guard: Some(guard) })
    }

    /// Before a statement. Returns whether it is a large INSERT.
    async fn prepare(&self, statement: &Statement) -> Result<bool> {
        match &self.role {
            Role::Read => Ok(false),
            Role::Write { hook, .. } => self.bulk.before(hook.as_ref(), &self.root, statement).await,
        }
    }

    /// After a large INSERT.
    fn go_ahead(&self, mut busy: Busy<'_>) {
        // In a savepoint that is taken back, what was read would be taken back too.
        if let (Role::Write { hook, .. }, true) = (&self.role, self.savepoints.is_empty())
            && let Some(busy) = busy.guard.take()
        {
            self.bulk.go_ahead(hook, &self.root, &self.doomed, busy);
        }
    }

    async fn commit(self) -> Result<(), DbErr> {
        self.check()?;
        // Rows may still be read ahead.
        drop(self.busy.lock().await);
        self.check()?;
        // A savepoint that could not be taken back is still in the list only when the tree is doomed.
        let Self { savepoints, root, role, bulk, .. } = self;
        drop(savepoints);
        let root = alone(root)?;
        match role {
            Role::Read => root.commit().await,
            Role::Write { writer, hook, turn } => {
                let ahead = bulk.finish(hook.as_ref(), &root).await?;
                let outcome = writer.commit(root, hook, ahead).await;
                drop(turn);
                outcome
            }
        }
    }
}

impl SpaceTransaction {
    /// The outermost transaction on `root`; `patience` is how long a statement waits for a stream.
    pub(super) fn new(root: DatabaseTransaction, role: Role, patience: Duration) -> Self {
        let tree = Tree {
            savepoints: Savepoints::default(),
            root: Arc::new(root),
            role,
            bulk: Bulk::default(),
            busy: Arc::default(),
            streaming: AtomicBool::new(false),
            doomed: Arc::default(),
            patience,
        };
        Self { level: Level::Outermost(Arc::new(tree)) }
    }

    fn tree(&self) -> &Arc<Tree> {
        match &self.level {
            Level::Outermost(tree) => tree,
            Level::Nested(savepoint) => &savepoint.tree,
        }
    }

    fn depth(&self) -> usize {
        match &self.level {
            Level::Outermost(_) => 1,
            Level::Nested(savepoint) => savepoint.depth,
        }
    }

    async fn begin_nested(&self) -> Result<Self, DbErr> {
        let tree = self.tree();
        let busy = tree.enter().await?;
        if Arc::strong_count(tree) != self.depth() {
            return Err(misuse("another nested transaction of this one is open; end it first").into());
        }
        // SeaORM rolls back one level too many when this is cancelled or fails.
        let reason = "a nested transaction was cancelled or failed while it began";
        let fuse = Fuse { tree, reason, armed: true };
        tree.savepoints.push(tree.root.begin().await?);
        fuse.defuse();
        drop(busy);
        let savepoint = Savepoint { tree: Arc::clone(tree), depth: self.depth() + 1, open: true };
        Ok(Self { level: Level::Nested(savepoint) })
    }

    async fn finish(self, end: End) -> Result<(), DbErr> {
        match self.level {
            Level::Outermost(tree) => match (Arc::try_unwrap(tree), end) {
                (Ok(tree), End::Commit) => tree.commit().await,
                (Ok(Tree { savepoints, root, role, busy, .. }), End::Rollback) => {
                    drop(busy.lock().await);
                    drop(savepoints);
                    let outcome = alone(root)?.rollback().await;
                    drop(role);
                    outcome
                }
                (Err(tree), _) => {
                    tree.doom("a transaction ended while a nested one was open");
                    Ok(tree.check()?)
                }
            },
            Level::Nested(savepoint) => savepoint.finish(end).await,
        }
    }

    async fn run<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        let outcome = callback(&self).await.map_err(TransactionError::Transaction);
        let end = if outcome.is_ok() { End::Commit } else { End::Rollback };
        self.finish(end).await.map_err(TransactionError::Connection)?;
        outcome
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Commit,
    Rollback,
}

impl Savepoint {
    async fn finish(mut self, end: End) -> Result<(), DbErr> {
        let tree = Arc::clone(&self.tree);
        let busy = tree.enter().await?;
        // The clone above counts too.
        if Arc::strong_count(&tree) != self.depth + 1 {
            tree.doom("a nested transaction ended while one inside it was open, or after its parent");
            return Ok(tree.check()?);
        }
        let Some(savepoint) = tree.savepoints.pop() else {
            tree.doom("a nested transaction ended twice");
            return Ok(tree.check()?);
        };
        self.open = false;
        let outcome = match end {
            End::Commit => savepoint.commit().await,
            End::Rollback => savepoint.rollback().await,
        };
        drop(busy);
        outcome
    }
}

#[async_trait]
impl ConnectionTrait for SpaceTransaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        classify(&stmt.sql)?;
        let tree = self.tree();
        let busy = tree.enter().await?;
        let large = tree.prepare(&stmt).await?;
        let done = tree.root.execute_raw(stmt).await?;
        if large {
            tree.go_ahead(busy);
        }
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        classify(sql)?;
        let tree = self.tree();
        let _busy = tree.enter().await?;
        if let Role::Write { hook, .. } = &tree.role {
            tree.bulk.before_text(hook.as_ref(), &tree.root, sql).await?;
        }
        tree.root.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        classify(&stmt.sql)?;
        let tree = self.tree();
        let _busy = tree.enter().await?;
        tree.prepare(&stmt).await?;
        tree.root.query_one_raw(stmt).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        classify(&stmt.sql)?;
        let tree = self.tree();
        let busy = tree.enter().await?;
        let large = tree.prepare(&stmt).await?;
        let rows = tree.root.query_all_raw(stmt).await?;
        if large {
            tree.go_ahead(busy);
        }
        Ok(rows)
    }
}

impl StreamTrait for SpaceTransaction {
    type Stream<'a> = SpaceTransactionStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    fn stream_raw(&self, stmt: Statement) -> BoxFuture<'_, Result<Self::Stream<'_>, DbErr>> {
        Box::pin(async move {
            classify(&stmt.sql)?;
            let busy = self.tree().enter().await?;
            self.tree().prepare(&stmt).await?;
            let stream = self.tree().root.stream_raw(stmt).await?;
            busy.streams();
            Ok(SpaceTransactionStream::new(stream, busy))
        })
    }
}

#[async_trait]
impl TransactionTrait for SpaceTransaction {
    type Transaction = Self;

    async fn begin(&self) -> Result<Self, DbErr> {
        self.begin_nested().await
    }

    async fn begin_with_config(
        &self,
        _isolation: Option<IsolationLevel>,
        _access: Option<AccessMode>,
    ) -> Result<Self, DbErr> {
        self.begin_nested().await
    }

    async fn begin_with_options(&self, _options: TransactionOptions) -> Result<Self, DbErr> {
        self.begin_nested().await
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.begin_nested().await.map_err(TransactionError::Connection)?.run(callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        _isolation: Option<IsolationLevel>,
        _access: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.transaction(callback).await
    }
}

#[async_trait]
impl TransactionSession for SpaceTransaction {
    async fn commit(self) -> Result<(), DbErr> {
        self.finish(End::Commit).await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.finish(End::Rollback).await
    }
}

/// Runs `callback` in `transaction`, as SeaORM's `transaction` does.
pub(super) async fn run<F, T, E>(transaction: SpaceTransaction, callback: F) -> Result<T, TransactionError<E>>
where
    F: for<'c> FnOnce(&'c SpaceTransaction) -> BoxFuture<'c, Result<T, E>> + Send,
    T: Send,
    E: std::fmt::Display + std::fmt::Debug + Send,
{
    transaction.run(callback).await
}
