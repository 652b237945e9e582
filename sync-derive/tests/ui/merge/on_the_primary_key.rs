//! The primary key does not merge.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(shared)]
pub struct Model {
    #[sea_orm(primary_key)]
    #[sync(merge = "max")]
    pub id: i32,
    #[sync(id)]
    pub uuid: Uuid,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
