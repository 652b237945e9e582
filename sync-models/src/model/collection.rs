//! A collection: entries that somebody put together, whatever folder and device they are on.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One collection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "collection")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// What people call it; not unique, not empty.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// What is in it.
    #[sea_orm(has_many = "super::collection_entry::Entity")]
    CollectionEntry,
}

impl Related<super::collection_entry::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::CollectionEntry.def()
    }
}

impl Related<super::entry::Entity> for Entity {
    fn to() -> RelationDef {
        super::collection_entry::Relation::Entry.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::collection_entry::Relation::Collection.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// An empty collection.
pub fn new(id: Uuid, name: impl Into<String>) -> ActiveModel {
    ActiveModel { uuid: Set(id), name: Set(name.into()), ..Default::default() }
}
