//! The ways to other devices: listeners and links by URL, handed to the exchange.

use std::sync::{Arc, Mutex, PoisonError};

use sync_plugin::{Context, PluginError, Registry, Url};

use crate::{
    Error, ErrorKind, Result,
    engine::Engine,
    exchange::{Exchange, PeerStatus},
};

/// What a space is connected with.
pub(super) struct Network {
    exchange: Exchange<Engine>,
    addresses: Mutex<Vec<Url>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

impl Network {
    pub(super) fn new(engine: Arc<Engine>, registry: Registry, context: Context) -> Self {
        Self { exchange: Exchange::new(engine, registry, context), addresses: Mutex::default() }
    }

    /// Listens at `url`.
    pub(super) async fn listen(&self, url: &str) -> Result<()> {
        let url = Url::parse(url).map_err(refused)?;
        let address = self.exchange.listen(&url).await?;
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        Ok(())
    }

    /// Keeps a link to `url`.
    pub(super) fn connect(&self, url: &str) -> Result<()> {
        let url = Url::parse(url).map_err(refused)?;
        self.exchange.connect(&url)
    }

    /// Ends every link; listeners stay.
    pub(super) fn disconnect_all(&self) {
        self.exchange.disconnect_all();
    }

    /// Ends everything.
    pub(super) async fn shutdown(&self) {
        self.exchange.shutdown().await;
    }

    /// Where others can reach us.
    pub(super) fn addresses(&self) -> Vec<Url> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of every peer.
    pub(super) fn peers(&self) -> Vec<PeerStatus> {
        self.exchange.peers()
    }
}

fn refused(error: PluginError) -> Error {
    let kind = match error.kind() {
        sync_plugin::ErrorKind::Configuration
        | sync_plugin::ErrorKind::UnknownScheme
        | sync_plugin::ErrorKind::DuplicateScheme
        | sync_plugin::ErrorKind::Unsupported => ErrorKind::Configuration,
        _ => ErrorKind::Transport,
    };
    Error::new(kind, "transport", error.to_string()).with_source(error)
}
