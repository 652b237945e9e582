//! A junction: the pair is the identity.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One label on one project.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "assignment")]
#[sync(shared, identity("label_id", "project_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which the drain fills in.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Option<Uuid>,
    /// The label.
    #[sea_orm(unique_key = "pair")]
    pub label_id: i64,
    /// The project.
    #[sea_orm(unique_key = "pair")]
    pub project_id: i64,
    /// Plain.
    pub weight: i64,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// What `label_id` refers to.
    #[sea_orm(
        belongs_to = "super::label::Entity",
        from = "Column::LabelId",
        to = "super::label::Column::Id",
        on_delete = "Cascade"
    )]
    Label,

    /// What `project_id` refers to.
    #[sea_orm(
        belongs_to = "super::project::Entity",
        from = "Column::ProjectId",
        to = "super::project::Column::Id",
        on_delete = "Cascade"
    )]
    Project,
}

impl ActiveModelBehavior for ActiveModel {}
