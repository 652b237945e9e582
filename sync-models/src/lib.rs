//! The library models: devices, volumes, locations, entries, contents, tags, collections and user metadata as
//! SeaORM entities that sync, with their migrations and the closure tables that follow them. An application
//! uses them as they are, beside its own, and refers to them by foreign keys. Nothing here knows of
//! connections, transports or clocks: ids and times are arguments.
//!
//! Each model lives in a module of its own with `Entity`, `Model`, `ActiveModel` and a `new` that makes an
//! active model with everything that has no default:
//!
//! ```
//! use sea_orm::{ActiveValue::Set, prelude::Uuid};
//! use sync_models::tag;
//!
//! let id = Uuid::from_bytes([7; 16]); // drawn at random in an application
//! let holiday = tag::ActiveModel { colour: Set(Some("#0a84ff".into())), ..tag::new(id, "holiday") };
//! assert_eq!(holiday.name, Set("holiday".to_owned()));
//! ```

mod closure;
mod migration;
mod model;

pub use closure::{entry_closure, tag_closure};
pub use migration::{LibraryTables, Migrator};
pub use model::{
    collection, collection_entry, content_identity, device, entry, location, tag, tag_relation,
    user_metadata, user_metadata_tag, volume,
};
