//! The synced models, a file each, parents before children.

pub mod collection;
pub mod collection_entry;
pub mod content_identity;
mod derived_id;
pub mod device;
pub mod entry;
pub mod location;
pub mod tag;
pub mod tag_relation;
pub mod user_metadata;
pub mod user_metadata_tag;
pub mod volume;
