//! Exhaustive small schedules: three devices, every program of a few operations, everything that each device may have
//! seen when it wrote, every order of delivery, with repetition. See [`run`].
//!
//! # What is walked
//!
//! A *program* is a list of operations, each of one of three devices, over two parents and a child that all devices
//! know from the beginning. A *history* adds what each operation's author had received by then: any subset of what
//! others had written, gaps included. A *schedule* is a history with one order in which everything reaches a device.
//!
//! # Why this is every schedule
//!
//! What a device writes depends on nothing but its merged state, its clock and its place, and states of different
//! devices meet only through what was written. Each check of a history shows that a state depends only on which
//! changesets are in it, for every subset and every order of arrival. By induction over the operations a global
//! interleaving differs from a walked schedule only in the order of events that do not touch each other, so each
//! history is walked once with all its orders, rather than once for each interleaving. Repetition changes nothing at
//! any state that is reached, so any number of repetitions anywhere changes nothing.
//!
//! With four operations devices are named in the order in which they first write: another naming is the same history
//! with other device ids, which decide only between equal stamps. Clocks that stand still run with ids in both
//! directions; where one device is ahead, two that write over the same value of it can tie too, and that is walked with
//! ids in one direction. Up to three operations every naming is walked, and what all know may also arrive late.

mod authoring;
mod clocks;
mod family;
mod orders;
mod run;
mod sample;
mod table;
#[cfg(test)]
mod tests;
mod walk;

pub use clocks::Clocks;
pub use family::Family;
pub use run::{Extent, Report, planted, run};
pub use walk::{Counts, Finding, Plant};
