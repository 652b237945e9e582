//! Merged state and view, written to the tables in one transaction. What it reads and decides is recomputed by
//! every replica alike; it authors nothing.

mod bulk;
mod check;
mod claims;
pub(crate) mod context;
mod join;
pub(crate) mod load;
mod own_notes;
mod place;
mod rows;
pub(crate) mod settle;
mod verdict;

pub(crate) use bulk::{Source, insert as insert_bulk, is_eligible};
pub(crate) use join::{Incoming, apply_changes};
pub(crate) use own_notes::{OwnNotes, Written};
pub(crate) use verdict::Reason;
