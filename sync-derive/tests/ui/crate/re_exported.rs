//! The contract reached through a re-export.

use sea_orm::entity::prelude::*;
use sync_derive::Syncable;

pub mod kit {
    //! What a crate that wraps the framework would do.
    pub use sync_runtime::*;
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "through")]
#[sync(shared, crate = "kit")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(id)]
    pub uuid: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
