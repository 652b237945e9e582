//! A name that is UNIQUE, a counter, and one plain field.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "label")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Unique.
    #[sea_orm(unique)]
    pub name: String,
    /// Plain.
    pub colour: Option<String>,
    /// Counted.
    #[sync(merge = "counter")]
    pub uses: i64,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
