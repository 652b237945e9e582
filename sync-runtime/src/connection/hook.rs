//! What happens around the commit of an application's transaction. The connection only promises when it is called.

use std::any::Any;

use sea_orm::DatabaseTransaction;
use sync_plugin::BoxFuture;

use crate::Result;

/// What [`CommitHook::before_commit`] hands to [`CommitHook::committed`].
pub(crate) type Token = Option<Box<dyn Any + Send>>;

/// Called around every commit of the application, never around the engine's own transactions.
pub(crate) trait CommitHook: Send + Sync + 'static {
    /// Before COMMIT of a write transaction of the application. An error rolls back and is returned as `DbErr`.
    /// The transaction may still fail to commit, or be dropped: nothing may be remembered outside it.
    /// `ahead` is what the last [`Self::ahead`] of this transaction gave.
    fn before_commit<'a>(&'a self, tx: &'a DatabaseTransaction, ahead: Token)
    -> BoxFuture<'a, Result<Token>>;

    /// Before a statement that inserts many rows and replaces none.
    fn before_bulk<'a>(&'a self, tx: &'a DatabaseTransaction) -> BoxFuture<'a, Result<()>>;

    /// Before a statement that may replace rows and before the commit, in a transaction that saw
    /// [`Self::before_bulk`].
    fn after_bulk<'a>(&'a self, tx: &'a DatabaseTransaction) -> BoxFuture<'a, Result<()>>;

    /// After a statement that inserted many rows, outside of savepoints, while the application prepares its next
    /// one. `ahead` is what it gave the last time.
    fn ahead<'a>(&'a self, tx: &'a DatabaseTransaction, ahead: Token) -> BoxFuture<'a, Token>;

    /// After COMMIT. It must neither block nor panic.
    fn committed(&self, token: Token);

    /// The caller was cancelled while COMMIT ran, which is over now: it may have succeeded or not.
    fn uncertain(&self, token: Token) -> BoxFuture<'_, ()>;
}
