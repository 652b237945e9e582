//! A model whose deletes lose against concurrent writes.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One sketch.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "sketch")]
#[sync(shared, delete = "loses")]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Plain.
    pub title: String,
    /// Plain.
    pub body: String,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
