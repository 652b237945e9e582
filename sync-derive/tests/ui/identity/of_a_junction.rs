//! A junction whose primary key is the pair of its parents.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag_entry")]
#[sync(shared, identity("tag_id", "entry_id"))]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tag_id: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: i32,
    #[sync(id)]
    pub uuid: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
