//! The application's database as SeaORM sees it: one writer, several readers, a hook before every commit. Nothing
//! here knows what is captured or where it goes.

mod bulk;
mod database;
mod hook;
mod keywords;
mod pool;
mod stream;
#[cfg(test)]
mod tests;
mod transaction;
mod writer;

pub(crate) use database::Database;
pub(crate) use hook::{CommitHook, Token};
pub(crate) use pool::OpenOptions;
pub use stream::{SpaceStream, SpaceTransactionStream};
pub use transaction::SpaceTransaction;
