//! A model is one table.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub struct Model<T> {
    #[sync(id)]
    pub uuid: T,
}

fn main() {}
