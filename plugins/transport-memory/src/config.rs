//! The settings of the memory transport. Knows their bounds and nothing about links.

use crate::backend::MemoryTransport;
use sync_plugin::{ErrorKind, PluginError, Result, TransportConfig, Url};

/// How much a link holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryConfig {
    /// Bytes that one direction of a link holds before a sender waits. A larger frame passes alone.
    pub window: u32,
    /// Links that wait for `accept` at one listener.
    pub backlog: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { window: 1024 * 1024, backlog: 16 }
    }
}

impl TransportConfig for MemoryConfig {
    type Transport = MemoryTransport;

    fn from_url(url: &Url) -> Result<Self> {
        url.expect_parameters(&["window", "backlog"])?;
        let default = Self::default();
        let window = url.number("window", u64::from(default.window), 1..=64 * 1024 * 1024)?;
        let backlog = url.number("backlog", 16, 1..=1024)?;
        let too_large = |_| PluginError::new(ErrorKind::Configuration, "configure", "number too large");
        Ok(Self {
            window: window.try_into().map_err(too_large)?,
            backlog: backlog.try_into().map_err(too_large)?,
        })
    }

    fn build(self) -> Result<MemoryTransport> {
        Ok(MemoryTransport::new(self))
    }
}
