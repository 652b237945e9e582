//! The transport to copy: what every transport crate exports and registers. This crate must not know the engine.
#![doc = include_str!("../docs.md")]

mod backend;
mod config;
mod io;

pub use backend::{TemplateLink, TemplateListener, TemplateTransport};
pub use config::TemplateConfig;
pub use io::{TemplateReceiver, TemplateSender};

sync_plugin::register_transport!("template", TemplateConfig);

/// The guide's examples are compiled and run here.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/writing-a-plugin.md")]
mod guide {}
