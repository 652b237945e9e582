//! Groups have names like models.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(shared)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: Uuid,
    #[sync(group = "My Group")]
    pub a: i64,
    #[sync(group = "My Group")]
    pub b: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
