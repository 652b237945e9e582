//! The contract between the sync engine and the ways in which its data travels.
//!
//! A transport plugin is one crate that depends on this one only. It implements [`Transport`] for its own types
//! with native `async fn`s, a [`TransportConfig`] that reads its settings from a [`Url`], and registers both under
//! a URL scheme with [`register_transport!`]. The engine sees plugins through the boxed mirrors in this crate
//! ([`SharedTransport`], [`BoxListener`], [`BoxLink`], [`BoxSender`], [`BoxReceiver`]): one allocation for each
//! call at this single boundary, none inside the plugin.
//!
//! Each method of the contract lists its `# Behavior`; every bullet is a test in `sync-conformance`, which a plugin
//! runs against itself. Plugins see addresses and bytes: this crate must not know the engine, models or databases.
//!
//! Persistence layers are not part of this crate yet.

mod backoff;
mod boxed;
mod context;
mod error;
mod registry;
mod tether;
mod transport;
mod url;

pub use backoff::Backoff;
pub use boxed::{
    BoxFuture, BoxLink, BoxListener, BoxReceiver, BoxSender, DynTransport, SharedTransport, share,
};
pub use context::{Context, Host, Moment, TaskHandle};
pub use error::{ErrorKind, PluginError, Result};
pub use registry::{Registry, TransportConfig, TransportFactory};
pub use tether::{Tether, tether};
pub use transport::{
    Capabilities, Link, LinkReceiver, LinkSender, Listener, MAX_FRAME, Transport, TransportInfo, check_frame,
};
pub use url::Url;

/// What [`register_transport!`] expands to; not for direct use.
#[doc(hidden)]
pub mod __private {
    #[cfg(not(target_family = "wasm"))]
    pub use crate::registry::LINKED_TRANSPORTS;
    #[cfg(not(target_family = "wasm"))]
    pub use linkme;
}
