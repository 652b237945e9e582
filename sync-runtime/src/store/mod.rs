//! The `_sync_` tables in the application's database.

pub(crate) mod schema;
