//! Owned by the device whose id it holds.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One reading.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "reading")]
#[sync(device_owned(owner = "device"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The owner's device id.
    pub device: Uuid,
    /// Plain.
    pub place: String,
    /// Plain.
    pub value: i64,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
