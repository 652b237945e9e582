//! Every mistake is reported, each at its place.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(shared, name = "Tag", delete = "never")]
#[sync(natural_key("slog"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: String,
    #[sync(merge = "counter")]
    pub slug: String,
    #[sync(skip, merge = "max")]
    pub uses: i64,
    #[sync(group = "alone")]
    pub rank: i64,
    #[sync(secret)]
    pub pin: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
