//! User metadata: notes, favourite and rating of an entry or of a content. Of an entry, it belongs to the
//! entry's device; of a content, which every device may have, anyone writes it.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// What people noted about an entry or about a content.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "user_metadata")]
#[sync(device_owned(owner = "entry_id.location_id.device_id"), otherwise = "shared")]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The entry, or NULL when it is about a content.
    #[sea_orm(unique)]
    pub entry_id: Option<i64>,
    /// The content, or NULL when it is about an entry.
    #[sea_orm(unique)]
    pub content_id: Option<i64>,
    /// Free text.
    pub notes: Option<String>,
    /// Marked as a favourite.
    pub favourite: bool,
    /// From 0 to 5.
    pub rating: Option<i32>,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The entry.
    #[sea_orm(
        belongs_to = "super::entry::Entity",
        from = "Column::EntryId",
        to = "super::entry::Column::Id",
        on_delete = "Cascade"
    )]
    Entry,
    /// The content.
    #[sea_orm(
        belongs_to = "super::content_identity::Entity",
        from = "Column::ContentId",
        to = "super::content_identity::Column::Id",
        on_delete = "Cascade"
    )]
    Content,
    /// The tags on it.
    #[sea_orm(has_many = "super::user_metadata_tag::Entity")]
    UserMetadataTag,
}

impl Related<super::entry::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Entry.def()
    }
}

impl Related<super::content_identity::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Content.def()
    }
}

impl Related<super::tag::Entity> for Entity {
    fn to() -> RelationDef {
        super::user_metadata_tag::Relation::Tag.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::user_metadata_tag::Relation::UserMetadata.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Empty metadata of `entry`, owned by the entry's device.
pub fn of_entry(id: Uuid, entry: &super::entry::Model) -> ActiveModel {
    ActiveModel {
        uuid: Set(id),
        entry_id: Set(Some(entry.id)),
        content_id: Set(None),
        favourite: Set(false),
        ..Default::default()
    }
}

/// Empty metadata of `content`, shared.
pub fn of_content(id: Uuid, content: &super::content_identity::Model) -> ActiveModel {
    ActiveModel {
        uuid: Set(id),
        entry_id: Set(None),
        content_id: Set(Some(content.id)),
        favourite: Set(false),
        ..Default::default()
    }
}
