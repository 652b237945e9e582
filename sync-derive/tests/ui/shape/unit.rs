//! A model has columns.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub struct Model;

fn main() {}
