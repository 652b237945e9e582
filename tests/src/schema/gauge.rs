//! The merges that are not last-writer-wins.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One gauge.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "gauge")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Counted.
    #[sync(merge = "counter")]
    pub total: i64,
    /// Largest.
    #[sync(merge = "max")]
    pub best: i64,
    /// Smallest.
    #[sync(merge = "min")]
    pub worst: i64,
    /// A JSON array.
    #[sync(merge = "set")]
    pub marks: String,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
