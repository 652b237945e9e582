//! The suites that a plugin runs against itself, in this repository and elsewhere. A suite knows the contract of
//! `sync-plugin` and nothing about any plugin.
#![doc = include_str!("../docs.md")]

mod frames;
mod harness;
mod host;
pub mod transport;

pub use harness::{Failure, Harness, Outcome, RawAccess};
pub use host::TokioHost;
