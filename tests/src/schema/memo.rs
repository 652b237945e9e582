//! A child that stays without its project.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One memo.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "memo")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The project.
    pub project_id: Option<i64>,
    /// Plain.
    pub text: String,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// What `project_id` refers to.
    #[sea_orm(
        belongs_to = "super::project::Entity",
        from = "Column::ProjectId",
        to = "super::project::Column::Id",
        on_delete = "SetNull"
    )]
    Project,
}

impl ActiveModelBehavior for ActiveModel {}
