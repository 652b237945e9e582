//! One field of every rule.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "rules")]
#[sync(shared, delete = "loses")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: Option<Uuid>,
    pub name: String,
    #[sync(merge = "counter")]
    pub uses: i64,
    #[sync(merge = "max")]
    pub last_used: Option<DateTimeUtc>,
    #[sync(merge = "min")]
    pub first_used: u64,
    #[sync(merge = "set")]
    pub labels: Json,
    #[sync(group = "span")]
    pub starts: i64,
    #[sync(group = "span", merge = "lww")]
    pub ends: i64,
    #[sync(skip)]
    pub thumbnail: Option<Vec<u8>>,
    #[sea_orm(ignore)]
    pub cached: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
