//! A natural key: equal seeds on two devices are one row.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "setting")]
#[sync(shared, natural_key("namespace", "slug"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which the drain fills in.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Option<Uuid>,
    /// First half of the key.
    #[sea_orm(unique_key = "key")]
    pub namespace: String,
    /// Second half of the key.
    #[sea_orm(unique_key = "key")]
    pub slug: String,
    /// Plain.
    pub value: String,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
