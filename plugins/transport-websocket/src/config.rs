//! The settings of the WebSocket transport. Knows their bounds and nothing about sockets.

use crate::backend::WebSocketTransport;
use std::time::Duration;
use sync_plugin::{Result, TransportConfig, Url};

/// The deadlines of the WebSocket transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// For connecting and the WebSocket handshake together.
    pub handshake_timeout: Duration,
    /// Silence after which the receiver pings the peer.
    pub ping_interval: Duration,
    /// Silence after the ping which ends the link.
    pub ping_timeout: Duration,
    /// How long one frame may wait for a peer that does not read.
    pub send_timeout: Duration,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
            send_timeout: Duration::from_mins(1),
        }
    }
}

impl TransportConfig for WebSocketConfig {
    type Transport = WebSocketTransport;

    fn from_url(url: &Url) -> Result<Self> {
        url.expect_parameters(&[
            "handshake_timeout_ms",
            "ping_interval_ms",
            "ping_timeout_ms",
            "send_timeout_ms",
        ])?;
        let default = Self::default();
        let milliseconds = |name, default: Duration| {
            let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
            url.number(name, default, 1..=3_600_000).map(Duration::from_millis)
        };
        Ok(Self {
            handshake_timeout: milliseconds("handshake_timeout_ms", default.handshake_timeout)?,
            ping_interval: milliseconds("ping_interval_ms", default.ping_interval)?,
            ping_timeout: milliseconds("ping_timeout_ms", default.ping_timeout)?,
            send_timeout: milliseconds("send_timeout_ms", default.send_timeout)?,
        })
    }

    fn build(self) -> Result<WebSocketTransport> {
        Ok(WebSocketTransport::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_plugin::ErrorKind;

    fn read(text: &str) -> Result<WebSocketConfig> {
        WebSocketConfig::from_url(&Url::parse(text)?)
    }

    #[test]
    fn parameters_replace_defaults() -> Result<()> {
        let config = read("ws://host?ping_interval_ms=7&send_timeout_ms=9")?;
        let expected = WebSocketConfig {
            ping_interval: Duration::from_millis(7),
            send_timeout: Duration::from_millis(9),
            ..WebSocketConfig::default()
        };
        assert_eq!(config, expected);
        Ok(())
    }

    #[test]
    fn wrong_parameters_are_named() {
        let wrong = [
            ("ws://host?ping=7", "ping_interval_ms"),
            ("ws://host?ping_interval_ms=0", "ping_interval_ms"),
            ("ws://host?ping_interval_ms=soon", "ping_interval_ms"),
            ("ws://host?send_timeout_ms=1&send_timeout_ms=2", "twice"),
        ];
        for (url, named) in wrong {
            let Err(error) = read(url) else { panic!("{url} was accepted") };
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert!(error.to_string().contains(named), "{url}: {error}");
        }
    }
}
