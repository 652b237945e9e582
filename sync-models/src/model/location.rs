//! A location: a folder that a device indexes.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One indexed folder.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "location")]
#[sync(device_owned(owner = "device_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The device that indexes it and owns what is in it.
    #[sea_orm(unique_key = "device_path")]
    pub device_id: i64,
    /// Absolute path on the device.
    #[sea_orm(unique_key = "device_path")]
    pub path: String,
    /// The volume it is on, when known.
    pub volume_id: Option<i64>,
    /// What people call it.
    pub name: String,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The device that indexes it.
    #[sea_orm(
        belongs_to = "super::device::Entity",
        from = "Column::DeviceId",
        to = "super::device::Column::Id",
        on_delete = "Cascade"
    )]
    Device,
    /// The volume it is on.
    #[sea_orm(
        belongs_to = "super::volume::Entity",
        from = "Column::VolumeId",
        to = "super::volume::Column::Id",
        on_delete = "SetNull"
    )]
    Volume,
    /// What is in it.
    #[sea_orm(has_many = "super::entry::Entity")]
    Entry,
}

impl Related<super::device::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Device.def()
    }
}

impl Related<super::volume::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Volume.def()
    }
}

impl Related<super::entry::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Entry.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A location of `device` at `path`.
pub fn new(
    id: Uuid,
    device: &super::device::Model,
    path: impl Into<String>,
    name: impl Into<String>,
) -> ActiveModel {
    ActiveModel {
        uuid: Set(id),
        device_id: Set(device.id),
        path: Set(path.into()),
        name: Set(name.into()),
        ..Default::default()
    }
}
