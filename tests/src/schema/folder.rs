//! A tree by reference to itself.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "folder")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The folder above.
    pub parent_id: Option<i64>,
    /// Plain.
    pub name: String,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// What `parent_id` refers to.
    #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id", on_delete = "Cascade")]
    Parent,
}

impl ActiveModelBehavior for ActiveModel {}
