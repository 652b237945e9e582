//! A primary key of two columns that the application chooses.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One parcel.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "parcel")]
#[sync(shared)]
pub struct Model {
    /// First half of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub country: String,
    /// Second half of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Plain.
    pub content: String,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
