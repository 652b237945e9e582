//! From annotations, SeaORM's metadata and the live schema to a checked, frozen catalog.

pub mod model;

pub use model::*;

use crate::registration::EntityMeta;
pub(crate) fn describe_entity<E: sea_orm::EntityTrait>() -> EntityMeta {
    todo!()
}
