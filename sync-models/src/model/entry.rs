//! An entry: a file, folder or link in a location. The device of the location owns it. Folders form a tree
//! through `parent_id`; [`crate::entry_closure`] answers what is below a folder without walking it.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// What an entry is in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum EntryKind {
    /// A file.
    #[sea_orm(num_value = 0)]
    File,
    /// A folder.
    #[sea_orm(num_value = 1)]
    Folder,
    /// A symbolic link.
    #[sea_orm(num_value = 2)]
    Link,
}

/// One file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "entry")]
#[sync(device_owned(owner = "location_id.device_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The location it is in.
    pub location_id: i64,
    /// The folder it is in; NULL directly under the location.
    #[sea_orm(unique_key = "parent_name")]
    pub parent_id: Option<i64>,
    /// Name without path, unique in the folder.
    #[sea_orm(unique_key = "parent_name")]
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Length in bytes; 0 for folders.
    pub size: i64,
    /// Last change of the bytes, in milliseconds since 1970 UTC.
    pub modified_at: Option<i64>,
    /// Number in the file system, for telling a move from a copy.
    pub inode: Option<i64>,
    /// The content, once it is hashed.
    pub content_id: Option<i64>,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The location it is in.
    #[sea_orm(
        belongs_to = "super::location::Entity",
        from = "Column::LocationId",
        to = "super::location::Column::Id",
        on_delete = "Cascade"
    )]
    Location,
    /// The folder it is in.
    #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id", on_delete = "Cascade")]
    Parent,
    /// The content.
    #[sea_orm(
        belongs_to = "super::content_identity::Entity",
        from = "Column::ContentId",
        to = "super::content_identity::Column::Id",
        on_delete = "SetNull"
    )]
    Content,
}

impl Related<super::location::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Location.def()
    }
}

impl Related<super::content_identity::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Content.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A file directly under `location`, given by its local key; set `parent_id` to put it into a folder.
pub fn file(id: Uuid, location: i64, name: impl Into<String>, size: i64) -> ActiveModel {
    ActiveModel { kind: Set(EntryKind::File), size: Set(size), ..bare(id, location, name) }
}

/// A folder directly under `location`, given by its local key; set `parent_id` to put it into another.
pub fn folder(id: Uuid, location: i64, name: impl Into<String>) -> ActiveModel {
    ActiveModel { kind: Set(EntryKind::Folder), size: Set(0), ..bare(id, location, name) }
}

// Nullable columns are set too: rows of one multi-row insert must have the same columns.
fn bare(id: Uuid, location: i64, name: impl Into<String>) -> ActiveModel {
    ActiveModel {
        uuid: Set(id),
        location_id: Set(location),
        parent_id: Set(None),
        name: Set(name.into()),
        modified_at: Set(None),
        inode: Set(None),
        content_id: Set(None),
        ..Default::default()
    }
}
