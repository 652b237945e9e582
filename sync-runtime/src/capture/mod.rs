//! From what the triggers noted to changesets.

mod ahead;
mod author;
mod changes;
mod drain;
mod gather;
pub(crate) mod guard;
mod identities;
mod inserts;
pub(crate) mod install;
mod notes;
mod shadowed;
mod summary;
#[cfg(test)]
mod tests;
mod touched;
pub(crate) mod triggers;

pub(crate) use ahead::Ahead;
pub(crate) use author::{Writer, fits, shown_value};
pub(crate) use drain::{Committed, Moment, drain};
