//! The engine of sync-kit on an application's SQLite database.

// What the application declares, checked against its database.
pub mod registration;

pub mod catalog;

// The database: connections with a hook before every commit, and the framework's tables.
mod connection;

mod store;

// ORDER: from here on the modules stand in the order in which data flows, out of the device and into another.
// Blank lines keep it, because rustfmt sorts what stands together.
mod capture;

mod serve;

mod exchange;

mod ingest;

mod apply;

pub mod derived;

// Beside the flow: everything that came of it, compared.
mod audit;

mod event;

// What holds the parts together, and what they are given.
mod engine;

mod space;

pub mod error;

pub mod host;

pub use audit::{Audit, Finding, RepairBy, Repaired};
pub use connection::{SpaceStream, SpaceTransaction, SpaceTransactionStream};
pub use error::{Error, ErrorKind, Result};
pub use event::{Events, SyncEvent};
pub use exchange::{Direction, PeerState, PeerStatus};
pub use host::new_id;
pub use registration::{registered, registration_of};
pub use space::{Digest, HiddenRecord, Invite, InviteError, Space, SpaceBuilder, Status};

/// What the derive's output names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    /// First version of the derive's contract.
    pub mod v1 {
        pub use crate::registration::*;
        pub use inventory;
        pub use sea_orm;
    }
}
