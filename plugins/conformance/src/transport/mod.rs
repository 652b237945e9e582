//! The behaviours of transports, by what they are about.

mod cuts;
mod dialling;
mod ending;
mod exchange;
mod flow;
mod limits;
mod listening;
mod strangers;
mod suite;

pub use suite::{Behavior, Needs, Report, behaviors, check_one, run_all, run_one, some_apply};
