//! The pure core of sync-kit: ids, clock, vectors, changesets, codec, merge and sessions as state machines.
//!
//! Nothing here does IO, reads a clock or draws a random number; the crate knows neither SeaORM nor tokio nor
//! files and builds for `wasm32-unknown-unknown`.

pub mod authorship;
pub mod changeset;
pub mod hlc;
pub mod ids;
pub mod merge;
pub mod session;
pub mod value;
pub mod vector;
pub mod wire;
