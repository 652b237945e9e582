//! This device's engine on one database.

mod adopt;
mod digest;
mod held;
mod hidden;
pub(crate) mod incarnation;
pub(crate) mod local;
mod news;
mod replica;
mod running;
mod statements;

pub(crate) use running::{Engine, EngineParts};
