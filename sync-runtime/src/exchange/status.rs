//! What is known of each peer, for whoever asks.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sync_core::{ids::DeviceId, vector::VersionVector};

/// Who opened a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// This side dialled.
    Dialled,
    /// The peer dialled.
    Accepted,
}

/// How far it is with a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerState {
    /// The address is being dialled.
    Dialling,
    /// There is a link, and the peer has not proved itself yet.
    Greeting,
    /// Changes flow.
    Live,
    /// The next attempt waits, after an error or because there is another session with the same device.
    Waiting,
}

/// What is known of a peer.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// The device, once it has proved itself.
    pub device: Option<DeviceId>,
    /// Where, without secrets.
    pub address: String,
    /// Who opened the link.
    pub direction: Direction,
    /// How far it is.
    pub state: PeerState,
    /// Why the last session or attempt ended.
    pub last_error: Option<String>,
    /// What the peer is known to hold.
    pub vector: Arc<VersionVector>,
    /// Bytes of frames received from this address.
    pub bytes_in: u64,
    /// Bytes of frames handed to the link to this address.
    pub bytes_out: u64,
    /// Bytes of changes that were sent and not acknowledged.
    pub in_flight: u64,
}

/// The live form of a [`PeerStatus`].
#[derive(Debug)]
pub(super) struct Status {
    known: Mutex<PeerStatus>,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    in_flight: AtomicU64,
}

impl Status {
    pub(super) fn new(address: String, direction: Direction, state: PeerState) -> Self {
        Self {
            known: Mutex::new(PeerStatus {
                device: None,
                address,
                direction,
                state,
                last_error: None,
                vector: Arc::default(),
                bytes_in: 0,
                bytes_out: 0,
                in_flight: 0,
            }),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
        }
    }

    /// Changes and reads what is known. Every change is a few plain assignments, so a panic elsewhere leaves it whole.
    pub(super) fn known(&self) -> MutexGuard<'_, PeerStatus> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn in_flight(&self, bytes: usize) {
        self.in_flight.store(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> PeerStatus {
        let mut status = self.known().clone();
        status.bytes_in = self.bytes_in.load(Ordering::Relaxed);
        status.bytes_out = self.bytes_out.load(Ordering::Relaxed);
        status.in_flight = self.in_flight.load(Ordering::Relaxed);
        status
    }
}
