//! The one connection that writes, and the queue for it: first come, first served, applications and engine alike.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sqlx::SqlitePool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    hook::{CommitHook, Token},
    pool::{self, OpenOptions},
};
use crate::{Error, ErrorKind, Result, host};

/// Hands out the writing connection, one transaction at a time, in the order in which they were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pool: SqlitePool,
    connection: DatabaseConnection,
    queue: Arc<Semaphore>,
    holder: Arc<Mutex<Holder>>,
    options: OpenOptions,
}

/// Who has the writer, or had it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    /// Counts turns.
    number: u64,
    user: User,
    place: Option<Place>,
}

/// For whom a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// A write of the application.
    Application,
    /// The engine's own work.
    Engine,
}

/// Where a caller runs: in a task, or outside of any on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Task(tokio::task::Id),
    Thread(std::thread::ThreadId),
}

impl Place {
    fn here() -> Self {
        tokio::task::try_id().map_or_else(|| Self::Thread(std::thread::current().id()), Self::Task)
    }
}

/// The right to use the writer; the next in the queue gets it when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Writer {
    pub(super) async fn open(path: &Path, options: OpenOptions) -> Result<Self> {
        let pool = pool::open_writer(path, options).await?;
        pool::check_version(&pool).await?;
        Ok(Self {
            connection: pool::seaorm(&pool),
            pool,
            queue: Arc::new(Semaphore::new(1)),
            holder: Arc::new(Mutex::new(Holder { number: 0, user: User::Engine, place: None })),
            options,
        })
    }

    /// Begins a transaction of the engine: no hook runs at its commit.
    pub(crate) async fn begin(&self) -> Result<EngineTransaction> {
        let turn = self.turn(User::Engine).await?;
        let transaction = self.begin_immediate().await?;
        Ok(EngineTransaction { transaction, _turn: turn })
    }

    /// BEGIN IMMEDIATE: the lock is taken now, so that no later statement can fail for want of it.
    pub(super) async fn begin_immediate(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.connection.begin_with_options(options).await
    }

    /// Waits for the writer. Waiting for a transaction that the same task holds open would never end, so that is an
    /// error soon; any other wait is one after a longer time.
    pub(super) async fn turn(&self, user: User) -> Result<Turn> {
        let place = Place::here();
        let permit = match Arc::clone(&self.queue).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait_for_turn(user, place).await?,
        };
        let mut holder = self.lock_holder();
        *holder = Holder { number: holder.number.wrapping_add(1), user, place: Some(place) };
        Ok(Turn { _permit: permit })
    }

    async fn wait_for_turn(&self, user: User, place: Place) -> Result<OwnedSemaphorePermit> {
        let mut permit = std::pin::pin!(Arc::clone(&self.queue).acquire_owned());
        let mut waited = Duration::ZERO;
        loop {
            let before = *self.lock_holder();
            if let Ok(permit) = tokio::time::timeout(self.options.own_transaction, &mut permit).await {
                return permit.map_err(|_| closed());
            }
            let own = before.place == Some(place)
                && before == *self.lock_holder()
                && (before.user, user) == (User::Application, User::Application);
            if own {
                return Err(Error::new(
                    ErrorKind::Misuse,
                    "write",
                    "the same task has a transaction open; write through it, not through the space, and commit it \
                     before writing elsewhere",
                ));
            }
            waited += self.options.own_transaction;
            if waited >= self.options.turn {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "write",
                    format!("another transaction has been open for {waited:?}; commit or drop it"),
                )
                .retryable());
            }
        }
    }

    /// The drain, COMMIT and the wake-up, which comes even if the caller goes away in between.
    pub(super) async fn commit(
        &self,
        transaction: DatabaseTransaction,
        hook: Arc<dyn CommitHook>,
        ahead: Token,
    ) -> Result<(), DbErr> {
        let token = hook.before_commit(&transaction, ahead).await?;
        let wake = Wake { hook, token, pool: self.pool.clone(), state: WakeState::Unknown };
        match transaction.commit().await {
            Ok(()) => {
                wake.now();
                Ok(())
            }
            Err(error) => {
                wake.never();
                Err(error)
            }
        }
    }

    /// Refuses new work, waits for what runs, closes the connection.
    pub(super) async fn close(&self) {
        self.queue.close();
        self.pool.close().await;
    }

    /// The writing connection outside of any transaction, for tests that set the database up.
    #[cfg(test)]
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    fn lock_holder(&self) -> std::sync::MutexGuard<'_, Holder> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "write", "the space is closed")
}

/// A transaction of the engine. Dropped without [`Self::commit`] it is rolled back.
#[derive(Debug)]
pub(crate) struct EngineTransaction {
    // ORDER: the transaction goes before the turn.
    transaction: DatabaseTransaction,
    _turn: Turn,
}

impl EngineTransaction {
    /// Where its statements run.
    pub(crate) fn connection(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// COMMIT.
    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    /// ROLLBACK, and waits for it; dropping the transaction does it without waiting.
    #[cfg(test)]
    pub(crate) async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}

impl std::ops::Deref for EngineTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

/// Calls [`CommitHook::committed`] once at once after COMMIT and never after a failed one; when the caller was
/// cancelled in between, [`CommitHook::uncertain`] as soon as the connection has worked off what it was told.
struct Wake {
    hook: Arc<dyn CommitHook>,
    token: Token,
    pool: SqlitePool,
    state: WakeState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WakeState {
    Unknown,
    Settled,
}

impl Wake {
    fn now(mut self) {
        self.state = WakeState::Settled;
        self.hook.committed(self.token.take());
    }

    fn never(mut self) {
        self.state = WakeState::Settled;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if self.state == WakeState::Settled {
            return;
        }
        let (hook, token, pool) = (Arc::clone(&self.hook), self.token.take(), self.pool.clone());
        let late = async move {
            // ORDER: the connection comes back to its pool only after the COMMIT that is still queued on it.
            drop(pool.acquire().await);
            hook.uncertain(token).await;
        };
        // Without a runtime nothing runs that could be woken.
        host::detach(late);
    }
}
