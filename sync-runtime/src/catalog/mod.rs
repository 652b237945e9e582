//! Stub.
use crate::registration::EntityMeta;
pub(crate) fn describe_entity<E: sea_orm::EntityTrait>() -> EntityMeta {
    todo!()
}
