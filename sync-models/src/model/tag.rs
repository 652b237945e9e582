//! A tag. Ids are random: two people who make a tag of the same name apart from each other made two tags, and
//! the database's UNIQUE shows one of them and lists the other as hidden until somebody settles it.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Keeps the tags of several purposes apart; empty by default.
    #[sea_orm(unique_key = "namespace_name")]
    pub namespace: String,
    /// Name, unique in the namespace, not empty.
    #[sea_orm(unique_key = "namespace_name")]
    pub name: String,
    /// Such as `#0a84ff`.
    pub colour: Option<String>,
    /// How often it was used; increments made at the same time add up.
    #[sync(merge = "counter")]
    pub uses: i64,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Where it is attached.
    #[sea_orm(has_many = "super::user_metadata_tag::Entity")]
    UserMetadataTag,
}

impl Related<super::user_metadata_tag::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::UserMetadataTag.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// An unused tag in the default namespace.
pub fn new(id: Uuid, name: impl Into<String>) -> ActiveModel {
    ActiveModel {
        uuid: Set(id),
        namespace: Set(String::new()),
        name: Set(name.into()),
        uses: Set(0),
        ..Default::default()
    }
}
