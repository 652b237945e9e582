//! A model is a struct.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub union Model {
    pub id: i32,
}

fn main() {}
