//! Columns have names.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub struct Model(#[sync(id)] pub u128);

fn main() {}
