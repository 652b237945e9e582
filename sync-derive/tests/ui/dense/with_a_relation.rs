//! The dense format with a relation to itself.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "dense")]
#[sync(shared)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    #[sea_orm(unique)]
    pub uuid: Uuid,
    #[sync(merge = "counter")]
    pub uses: i64,
    pub parent_id: Option<i32>,
    #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id", on_delete = "SetNull")]
    pub parent: BelongsTo<Option<Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
