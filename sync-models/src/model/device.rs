//! A device: an installation that writes. Its record id is its device id, so it owns its own row.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One device of the library.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "device")]
#[sync(device_owned(owner = "uuid"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which is the device id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// What people call it.
    pub name: String,
    /// Operating system, such as `linux`.
    pub os: Option<String>,
    /// Make and model of the hardware.
    pub hardware: Option<String>,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The volumes attached to the device.
    #[sea_orm(has_many = "super::volume::Entity")]
    Volume,
    /// The locations that the device indexes.
    #[sea_orm(has_many = "super::location::Entity")]
    Location,
}

impl Related<super::volume::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Volume.def()
    }
}

impl Related<super::location::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Location.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A device under its device id.
pub fn new(device_id: Uuid, name: impl Into<String>) -> ActiveModel {
    ActiveModel { uuid: Set(device_id), name: Set(name.into()), ..Default::default() }
}
