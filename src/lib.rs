//! An application's own SeaORM rows, in sync between devices: without a leader, without a server that must run, and
//! without a call after each write.
//!
//! One derive on a model says that it syncs; a [`Space`] is the database connection through which the application
//! reads and writes. Each enabled feature links one plugin: `transport-websocket` (default) for `ws://` URLs,
//! `transport-memory` for links inside one process, `models` for the library models.
//!
//! ```
//! use sea_orm::entity::prelude::*;
//! use sync_kit::prelude::*;
//!
//! #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
//! #[sea_orm(table_name = "tag")]
//! #[sync(shared)]
//! pub struct Model {
//!     #[sea_orm(primary_key)]
//!     pub id: i32,
//!     #[sync(id)]
//!     pub uuid: Uuid,
//!     pub name: String,
//!     #[sync(merge = "counter")]
//!     pub uses: i64,
//! }
//! # #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
//! # pub enum Relation {}
//! # impl ActiveModelBehavior for ActiveModel {}
//! # fn main() {}
//! ```
//!
//! This crate only names the others; what they are made of stands in `sync-runtime` (spaces, events, errors),
//! `sync-core` (ids, vectors) and `sync-plugin` (the contract of plugins).

pub use sync_core as core;
pub use sync_derive::Syncable;
pub use sync_plugin as plugin;
pub use sync_runtime::*;

#[cfg(feature = "models")]
pub use sync_models as models;

/// What an application's code imports: `use sync_kit::prelude::*`.
pub mod prelude {
    pub use sync_core::{
        ids::{DeviceId, Origin, RecordId, Seq, SpaceId},
        vector::VersionVector,
    };
    pub use sync_derive::Syncable;
    pub use sync_runtime::{
        Digest, Error, ErrorKind, Events, HiddenRecord, Invite, Space, SpaceTransaction, Status, SyncEvent,
        new_id,
    };
}

/// The plugins that are linked into the program, one line for each enabled feature. A crate that is only listed in
/// `Cargo.toml` and never named in code would not be linked, and its URL schemes would be unknown.
mod linked {
    #[cfg(feature = "transport-memory")]
    pub(crate) use sync_transport_memory as _;
    #[cfg(feature = "transport-websocket")]
    pub(crate) use sync_transport_websocket as _;
}

/// Registers every enabled plugin by hand, for static libraries and targets where the linker collects nothing. Hand
/// the registry to `SpaceBuilder::registry`.
pub fn register(registry: &mut sync_plugin::Registry) -> Result<(), sync_plugin::PluginError> {
    type Register = fn(&mut sync_plugin::Registry) -> Result<(), sync_plugin::PluginError>;
    let plugins: &[Register] = &[
        #[cfg(feature = "transport-memory")]
        sync_transport_memory::register,
        #[cfg(feature = "transport-websocket")]
        sync_transport_websocket::register,
    ];
    plugins.iter().try_for_each(|register| register(registry))
}

/// The examples of the guide, compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide-adding-sync.md")]
pub struct GuideToAddingSync;

#[cfg(test)]
mod tests {
    use sync_plugin::Registry;

    #[test]
    fn every_enabled_plugin_is_linked_and_can_be_registered_by_hand() {
        let linked: Vec<_> = Registry::linked().iter().flat_map(Registry::schemes).collect();
        let mut by_hand = Registry::new();
        assert!(super::register(&mut by_hand).is_ok());
        assert_eq!(by_hand.schemes().collect::<Vec<_>>(), linked);
        assert_eq!(linked.contains(&"ws"), cfg!(feature = "transport-websocket"));
        assert_eq!(linked.contains(&"memory"), cfg!(feature = "transport-memory"));
    }
}
