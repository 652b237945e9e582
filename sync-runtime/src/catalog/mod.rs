//! From annotations, SeaORM's metadata and the live schema to a checked, frozen catalog.

mod check;
mod describe;
mod freeze;
mod live;
pub mod model;
mod order;
mod sql;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use describe::describe_entity;
pub use freeze::freeze;
pub use model::*;
