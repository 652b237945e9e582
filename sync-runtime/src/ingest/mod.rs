//! From a verified run of changesets to merged state, view, log and vector, in one transaction.

mod owners;
mod run;

pub(crate) use run::{Report, fault, ingest};
