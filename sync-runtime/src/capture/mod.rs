//! From a row change, whoever made it, to a note of it.

pub(crate) mod install;
pub(crate) mod triggers;
