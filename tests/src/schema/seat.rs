//! Unique values that only the database can tell: one counts where a reference is set, one is an expression.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One seat.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "seat")]
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
    /// Taken once among those with a project.
    pub name: String,
    /// Taken once on a line, whatever its case.
    pub code: Option<String>,
    /// The line.
    pub line: i64,
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
