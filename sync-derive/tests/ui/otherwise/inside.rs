//! It stands beside, not inside.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(device_owned(owner = "device_id", otherwise = "shared"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: Uuid,
    pub device_id: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
