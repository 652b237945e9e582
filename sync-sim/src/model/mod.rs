//! Model simulation: many devices of the pure core under a seeded scheduler, with virtual clocks and faults.
//!
//! # An operation
//!
//! An *operation* is one step of the scheduler that did something: a committed transaction, making it durable, a
//! message sent or delivered, a heartbeat, a fault, time passing ([`Action`] lists them). A step for which there was
//! nothing to do is not counted, and neither is anything that happens while the run is being brought to rest.
//!
//! # A run
//!
//! Everything is drawn from the seed before anything happens: how many devices, who is linked to whom, how far each
//! clock is off, and how often each kind of step comes; about half of the kinds of faults are left out of each run
//! (swarm testing). Then come the steps, each followed by the checks of [`Check`]; then the faults end, all become
//! equal within a bounded number of rounds, and the final state is compared with the reference. Two runs of a seed are
//! the same, step by step ([`Run::trace`]). A run that fails is cut down to a smallest list of steps that still fails
//! the same way.
//!
//! # What is real in it
//!
//! Clock, vector, encoding of headers and bodies, chain, stamping and merge are those of `sync-core`. Of a hundred seeds
//! one runs over its sessions, with handshake, seal and signatures ([`Setting::sealed`]); the others use a plain
//! exchange that offers what the other's vector lacks, over links that may lose, repeat and reorder messages, because a
//! signature costs more than all else. Faults that are not simulated yet stand in [`NOT_YET`].

mod action;
mod author;
mod changeset;
mod checker;
mod device;
mod heal;
mod plain;
mod plant;
mod records;
mod run;
mod sealed;
mod shrink;
#[cfg(test)]
mod tests;
mod world;

pub use action::{Action, NOT_YET, Setting};
pub use checker::{Check, Failure};
pub use plant::{Found, Plant, find};
pub use run::{Broken, Run, execute, plan, run_seed};
pub use shrink::shrink;
pub use world::Tally;
