//! SeaORM knows nothing of the struct.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub struct Model {
    #[sync(id)]
    pub uuid: u128,
}

fn main() {}
