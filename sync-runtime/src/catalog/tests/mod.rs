//! Catalogs from hand-made registrations and real entities, on real databases.

mod described;
mod mistakes;
mod models;
mod relations;
pub(crate) mod support;
