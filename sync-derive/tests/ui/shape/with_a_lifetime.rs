//! A model owns its values.

use sync_derive::Syncable;

#[derive(Syncable)]
#[sync(shared)]
pub struct Model<'a> {
    #[sync(id)]
    pub uuid: &'a u128,
}

fn main() {}
