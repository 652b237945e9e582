//! A tag relation: `parent` stands above `child`. A tag may have several parents. Relations made at the same
//! time can form a cycle; [`crate::tag_closure`] copes with that.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sync_derive::Syncable;

/// One tag above another.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tag_relation")]
#[sync(shared, identity("parent_id", "child_id"))]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id, which follows from the two tags.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// The wider tag.
    #[sea_orm(unique_key = "parent_child")]
    pub parent_id: i64,
    /// The narrower tag, not the same.
    #[sea_orm(unique_key = "parent_child")]
    pub child_id: i64,
}

/// Relations of the model.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The wider tag.
    #[sea_orm(
        belongs_to = "super::tag::Entity",
        from = "Column::ParentId",
        to = "super::tag::Column::Id",
        on_delete = "Cascade"
    )]
    Parent,
    /// The narrower tag.
    #[sea_orm(
        belongs_to = "super::tag::Entity",
        from = "Column::ChildId",
        to = "super::tag::Column::Id",
        on_delete = "Cascade"
    )]
    Child,
}

impl ActiveModelBehavior for ActiveModel {}

/// Puts `parent` above `child`.
pub fn new(parent: &super::tag::Model, child: &super::tag::Model) -> ActiveModel {
    ActiveModel {
        uuid: Set(super::derived_id::of_parents("tag_relation", &[parent.uuid, child.uuid])),
        parent_id: Set(parent.id),
        child_id: Set(child.id),
        ..Default::default()
    }
}
