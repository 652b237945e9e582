//! A collection entry: an entry in a collection. The pair is the identity, so the same pair made on two
//! devices is one record.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One entry of a collection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "collection_entry")]
#[sync(shared, identity("collection_id", "entry_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which follows from the pair.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The collection.
    #[sea_orm(unique_key = "collection_entry")]
    pub collection_id: i64,
    /// The entry in it.
    #[sea_orm(unique_key = "collection_entry")]
    pub entry_id: i64,
    /// Where it stands; lower first, equal ones in any order.
    pub position: i64,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The collection.
    #[sea_orm(
        belongs_to = "super::collection::Entity",
        from = "Column::CollectionId",
        to = "super::collection::Column::Id",
        on_delete = "Cascade"
    )]
    Collection,
    /// The entry in it.
    #[sea_orm(
        belongs_to = "super::entry::Entity",
        from = "Column::EntryId",
        to = "super::entry::Column::Id",
        on_delete = "Cascade"
    )]
    Entry,
}

impl Related<super::collection::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Collection.def()
    }
}

impl Related<super::entry::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Entry.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Puts `entry` into `collection`.
pub fn new(collection: &super::collection::Model, entry: &super::entry::Model, position: i64) -> ActiveModel {
    ActiveModel {
        uuid: Set(super::derived_id::of_parents("collection_entry", &[collection.uuid, entry.uuid])),
        collection_id: Set(collection.id),
        entry_id: Set(entry.id),
        position: Set(position),
        ..Default::default()
    }
}
