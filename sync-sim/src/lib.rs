//! Puts `sync-core` to the proof: a reference model of docs/merge.md, and simulations that compare with it.
//!
//! Of the project's crates only `sync-core` is known here. The reference uses the types that travel (changes, stamps,
//! values) and none of the code that merges them.

pub mod model;
pub mod random;
pub mod reference;
pub mod schedules;
