//! The closure tables: who is below whom, at which depth, so that a subtree is one indexed query. They are
//! local, follow their source models in the same transaction, and are brought up to date for what changed only.

pub mod entry_closure;
mod keys;
pub mod tag_closure;
#[cfg(test)]
mod tests;
