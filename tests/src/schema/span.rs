//! A group with a CHECK over both of its columns.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One span.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "span")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Not above `high`.
    #[sync(group = "bounds")]
    pub low: i64,
    /// Not below `low`.
    #[sync(group = "bounds")]
    pub high: i64,
    /// Plain.
    pub title: String,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
