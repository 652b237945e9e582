//! This device's engine on one database.

pub(crate) mod local;
