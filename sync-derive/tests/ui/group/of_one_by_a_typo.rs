//! A group of nearly that name exists.

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
    #[sync(group = "span")]
    pub a: i64,
    #[sync(group = "span")]
    pub b: i64,
    #[sync(group = "spam")]
    pub c: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
