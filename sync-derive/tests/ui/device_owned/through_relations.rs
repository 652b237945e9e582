//! An owner path of three columns.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "entry")]
#[sync(device_owned(owner = "location_id.volume_id.device_id"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(id)]
    pub uuid: Uuid,
    pub location_id: i32,
}

impl ActiveModelBehavior for ActiveModel {}
