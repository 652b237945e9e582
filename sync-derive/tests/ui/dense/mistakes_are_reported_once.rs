//! The derive runs on `Model` and on its double; a mistake shows once.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(shared, delete = "never")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: String,
    #[sync(merge = "counter")]
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
