//! Whether the database, the versions beside its rows and the log say the same, and what to do where they do not.
//! Everything is compared with what the origins signed, as a peer would check it; the tables are never believed
//! because they are there.

mod compare;
mod history;
mod repair;
mod report;
mod tables;

pub(crate) use repair::repair;
pub use report::{Audit, Finding, RepairBy, Repaired};
pub(crate) use tables::audit;
