//! A user metadata tag: a tag on an entry or content, through its user metadata, and owned like that.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One tag on one user metadata.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "user_metadata_tag")]
#[sync(device_owned(owner = "user_metadata_id.entry_id.location_id.device_id"), otherwise = "shared")]
#[sync(identity("user_metadata_id", "tag_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which follows from the pair.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// What is tagged.
    #[sea_orm(unique_key = "metadata_tag")]
    pub user_metadata_id: i64,
    /// The tag.
    #[sea_orm(unique_key = "metadata_tag")]
    pub tag_id: i64,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// What is tagged.
    #[sea_orm(
        belongs_to = "super::user_metadata::Entity",
        from = "Column::UserMetadataId",
        to = "super::user_metadata::Column::Id",
        on_delete = "Cascade"
    )]
    UserMetadata,
    /// The tag.
    #[sea_orm(
        belongs_to = "super::tag::Entity",
        from = "Column::TagId",
        to = "super::tag::Column::Id",
        on_delete = "Cascade"
    )]
    Tag,
}

impl Related<super::user_metadata::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::UserMetadata.def()
    }
}

impl Related<super::tag::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tag.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Puts `tag` on `metadata`.
pub fn new(metadata: &super::user_metadata::Model, tag: &super::tag::Model) -> ActiveModel {
    ActiveModel {
        uuid: Set(super::derived_id::of_parents("user_metadata_tag", &[metadata.uuid, tag.uuid])),
        user_metadata_id: Set(metadata.id),
        tag_id: Set(tag.id),
        ..Default::default()
    }
}
