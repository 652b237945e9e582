//! The engine of an open space: captures, ingests and serves, one transaction at a time.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use sea_orm::{DatabaseTransaction, TransactionTrait, Value as Sql};
use sync_core::{
    authorship::{DeviceKey, SpaceKey, VerifiedRun},
    hlc::Millis,
    ids::{Incarnation, Origin, RecordId, SpaceId},
    session::ServeRequest,
    vector::VersionVector,
    wire::Run,
};
use sync_plugin::{BoxFuture, Context};
use tokio::sync::watch;

use super::{
    adopt, digest,
    held::HeldVector,
    hidden, incarnation,
    local::Local,
    news,
    statements::{self, Statements},
};
use crate::{
    Audit, RepairBy, Repaired, Result, audit,
    capture::{Ahead, Committed, Moment, Writer, drain, guard, install::Installed},
    catalog::Catalog,
    connection::{CommitHook, Database, Token},
    event::{EventSender, SyncEvent},
    ingest, serve,
    space::{Digest, HiddenRecord},
    store::{batch::Batch, origins::Origins},
};

/// What the engine is made of.
pub(crate) struct EngineParts {
    /// The application's database; its hook is not installed yet.
    pub(crate) database: Arc<Database>,
    /// The models; their triggers and tables are in place.
    pub(crate) catalog: Arc<Catalog>,
    /// What was found when they were put there.
    pub(crate) installed: Installed,
    /// The space.
    pub(crate) space: SpaceId,
    /// What its members share.
    pub(crate) space_key: SpaceKey,
    /// This device in the incarnation with which it opened.
    pub(crate) origin: Origin,
    /// Puts a new incarnation into the device folder.
    pub(crate) remember: Box<dyn Fn(Incarnation) -> Result<()> + Send + Sync>,
    /// Signs the heads of our chain.
    pub(crate) key: Arc<DeviceKey>,
    /// Time, randomness and tasks.
    pub(crate) context: Context,
    /// Where news goes.
    pub(crate) events: EventSender,
}

/// The engine of an open space.
pub(crate) struct Engine {
    pub(super) parts: EngineParts,
    pub(super) local: RwLock<Arc<Local>>,
    pub(super) vector: HeldVector,
    pub(super) statements: Mutex<Statements>,
    /// For work that goes on when whoever waits for it gives up.
    pub(super) own: Weak<Self>,
    /// When it last took a new incarnation (monotonic).
    pub(super) renewed: Mutex<Option<std::time::Duration>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("origin", &self.origin()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Reads what the database holds, and enters this device where it is new.
    pub(crate) async fn open(parts: EngineParts) -> Result<Arc<Self>> {
        let tx = parts.database.writer().begin().await?;
        let mut origins = Origins::load(tx.connection()).await?;
        let own = origins.number(tx.connection(), parts.origin).await?;
        let number = || Sql::BigInt(Some(own.0));
        let mut batch = Batch::default();
        let public_key = Sql::Bytes(Some(parts.key.public().0.to_vec()));
        batch.push("UPDATE _sync_origin SET public_key = ? WHERE o = ?", [public_key, number()]);
        batch.push(
            "INSERT INTO _sync_state (one, own, clock, ceiling) VALUES (1, ?, 0, 0)
             ON CONFLICT (one) DO UPDATE SET own = excluded.own",
            [number()],
        );
        batch.flush(tx.connection()).await?;
        tx.commit().await?;
        let predecessor = incarnation::predecessor(parts.database.readers()).await?;
        let local = Local::new(Arc::clone(&parts.catalog), parts.space, parts.origin, own, predecessor);
        let local = RwLock::new(Arc::new(local));
        let vector = HeldVector::new(origins.vector());
        let statements = Statements::load(parts.database.readers(), parts.space, parts.origin.device).await?;
        Ok(Arc::new_cyclic(|own| Self {
            parts,
            local,
            vector,
            statements: Mutex::new(statements),
            own: Weak::clone(own),
            renewed: Mutex::default(),
        }))
    }

    /// Takes in rows that were there before they were synced, or came while triggers were missing.
    pub(crate) async fn adopt(&self) -> Result<()> {
        let installed = &self.parts.installed;
        if installed.created.is_empty() && installed.rebuilt.is_empty() {
            return self.foreign_writes().await;
        }
        let tx = self.parts.database.writer().begin().await?;
        for model in installed.created.iter().chain(&installed.rebuilt) {
            adopt::note_rows(tx.connection(), &self.local(), *model).await?;
        }
        let committed = self.drain(tx.connection(), Writer::OtherPrograms).await?;
        tx.commit().await?;
        self.announce(committed);
        Ok(())
    }

    /// What is held; changes with every commit and every changeset that arrives.
    pub(crate) fn vector(&self) -> watch::Receiver<Arc<VersionVector>> {
        self.vector.subscribe()
    }

    /// A hash of each model's rows.
    pub(crate) async fn digest(&self) -> Result<Digest> {
        digest::of_tables(&self.parts.database.readers().begin().await?, &self.local()).await
    }

    /// Records that are not in their tables, with the reason.
    pub(crate) async fn hidden(&self) -> Result<Vec<HiddenRecord>> {
        hidden::list(&self.parts.database.readers().begin().await?, &self.local()).await
    }

    /// Compares tables, versions and log. Reads all of them.
    pub(crate) async fn audit(&self) -> Result<Audit> {
        self.foreign_writes().await?;
        let snapshot = self.parts.database.readers().begin().await?;
        audit::audit(&snapshot, &self.local(), &self.parts.key).await
    }

    /// Puts right what an audit finds, in one transaction.
    pub(crate) async fn repair(&self, by: RepairBy) -> Result<Repaired> {
        let tx = self.parts.database.writer().begin().await?;
        let mut committed = vec![self.drain(tx.connection(), Writer::OtherPrograms).await?];
        let local = self.local();
        let mut repaired = audit::repair(tx.connection(), &local, &self.parts.key, by).await?;
        for model in &local.catalog.models {
            repaired += adopt::note_rows(tx.connection(), &local, model.index).await?;
        }
        // Two changesets may come of it: what was pending, and what the repair takes up.
        committed.push(self.drain(tx.connection(), Writer::OtherPrograms).await?);
        tx.commit().await?;
        for committed in committed {
            self.announce(committed);
        }
        self.look().await?;
        Ok(Repaired { repaired, left: self.audit().await? })
    }

    /// Takes up what other programs wrote.
    pub(crate) async fn foreign_writes(&self) -> Result<()> {
        let pending = "SELECT 1 FROM _sync_pending LIMIT 1";
        if crate::store::db::query_one(self.parts.database.readers(), pending, vec![]).await?.is_none() {
            return Ok(());
        }
        let tx = self.parts.database.writer().begin().await?;
        let committed = self.drain(tx.connection(), Writer::OtherPrograms).await?;
        tx.commit().await?;
        self.announce(committed);
        Ok(())
    }

    /// Stores a run. `Err` means that nothing of it is stored; a retryable one may be tried again.
    pub(super) async fn take_in(&self, run: &VerifiedRun) -> Result<()> {
        let tx = self.parts.database.writer().begin().await?;
        let committed = self.drain(tx.connection(), Writer::OtherPrograms).await?;
        let report = ingest::ingest(tx.connection(), &self.local(), run, self.now()).await?;
        let unsaved = self.known_statements().unsaved(self.parts.context.now().monotonic);
        statements::save(tx.connection(), unsaved).await?;
        tx.commit().await?;
        self.announce(committed);
        if report.known {
            self.look().await?;
        } else {
            self.vector.learn(&report.held);
        }
        news::of_report(&self.parts.events, &self.local(), &report);
        Ok(())
    }

    /// Reads runs for a peer, of one snapshot.
    pub(super) async fn read_runs(&self, request: &ServeRequest) -> Result<Vec<Run>> {
        let snapshot = self.parts.database.readers().begin().await?;
        let runs = serve::serve(&snapshot, &self.local(), &self.parts.key, request).await;
        snapshot.rollback().await?;
        runs
    }

    /// Reads the vector afresh.
    pub(super) async fn look(&self) -> Result<()> {
        let vector = Origins::load(self.parts.database.readers()).await?.vector();
        self.vector.learn(&vector);
        Ok(())
    }

    pub(super) fn now(&self) -> Millis {
        Millis(self.parts.context.now().unix_ms)
    }

    async fn drain(&self, tx: &DatabaseTransaction, writer: Writer) -> Result<Option<Committed>> {
        self.drain_after(tx, writer, Ahead::default()).await
    }

    async fn drain_after(
        &self,
        tx: &DatabaseTransaction,
        writer: Writer,
        ahead: Ahead,
    ) -> Result<Option<Committed>> {
        let context = self.parts.context.clone();
        let draw = move || {
            let mut bytes = [0; 16];
            context.fill_random(&mut bytes);
            RecordId::from_bytes(*uuid::Builder::from_random_bytes(bytes).into_uuid().as_bytes())
        };
        drain(tx, &self.local(), &Moment { now: self.now(), draw: &draw }, writer, ahead).await
    }

    /// After COMMIT: the vector moves on, and whoever waits for it wakes.
    fn announce(&self, committed: Option<Committed>) {
        let Some(committed) = committed else { return };
        let (origin, seq) = (committed.header.origin, committed.header.seq);
        self.vector.committed(origin, seq);
        for detail in committed.left_out {
            let operation = "take up writes of other programs";
            self.parts.events.send(SyncEvent::Trouble { operation, detail, retried: false });
        }
        news::of_settled(&self.parts.events, &self.local(), &committed.settled);
    }

    /// The statements that are known.
    pub(super) fn known_statements(&self) -> std::sync::MutexGuard<'_, Statements> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`CommitHook::ahead`] gave.
fn read_ahead(token: Token) -> Ahead {
    token.and_then(|token| token.downcast().ok()).map(|ahead| *ahead).unwrap_or_default()
}

impl CommitHook for Engine {
    fn before_commit<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        ahead: Token,
    ) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let committed = self.drain_after(tx, Writer::ThisSpace, read_ahead(ahead)).await?;
            Ok(committed.map(|committed| Box::new(committed) as Box<dyn std::any::Any + Send>))
        })
    }

    fn before_bulk<'a>(&'a self, tx: &'a DatabaseTransaction) -> BoxFuture<'a, Result<()>> {
        Box::pin(guard::lower(tx))
    }

    fn after_bulk<'a>(&'a self, tx: &'a DatabaseTransaction) -> BoxFuture<'a, Result<()>> {
        Box::pin(guard::raise(tx))
    }

    fn ahead<'a>(&'a self, tx: &'a DatabaseTransaction, ahead: Token) -> BoxFuture<'a, Token> {
        Box::pin(async move {
            let mut ahead = read_ahead(ahead);
            if let Err(error) = ahead.go_on(tx, &self.local()).await {
                tracing::debug!(%error, "rows are left to the commit");
            }
            Some(Box::new(ahead) as Box<dyn std::any::Any + Send>)
        })
    }

    fn uncertain(&self, token: Token) -> BoxFuture<'_, ()> {
        drop(token);
        Box::pin(async move {
            if let Err(error) = self.look().await {
                let (operation, detail) = ("look for a commit", error.to_string());
                self.parts.events.send(SyncEvent::Trouble { operation, detail, retried: false });
            }
        })
    }

    fn committed(&self, token: Token) {
        let Some(token) = token else { return };
        if let Ok(committed) = token.downcast::<Committed>() {
            self.announce(Some(*committed));
        }
    }
}
