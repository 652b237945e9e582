//! What a device makes of bad input over a real link: from strangers, from members who lie, and from members who sign
//! what no engine writes. Each time the tables of the attacked device must stay as they are or as every member agrees,
//! and an honest device beside goes on syncing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "a failure names its seed")]

// Each module lists its tests with it.
#[macro_use]
extern crate sync_tests;

mod clocks;
mod contents;
mod forgery;
mod frames;
mod greetings;
mod names;
mod strangers;
