//! The merged state of a record (docs/merge.md, M): a pure join of authored writes. It knows no tables, no clock and
//! no order of arrival.

mod author;
mod changes;
mod check;
mod codec;
mod counter;
mod field;
mod json;
#[cfg(test)]
mod laws;
mod record;
#[cfg(test)]
mod reference;
mod register;
mod residue;
#[cfg(test)]
mod scenarios;
mod set;
mod view;

pub use author::{
    BeyondEnd, InsertStamp, delete_overwrites, insert_stamp, next_share, reference_overwrites,
    write_overwrites, write_stamp,
};
pub use check::{InvalidChange, check};
pub use codec::RecordError;
pub use counter::{Amount, Counter};
pub use field::FieldState;
pub use json::InvalidJson;
pub use record::{DeletePolicy, Joined, Over, Record};
pub use register::{Extreme, Register};
pub use set::{Dot, Presence, SetOperation, SetState, diff};
pub use view::{Resolution, claim_order, reads_null, resolution, resolves};
