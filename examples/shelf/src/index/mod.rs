//! Indexing a folder: walk it, hash what is new or changed in parallel threads, write it in transactions of
//! several thousand entries. Each stage hands the next a bounded number of batches.

mod hash;
mod run;
mod walk;
mod write;

pub(crate) use run::{Indexed, index};
