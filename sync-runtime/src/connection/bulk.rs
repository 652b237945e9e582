//! Transactions that insert many rows: the hook hears of them before they commit, so that it can work while the
//! application prepares its next statement.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{DatabaseTransaction, Statement};
use tokio::sync::OwnedMutexGuard;

use super::{
    hook::{CommitHook, Token},
    keywords::{inserts_only, may_replace},
};
use crate::{Result, host};

/// Values from which on an INSERT is a large one.
const MANY: usize = 1_000;

/// What the hook did for a transaction so far.
#[derive(Default)]
pub(super) struct Bulk {
    /// The hook saw a large INSERT.
    seen: AtomicBool,
    ahead: Arc<Mutex<Token>>,
}

impl Bulk {
    /// Before a statement. Returns whether it is a large INSERT.
    pub(super) async fn before(
        &self,
        hook: &dyn CommitHook,
        root: &DatabaseTransaction,
        statement: &Statement,
    ) -> Result<bool> {
        let values = statement.values.as_ref().map_or(0, |values| values.0.len());
        if values >= MANY && inserts_only(&statement.sql) {
            if !self.seen.swap(true, Ordering::Relaxed) {
                hook.before_bulk(root).await?;
            }
            return Ok(true);
        }
        self.before_text(hook, root, &statement.sql).await?;
        Ok(false)
    }

    /// Before a text.
    pub(super) async fn before_text(
        &self,
        hook: &dyn CommitHook,
        root: &DatabaseTransaction,
        sql: &str,
    ) -> Result<()> {
        // A savepoint that is taken back takes this back with it, so it is said each time.
        if self.seen.load(Ordering::Relaxed) && may_replace(sql) {
            hook.after_bulk(root).await?;
        }
        Ok(())
    }

    /// Lets the hook work while the transaction waits for its next statement, which waits for `busy`.
    pub(super) fn go_ahead(
        &self,
        hook: &Arc<dyn CommitHook>,
        root: &Arc<DatabaseTransaction>,
        doomed: &Arc<OnceLock<&'static str>>,
        busy: OwnedMutexGuard<()>,
    ) {
        let (hook, root, ahead) = (Arc::clone(hook), Arc::clone(root), Arc::clone(&self.ahead));
        let cut = Cut { doomed: Arc::clone(doomed), armed: true };
        host::detach(async move {
            let before = lock(&ahead).take();
            let after = hook.ahead(&root, before).await;
            *lock(&ahead) = after;
            cut.defuse();
            // ORDER: whoever waits for `busy` may take the transaction for itself.
            drop(root);
            drop(busy);
        });
    }

    /// At the commit: what the hook did ahead.
    pub(super) async fn finish(&self, hook: &dyn CommitHook, root: &DatabaseTransaction) -> Result<Token> {
        if self.seen.load(Ordering::Relaxed) {
            hook.after_bulk(root).await?;
        }
        Ok(lock(&self.ahead).take())
    }
}

fn lock(ahead: &Mutex<Token>) -> std::sync::MutexGuard<'_, Token> {
    ahead.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dooms the transaction when the hook was cut short.
struct Cut {
    doomed: Arc<OnceLock<&'static str>>,
    armed: bool,
}

impl Cut {
    fn defuse(mut self) {
        self.armed = false;
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if self.armed {
            self.doomed.get_or_init(|| "reading its rows ahead was cut short");
        }
    }
}
