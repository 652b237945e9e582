//! How a space is made: which file, which models, which migrations, which ways to other devices.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTrait;
use sync_plugin::{BoxFuture, Context, Registry};

use super::{Space, device::Intent, invite::Invite, migration::Migration, opening};
use crate::{Result, connection::OpenOptions, host::RuntimeHost, registration::Registration};

/// A space that is about to be opened; see [`Space::create`], [`Space::open`] and [`Space::join`].
#[must_use = "a space is opened by open()"]
pub struct SpaceBuilder {
    pub(super) path: PathBuf,
    pub(super) intent: Intent,
    pub(super) options: OpenOptions,
    pub(super) reidentify: bool,
    pub(super) migrations: Vec<Migration>,
    pub(super) models: Option<Vec<&'static Registration>>,
    pub(super) transports: Vec<String>,
    pub(super) peers: Vec<String>,
    pub(super) registry: Option<Registry>,
    pub(super) context: Context,
}

impl std::fmt::Debug for SpaceBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpaceBuilder")
            .field("path", &self.path)
            .field("intent", &self.intent)
            .finish_non_exhaustive()
    }
}

impl SpaceBuilder {
    fn new(path: &Path, intent: Intent) -> Self {
        let must_exist = matches!(intent, Intent::Open);
        Self {
            path: path.to_owned(),
            intent,
            options: OpenOptions { must_exist, ..OpenOptions::default() },
            reidentify: false,
            migrations: Vec::new(),
            models: None,
            transports: Vec::new(),
            peers: Vec::new(),
            registry: None,
            context: RuntimeHost::context(),
        }
    }

    pub(super) fn create(path: &Path) -> Self {
        Self::new(path, Intent::Create)
    }

    pub(super) fn existing(path: &Path) -> Self {
        Self::new(path, Intent::Open)
    }

    pub(super) fn join(path: &Path, invite: Invite) -> Self {
        Self::new(path, Intent::Join(Box::new(invite)))
    }

    /// Runs the application's migrations when the space opens. May be called again; they run in this order, in one
    /// transaction with everything else that opening does, and foreign keys are in force.
    pub fn migrate<M: MigratorTrait + 'static>(self) -> Self {
        self.migrate_with(|tx| M::up(tx, None))
    }

    /// Makes or changes tables by hand when the space opens, as [`Self::migrate`]. It runs at every opening, so
    /// write `CREATE TABLE IF NOT EXISTS`.
    pub fn migrate_with<F>(mut self, migration: F) -> Self
    where
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> BoxFuture<'a, Result<(), DbErr>> + Send + 'static,
    {
        self.migrations.push(Box::new(migration));
        self
    }

    /// Listens for other devices at `url`. May be called again.
    pub fn transport(mut self, url: impl Into<String>) -> Self {
        self.transports.push(url.into());
        self
    }

    /// Keeps a connection to the device at `url`, which may be away. May be called again.
    pub fn peer(mut self, url: impl Into<String>) -> Self {
        self.peers.push(url.into());
        self
    }

    /// Syncs these models instead of all that are linked into the program; see
    /// [`registered`](crate::registered).
    pub fn models(mut self, models: impl IntoIterator<Item = &'static Registration>) -> Self {
        self.models = Some(models.into_iter().collect());
        self
    }

    /// Finds transports here instead of among those that are linked into the program.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Takes time, tasks and randomness for plugins and sessions from here; for tests with a clock of their own.
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// How long a write waits for other transactions before it fails. 30 s unless told.
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.options.turn = limit;
        self.options.own_transaction = self.options.own_transaction.min(limit);
        self
    }

    /// Goes on as a new device when the device's key is lost or damaged. What it wrote under its old key and never
    /// sent may be lost to others.
    pub fn reidentify(mut self) -> Self {
        self.reidentify = true;
        self
    }

    /// Opens the space: the database, migrations, the catalog of models, capture, adoption of rows that were there
    /// before, then the ways to other devices. From here on it syncs by itself.
    pub async fn open(self) -> Result<Space> {
        opening::open(self).await
    }
}
