//! A hybrid whose attributes stand on several lines.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "metadata")]
#[sync(device_owned(owner = "device_id"), otherwise = "shared")]
#[sync(natural_key("namespace", "slug"), delete = "wins")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: Uuid,
    pub device_id: Option<i32>,
    pub namespace: Option<String>,
    pub slug: String,
}

impl ActiveModelBehavior for ActiveModel {}
