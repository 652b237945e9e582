//! Tests of sessions against a store in memory. No IO, no clock; every random choice comes from a printed seed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

mod greeting;
mod hostile;
mod pair;
mod shuffle;
mod simulation;
mod store;
mod traffic;
