//! A struct that is read from a query is no model.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(sea_orm::FromQueryResult, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(shared)]
pub struct Tag {
    #[sync(id)]
    pub uuid: Uuid,
}

fn main() {}
