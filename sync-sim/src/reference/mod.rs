//! The reference model of docs/merge.md, sections 1 to 4: what M and V are, said the obvious way.
//!
//! It keeps every authored write and computes everything from all of them, each time anew. It is slow on purpose, and
//! it knows the types that travel but none of the code that merges them. [`merge`] gives M, [`view`] gives V, and
//! [`violations`] says which of the schema's own constraints a view breaks. [`observed`] reads a merged state of
//! `sync-core` in the same form, so that both can be compared as a whole.
//!
//! Left out: the path to the owner of a device-owned row (only who claimed its id counts), and fields and models that
//! the schema does not name, which M keeps and V does not show.

mod merged;
mod observed;
mod schema;
#[cfg(test)]
mod tests;
mod view;

pub use merged::{Merged, MergedRecord, MergedValue, Place, merge};
pub use observed::{observed, observed_record};
pub use schema::{Check, Delete, Field, Model, OnDelete, Reference, Row, Schema, Unique};
pub use view::{Shown, View, Why, view, violations};
