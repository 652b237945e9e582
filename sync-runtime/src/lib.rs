//! The engine of sync-kit on an application's SQLite database.

mod apply;
mod capture;
pub mod catalog;
mod connection;
pub mod derived;
mod engine;
pub mod error;
mod event;
mod exchange;
pub mod host;
mod ingest;
pub mod registration;
mod serve;
mod space;
mod store;

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
