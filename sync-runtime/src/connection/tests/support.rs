//! A database with a counting hook.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
use sync_plugin::BoxFuture;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::{
    Error, ErrorKind, Result,
    connection::{CommitHook, Database, OpenOptions, hook::Token},
};

/// Takes a number from the table `step` in every transaction; refuses the commit of a note named "refuse me".
#[derive(Debug, Default)]
pub(super) struct CountingHook {
    wakes: AtomicU64,
    woken: Notify,
}

impl CommitHook for CountingHook {
    fn before_bulk<'a>(&'a self, _: &'a DatabaseTransaction) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn after_bulk<'a>(&'a self, _: &'a DatabaseTransaction) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn ahead<'a>(&'a self, _: &'a DatabaseTransaction, ahead: Token) -> BoxFuture<'a, Token> {
        Box::pin(async { ahead })
    }

    fn before_commit<'a>(&'a self, tx: &'a DatabaseTransaction, _: Token) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let refused = "SELECT 1 FROM note WHERE title = 'refuse me'";
            if tx.query_one_raw(sql(refused)).await?.is_some() {
                return Err(Error::new(ErrorKind::NotOwner, "commit", "note is another device's"));
            }
            tx.execute_raw(sql("UPDATE step SET n = n + 1")).await?;
            Ok(Some(Box::new("token") as Box<_>))
        })
    }

    fn uncertain(&self, token: Token) -> BoxFuture<'_, ()> {
        self.committed(token);
        Box::pin(async {})
    }

    fn committed(&self, token: Token) {
        let token = token.and_then(|token| token.downcast::<&str>().ok());
        assert_eq!(token.as_deref(), Some(&"token"), "each token comes back");
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.woken.notify_one();
    }
}

pub(super) fn sql(text: &str) -> Statement {
    Statement::from_string(sea_orm::DbBackend::Sqlite, text)
}

/// A database in a folder of its own.
pub(super) struct Fixture {
    pub(super) db: Database,
    pub(super) hook: Arc<CountingHook>,
    _folder: TempDir,
}

pub(super) const SCHEMA: &str = "
    CREATE TABLE step (n INTEGER NOT NULL);
    INSERT INTO step VALUES (0);
    CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, body TEXT NOT NULL DEFAULT '');
    CREATE TABLE line (
        id INTEGER PRIMARY KEY,
        note_id INTEGER NOT NULL REFERENCES note (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        text TEXT NOT NULL)";

impl Fixture {
    pub(super) async fn new() -> Self {
        let options = OpenOptions { own_transaction: Duration::from_millis(150), ..OpenOptions::default() };
        Self::with(options).await
    }

    pub(super) async fn with(options: OpenOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (db, hook) = Self::open(&folder.path().join("test.db"), options).await;
        Self { db, hook, _folder: folder }
    }

    pub(super) async fn open(path: &Path, options: OpenOptions) -> (Database, Arc<CountingHook>) {
        let db = Database::open(path, options).await.unwrap();
        sqlx::raw_sql(SCHEMA).execute(db.setup_pool()).await.unwrap();
        let hook = Arc::new(CountingHook::default());
        let installed: Arc<dyn CommitHook> = Arc::clone(&hook) as _;
        db.install(&installed).unwrap();
        (db, hook)
    }

    /// How many transactions took a number and committed.
    pub(super) async fn steps(&self) -> i64 {
        self.number("SELECT n FROM step").await
    }

    /// How often the wake-up fired.
    pub(super) fn wakes(&self) -> i64 {
        i64::try_from(self.hook.wakes.load(Ordering::SeqCst)).unwrap()
    }

    /// Waits until the wake-up fired as often as transactions committed.
    pub(super) async fn settled(&self) {
        while self.wakes() < self.steps().await {
            self.hook.woken.notified().await;
        }
        assert!(self.wakes() >= self.steps().await, "no commit without a wake-up");
    }

    pub(super) async fn number(&self, query: &str) -> i64 {
        self.db.query_one_raw(sql(query)).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    pub(super) async fn titles(&self) -> Vec<String> {
        let rows = self.db.query_all_raw(sql("SELECT title FROM note ORDER BY id")).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }
}

/// The kind of the error of ours in a `DbErr`.
pub(super) fn kind(error: &sea_orm::DbErr) -> Option<ErrorKind> {
    Error::within(error).map(Error::kind)
}
