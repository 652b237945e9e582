//! The exchange over the memory transport, with a replica in memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod fake;
mod links;
mod troubles;
