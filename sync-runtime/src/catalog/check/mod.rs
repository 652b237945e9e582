//! From drafts in dependency order to models; one file for each thing that is checked.

mod assemble;
mod columns;
mod constraints;
mod keys;
pub(super) mod names;
mod ownership;
mod references;
mod rules;

pub(super) use assemble::models;
