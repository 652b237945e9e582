//! A model is a struct.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub enum Model {
    One,
}

fn main() {}
