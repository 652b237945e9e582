//! The commands, a file each.

mod collect;
mod dispatch;
mod doctor;
mod find;
mod index;
mod listing;
mod ls;
mod serve;
mod status;
mod tag;

pub(crate) use dispatch::run;
pub(crate) use tag::count_uses;
