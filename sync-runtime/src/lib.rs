//! The engine of sync-kit on an application's SQLite database.

mod apply;
mod capture;
pub mod catalog;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "the space uses it"))]
mod connection;
pub mod derived;
mod engine;
pub mod error;
#[expect(dead_code, reason = "the space uses it")]
#[cfg_attr(not(test), expect(unused_imports, reason = "the space uses it"))]
mod exchange;
pub mod host;
pub mod registration;
mod store;

pub use connection::{SpaceStream, SpaceTransaction, SpaceTransactionStream};
pub use error::{Error, ErrorKind, Result};
pub use exchange::{Direction, PeerState, PeerStatus};

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
