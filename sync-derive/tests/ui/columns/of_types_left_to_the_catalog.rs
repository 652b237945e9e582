//! Types that only their definition explains are accepted; the catalog judges them by SeaORM's metadata.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
pub struct Uses(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum Level {
    #[sea_orm(num_value = 1)]
    Low,
    #[sea_orm(num_value = 2)]
    High,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "opaque")]
#[sync(shared)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: u64,
    #[sync(id)]
    pub uuid: sea_orm::prelude::Uuid,
    #[sync(merge = "counter")]
    pub uses: Uses,
    #[sync(merge = "max")]
    pub level: Option<Level>,
}

impl ActiveModelBehavior for ActiveModel {}
