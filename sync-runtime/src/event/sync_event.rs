//! The events.

use std::sync::Arc;

use sync_core::{
    changeset::Name,
    hlc::Skew,
    ids::{DeviceId, Origin, RecordId, Seq},
};

/// Something that concerns the application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncEvent {
    /// Rows were inserted, changed or deleted by what came from others; one event for each model of a transaction.
    Applied {
        /// Wire name of the model.
        model: Name,
        /// The records.
        records: Arc<[RecordId]>,
    },
    /// A record cannot be shown: it would break a constraint. `Space::hidden` lists all of them.
    Hidden {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
        /// Why, in words.
        reason: String,
    },
    /// A record that was hidden is in its table again.
    Shown {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
    },
    /// A changeset breaks a rule on which all members agree; nothing of it is applied anywhere.
    Refused {
        /// Who made it.
        origin: Origin,
        /// Its number.
        seq: Seq,
        /// Why, in words.
        reason: String,
    },
    /// A device's clock is far ahead. What it wrote is applied like anything else.
    ClockSkew {
        /// The device.
        origin: Origin,
        /// Its stamp and the time here.
        skew: Skew,
    },
    /// A peer holds changesets of this device that the device has not: its database is an older copy of itself. It goes
    /// on under a new incarnation, so that no number is given twice, and gets back what it lost.
    NewIncarnation {
        /// What it was.
        before: Origin,
        /// What it is.
        now: Origin,
        /// The last changeset that it had.
        held: Seq,
        /// The last that the peer has.
        known: Seq,
    },
    /// A peer proved itself; data flows.
    PeerUp {
        /// The peer.
        device: DeviceId,
    },
    /// A peer is gone.
    PeerDown {
        /// The peer.
        device: DeviceId,
        /// Why, in words.
        reason: String,
    },
    /// Something failed in the background.
    Trouble {
        /// What was being done.
        operation: &'static str,
        /// What went wrong, in words.
        detail: String,
        /// It is tried again by itself.
        retried: bool,
    },
    /// How far catching up with a peer has come, in changesets.
    Progress {
        /// The peer.
        device: DeviceId,
        /// Held here.
        held: u64,
        /// Held here or there.
        of: u64,
    },
    /// The application was slower than the events; so many are lost. Read the database afresh.
    Lagged {
        /// How many.
        missed: u64,
    },
}
