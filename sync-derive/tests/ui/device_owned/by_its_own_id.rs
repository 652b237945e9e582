//! A row that owns itself; the record id is the primary key.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "device")]
#[sync(device_owned(owner = "uuid"))]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[sync(id)]
    pub uuid: Uuid,
    pub name: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
