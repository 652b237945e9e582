//! The cases, one file for each question of the table.

mod apply;
mod case;
mod catch_up;
mod delete;
mod idle;
mod insert;
mod metadata;
mod million;
mod offline;
mod propagation;
mod update;
mod wire;

pub(crate) use case::{Case, Extent};
