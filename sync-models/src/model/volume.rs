//! A volume: a disk or share that a device has attached.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One volume of a device.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "volume")]
#[sync(device_owned(owner = "device_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The device it is attached to.
    #[sea_orm(unique_key = "device_mount")]
    pub device_id: i64,
    /// Where it is mounted, unique on the device.
    #[sea_orm(unique_key = "device_mount")]
    pub mount_point: String,
    /// What people call it.
    pub name: String,
    /// Such as `ext4`.
    pub file_system: Option<String>,
    /// Size in bytes, at least 0.
    pub total_bytes: Option<i64>,
    /// It can be taken away.
    pub removable: bool,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The device it is attached to.
    #[sea_orm(
        belongs_to = "super::device::Entity",
        from = "Column::DeviceId",
        to = "super::device::Column::Id",
        on_delete = "Cascade"
    )]
    Device,
    /// The locations on it.
    #[sea_orm(has_many = "super::location::Entity")]
    Location,
}

impl Related<super::device::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Device.def()
    }
}

impl Related<super::location::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Location.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A fixed volume of `device`, named after its mount point.
pub fn new(id: Uuid, device: &super::device::Model, mount_point: impl Into<String>) -> ActiveModel {
    let mount_point = mount_point.into();
    ActiveModel {
        uuid: Set(id),
        device_id: Set(device.id),
        name: Set(mount_point.clone()),
        mount_point: Set(mount_point),
        removable: Set(false),
        ..Default::default()
    }
}
