//! The settings of the transport: which parameters its URLs have, within which bounds. Opens nothing.

use crate::backend::TemplateTransport;
use std::time::Duration;
use sync_plugin::{Result, TransportConfig, Url};

/// The deadline of the template transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateConfig {
    /// For connecting and the opening together.
    pub opening_timeout: Duration,
}

impl Default for TemplateConfig {
    fn default() -> Self {
        Self { opening_timeout: Duration::from_secs(10) }
    }
}

impl TransportConfig for TemplateConfig {
    type Transport = TemplateTransport;

    fn from_url(url: &Url) -> Result<Self> {
        // A misspelt parameter must not pass in silence.
        url.expect_parameters(&["opening_timeout_ms"])?;
        let opening_timeout =
            Duration::from_millis(url.number("opening_timeout_ms", 10_000, 1..=3_600_000)?);
        Ok(Self { opening_timeout })
    }

    fn build(self) -> Result<TemplateTransport> {
        Ok(TemplateTransport::new(self))
    }
}
