//! The `_sync_` tables in the application's database, and how the engine reads and writes SQL.

pub(crate) mod batch;
pub(crate) mod compress;
pub(crate) mod db;
pub(crate) mod key;
pub(crate) mod model_sql;
pub(crate) mod origins;
pub(crate) mod packed;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod versions;
