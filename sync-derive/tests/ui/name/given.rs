//! A wire name of its own.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "labels")]
#[sync(shared, name = "label_v2")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[sync(id)]
    pub id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
