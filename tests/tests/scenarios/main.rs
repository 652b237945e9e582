//! What two and three devices do to each other, over the memory and the WebSocket transport.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]

// Each module lists its tests with it.
#[macro_use]
extern crate sync_tests;

mod arriving;
mod audit;
mod capture;
mod deletes;
mod events;
mod identity;
mod library;
mod merging;
mod ownership;
mod references;
mod restored;
mod topology;
mod unique;
mod values;
