//! `ModelEx` is passed over only as the double that SeaORM makes.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub struct ModelEx {
    #[sync(id)]
    pub uuid: u128,
}

fn main() {}
