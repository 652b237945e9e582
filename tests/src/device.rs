//! A device of a test: a space on a database in a folder of its own, which can be closed and opened again.

use std::{ops::Deref, path::PathBuf, sync::Mutex, time::Duration};

use sea_orm::ConnectionTrait;
use sync_core::ids::DeviceId;
use sync_runtime::{Events, Invite, PeerState, Space, SpaceBuilder, SyncEvent, registration::Registration};
use tempfile::TempDir;
use uuid::Uuid;

pub use crate::clock::{clock_ahead, hurried};
use crate::schema;

/// Longest that anything may take on a loaded machine before a test says that it never happens.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How frames travel between the devices of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Inside the process.
    Memory,
    /// Sockets on loopback.
    WebSocket,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Memory, Self::WebSocket];

    /// Where a device listens.
    pub fn url(self) -> &'static str {
        match self {
            Self::Memory => "memory://",
            Self::WebSocket => "ws://127.0.0.1:0",
        }
    }
}

/// Which models a device syncs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Models {
    /// Those of [`schema`].
    Own,
    /// Those of `sync-models`.
    Library,
}

impl Models {
    fn registrations(self) -> Vec<&'static Registration> {
        let own = schema::models();
        match self {
            Self::Own => own,
            Self::Library => sync_runtime::registered()
                .filter(|registration| registration.source.module.starts_with("sync_models"))
                .collect(),
        }
    }

    /// `builder` with these models and the migration that makes their tables.
    pub fn on(self, builder: SpaceBuilder) -> SpaceBuilder {
        let builder = builder.models(self.registrations());
        match self {
            Self::Own => builder.migrate_with(|tx| {
                Box::pin(async move { tx.execute_unprepared(schema::TABLES).await.map(drop) })
            }),
            Self::Library => builder.migrate::<sync_models::Migrator>(),
        }
    }
}

/// A device; the space is reached through it.
#[derive(Debug)]
pub struct Device {
    space: Space,
    news: Mutex<Events>,
    name: &'static str,
    transport: Transport,
    models: Models,
    folder: TempDir,
}

impl Deref for Device {
    type Target = Space;

    fn deref(&self) -> &Space {
        &self.space
    }
}

impl Device {
    /// The first device of a space.
    pub async fn first(name: &'static str, transport: Transport, models: Models) -> Self {
        Self::first_with(name, transport, models, |builder| builder).await
    }

    /// The first device of a space, with something else said to its builder.
    pub async fn first_with(
        name: &'static str,
        transport: Transport,
        models: Models,
        more: impl FnOnce(SpaceBuilder) -> SpaceBuilder,
    ) -> Self {
        Self::first_in(tempfile::tempdir().unwrap(), name, transport, models, more).await
    }

    /// The first device of a space, whose database may be in `folder` already; see [`path_in`].
    pub async fn first_in(
        folder: TempDir,
        name: &'static str,
        transport: Transport,
        models: Models,
        more: impl FnOnce(SpaceBuilder) -> SpaceBuilder,
    ) -> Self {
        let builder = Space::create(path_in(&folder)).transport(transport.url());
        let space = more(models.on(builder)).open().await.unwrap();
        Self { news: Mutex::new(space.events()), space, name, transport, models, folder }
    }

    /// Another device of the space of `member`, which it is not connected with yet.
    pub async fn join(name: &'static str, member: &Self) -> Self {
        Self::join_with(name, member, |builder| builder).await
    }

    /// Another device of the space of `member`, with something else said to its builder.
    pub async fn join_with(
        name: &'static str,
        member: &Self,
        more: impl FnOnce(SpaceBuilder) -> SpaceBuilder,
    ) -> Self {
        Self::join_in(tempfile::tempdir().unwrap(), name, member, more).await
    }

    /// Another device of the space of `member`, whose database may be in `folder` already; see [`path_in`].
    pub async fn join_in(
        folder: TempDir,
        name: &'static str,
        member: &Self,
        more: impl FnOnce(SpaceBuilder) -> SpaceBuilder,
    ) -> Self {
        let (transport, models) = (member.transport, member.models);
        let builder = Space::join(path_in(&folder), member.offline_invite()).transport(transport.url());
        let space = more(models.on(builder)).open().await.unwrap();
        let device = Self { news: Mutex::new(space.events()), space, name, transport, models, folder };
        // The code's addresses are dialled; tests say who is connected with whom.
        device.disconnect_all();
        device
    }

    fn offline_invite(&self) -> Invite {
        self.space.invite().unwrap()
    }

    /// The device's database file.
    pub fn path(&self) -> PathBuf {
        path_in(&self.folder)
    }

    /// What the test calls it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The device's id as the models hold it.
    pub fn uuid(&self) -> Uuid {
        Uuid::from_bytes(*self.space.device_id().as_bytes())
    }

    /// Closes the space and opens it again; it is not connected with anyone then.
    pub async fn restart(self) -> Self {
        self.restart_with(|builder| builder).await
    }

    /// Closes the space and opens it again, with something else said to its builder.
    pub async fn restart_with(self, more: impl FnOnce(SpaceBuilder) -> SpaceBuilder) -> Self {
        let Self { space, name, transport, models, folder, .. } = self;
        space.close().await.unwrap();
        Self::reopen(folder, name, transport, models, more).await
    }

    /// Closes the space, lets `meanwhile` work on the database file, and opens it again.
    pub async fn restart_after<F: Future<Output = ()>>(self, meanwhile: impl FnOnce(PathBuf) -> F) -> Self {
        let path = self.path();
        self.restart_between(|| meanwhile(path), |builder| builder).await
    }

    /// Closes the space, waits for `meanwhile`, and opens it again with something else said to its builder.
    pub async fn restart_between<F: Future<Output = ()>>(
        self,
        meanwhile: impl FnOnce() -> F,
        more: impl FnOnce(SpaceBuilder) -> SpaceBuilder,
    ) -> Self {
        let Self { space, name, transport, models, folder, .. } = self;
        space.close().await.unwrap();
        meanwhile().await;
        Self::reopen(folder, name, transport, models, more).await
    }

    async fn reopen(
        folder: TempDir,
        name: &'static str,
        transport: Transport,
        models: Models,
        more: impl FnOnce(SpaceBuilder) -> SpaceBuilder,
    ) -> Self {
        let builder = Space::open(path_in(&folder)).transport(transport.url());
        let space = more(models.on(builder)).open().await.unwrap();
        Self { news: Mutex::new(space.events()), space, name, transport, models, folder }
    }

    /// Devices with which changes flow now.
    pub fn peers(&self) -> Vec<DeviceId> {
        let live = self.status().peers.into_iter().filter(|peer| peer.state == PeerState::Live);
        live.filter_map(|peer| peer.device).collect()
    }

    /// What went wrong in the background since this was last asked, for a test that fails.
    pub fn troubles(&self) -> Vec<SyncEvent> {
        let mut news = self.news.lock().unwrap();
        let all = std::iter::from_fn(|| news.try_next());
        all.filter(|event| matches!(event, SyncEvent::Trouble { .. } | SyncEvent::Refused { .. })).collect()
    }

    /// Keeps a connection to `other`.
    pub fn dial(&self, other: &Self) {
        for address in other.addresses() {
            self.space.connect(address.expose()).unwrap();
        }
    }
}

/// Where the database of a device is in its folder.
pub fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("app.db")
}

/// Waits for the first event for which `wanted` answers something.
pub async fn event<T>(events: &mut Events, what: &str, mut wanted: impl FnMut(&SyncEvent) -> Option<T>) -> T {
    let mut seen = Vec::new();
    let search = async {
        loop {
            let Some(event) = events.next().await else { panic!("the space closed before {what}") };
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event);
        }
    };
    let found = tokio::time::timeout(PATIENCE, search).await;
    found.unwrap_or_else(|_| panic!("no event: {what}; seen {seen:#?}"))
}
