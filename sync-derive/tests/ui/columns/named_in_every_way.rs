//! Every way in which SeaORM names a column. Each field but the id has a rule, so that all names are registered.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "renamed", rename_all = "camelCase")]
#[sync(shared)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[sync(id)]
    pub record_id: Uuid,
    #[sync(skip)]
    pub two_words: i32,
    #[sync(skip)]
    #[sea_orm(column_name = "By_Hand")]
    pub other: i32,
    #[sync(skip)]
    pub r#type: i32,
    #[sync(skip)]
    pub _edge_: i32,
    #[sync(skip)]
    pub part2of3: i32,
    #[sync(skip)]
    #[sea_orm(enum_name = "AnotherVariant")]
    pub variant: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
