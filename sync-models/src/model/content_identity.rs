//! A content identity: what files with equal bytes have in common. Its natural key is the hash, so the same
//! content that two devices index apart from each other is one record.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One content.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "content_identity")]
#[sync(shared, natural_key("content_hash"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which follows from the hash.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// BLAKE3 of the bytes: 32 bytes.
    #[sea_orm(unique)]
    pub content_hash: Vec<u8>,
    /// Length in bytes.
    pub size: i64,
    /// Such as `image/png`.
    pub media_type: Option<String>,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The files with this content.
    #[sea_orm(has_many = "super::entry::Entity")]
    Entry,
    /// What people noted about it.
    #[sea_orm(has_many = "super::user_metadata::Entity")]
    UserMetadata,
}

impl Related<super::entry::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Entry.def()
    }
}

impl Related<super::user_metadata::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::UserMetadata.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// The record id of the content with this hash, on every device.
pub fn id_of(hash: &[u8; 32]) -> Uuid {
    super::derived_id::of_bytes("content_identity", hash)
}

/// The content with this BLAKE3 hash and length in bytes.
pub fn new(hash: &[u8; 32], size: i64) -> ActiveModel {
    ActiveModel {
        uuid: Set(id_of(hash)),
        content_hash: Set(hash.to_vec()),
        size: Set(size),
        ..Default::default()
    }
}
