//! Fuzz targets: for every parser of outside bytes a function that takes any bytes and panics when the parser does
//! something that it must not; and a seeded mutational fuzzer for them on a stable toolchain.
//!
//! A target demands: a value or a typed error, no panic; what was decoded survives being written and read again, byte
//! for byte where the format has one form only; memory and work in proportion to the input. It must not know SeaORM
//! or a database.
#![expect(clippy::missing_panics_doc, reason = "to panic on what is wrong is what a target is for")]

pub mod allocation;
pub mod corpus;
pub mod engine;
pub mod hostile;
pub mod mutate;
pub mod outcome;
pub mod planted;
pub mod random;
pub mod samples;
pub mod targets;

/// Counts what every thread allocates, in whatever links this crate.
#[global_allocator]
static COUNTING: allocation::Counting = allocation::Counting;
