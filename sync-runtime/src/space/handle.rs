//! The handle on an open space.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use sync_core::{
    ids::{DeviceId, SpaceId},
    vector::VersionVector,
};
use sync_plugin::{TaskHandle, Url};

use super::{
    builder::SpaceBuilder,
    device::Identity,
    invite::{Invite, MAX_ADDRESSES},
    network::Network,
    report::{Digest, HiddenRecord, Status},
};
use crate::{
    Audit, Error, ErrorKind, RepairBy, Repaired, Result,
    catalog::Catalog,
    connection::Database,
    engine::Engine,
    event::{EventSender, Events},
};

/// An application's database that syncs. It is a connection of SeaORM: read and write through it as through a
/// `DatabaseConnection`; nothing else has to be called. Cheap to clone; the space closes with its last handle, or in
/// good order by [`Space::close`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use sync_runtime::Space;
///
/// let laptop = Space::create("laptop.db").transport("ws://127.0.0.1:0").open().await?;
/// let phone = Space::join("phone.db", laptop.invite()?).open().await?;
/// phone.caught_up_with(&laptop.vector().await?).await?;
/// assert_eq!(phone.digest().await?, laptop.digest().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Space {
    shared: Arc<Shared>,
}

/// What all handles of a space share.
pub(super) struct Shared {
    // ORDER: tasks and links end before the connections that they use.
    pub(super) tasks: Mutex<Vec<TaskHandle>>,
    pub(super) network: Network,
    pub(super) engine: Arc<Engine>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) identity: Identity,
    pub(super) events: EventSender,
    pub(super) database: Arc<Database>,
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Space")
            .field("path", &self.shared.database.path())
            .field("origin", &self.shared.engine.origin())
            .finish_non_exhaustive()
    }
}

impl Space {
    /// Makes a space in the database at `path`, which may hold the application's tables already.
    pub fn create(path: impl AsRef<Path>) -> SpaceBuilder {
        SpaceBuilder::create(path.as_ref())
    }

    /// Opens the space in the database at `path`.
    pub fn open(path: impl AsRef<Path>) -> SpaceBuilder {
        SpaceBuilder::existing(path.as_ref())
    }

    /// Makes the database at `path` a member of the space of a join code. Joining again is the same as opening.
    pub fn join(path: impl AsRef<Path>, invite: Invite) -> SpaceBuilder {
        SpaceBuilder::join(path.as_ref(), invite)
    }

    pub(super) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn database(&self) -> &Database {
        &self.shared.database
    }

    /// The space's id, the same on all members.
    pub fn id(&self) -> SpaceId {
        self.shared.identity.space
    }

    /// This device.
    pub fn device_id(&self) -> DeviceId {
        self.shared.identity.key.device()
    }

    /// A join code with the addresses at which this device listens. Whoever has it can read and write the space.
    pub fn invite(&self) -> Result<Invite> {
        let addresses = self.addresses();
        if addresses.len() > MAX_ADDRESSES {
            let message = format!("{} addresses, a join code holds {MAX_ADDRESSES}", addresses.len());
            return Err(Error::new(ErrorKind::Configuration, "invite", message));
        }
        Ok(Invite::new(addresses, self.id(), self.shared.identity.space_key.clone()))
    }

    /// Where other devices can reach this one, with what was left open (port 0) filled in.
    pub fn addresses(&self) -> Vec<Url> {
        self.shared.network.addresses()
    }

    /// Keeps a connection to the device at `url` from now on, which may be away.
    pub fn connect(&self, url: impl AsRef<str>) -> Result<()> {
        self.shared.network.connect(url.as_ref())
    }

    /// Ends every connection and dials no more; listeners stay.
    pub fn disconnect_all(&self) {
        self.shared.network.disconnect_all();
    }

    /// What is held here: everything that this program or another one on this device committed before the call, and
    /// all that has arrived.
    pub async fn vector(&self) -> Result<VersionVector> {
        self.shared.engine.foreign_writes().await?;
        Ok(VersionVector::clone(&self.held()))
    }

    fn held(&self) -> Arc<VersionVector> {
        Arc::clone(&self.shared.engine.vector().borrow())
    }

    /// Waits until everything in `vector` is held here. May be cancelled, and should be given a time limit: a
    /// device that has it may be away for long. [`ErrorKind::Closed`] when the space closes first.
    pub async fn caught_up_with(&self, vector: &VersionVector) -> Result<()> {
        let mut held = self.shared.engine.vector();
        let closed = || Error::new(ErrorKind::Closed, "catch up", "the space is closed");
        tokio::select! {
            biased;
            outcome = held.wait_for(|held| held.covers(vector)) => outcome.map(drop).map_err(|_| closed()),
            () = self.shared.events.closed() => Err(closed()),
        }
    }

    /// A hash of what the synced tables contain, for each model; equal on replicas that hold the same. Reads every
    /// synced row.
    pub async fn digest(&self) -> Result<Digest> {
        self.shared.engine.digest().await
    }

    /// Records that are merged and kept but cannot be in their tables, with the reason.
    pub async fn hidden(&self) -> Result<Vec<HiddenRecord>> {
        self.shared.engine.hidden().await
    }

    /// Compares the tables, the versions beside their rows and the log with what the origins signed. Reads everything,
    /// and takes about as long as receiving the whole space anew; other work goes on meanwhile.
    pub async fn audit(&self) -> Result<Audit> {
        self.shared.engine.audit().await
    }

    /// Puts right what [`Self::audit`] finds, as far as the log can: rows that were never noticed are taken up as
    /// written here, and where a row and its changesets differ, `by` says whom to believe. Nobody else writes
    /// meanwhile.
    pub async fn repair(&self, by: RepairBy) -> Result<Repaired> {
        self.shared.engine.repair(by).await
    }

    /// News from now on.
    pub fn events(&self) -> Events {
        self.shared.events.subscribe()
    }

    /// The space at a glance.
    pub fn status(&self) -> Status {
        Status {
            path: self.shared.database.path().to_owned(),
            space: self.id(),
            origin: self.shared.engine.origin(),
            addresses: self.addresses(),
            peers: self.shared.network.peers(),
            vector: self.held(),
            models: self.shared.catalog.models.iter().map(|model| model.name.clone()).collect(),
        }
    }

    /// Ends connections and tasks, waits for what runs, and closes the database. Other handles of the space answer
    /// [`ErrorKind::Closed`] afterwards.
    pub async fn close(self) -> Result<()> {
        let shared = &self.shared;
        shared.network.shutdown().await;
        shared.tasks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let origin = shared.engine.origin();
        let counted = shared.identity.folder.write_counter(origin.incarnation, self.held().head(&origin));
        shared.database.close().await;
        shared.events.close();
        counted
    }
}
