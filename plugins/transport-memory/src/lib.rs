//! Links inside one process, for tests and for several spaces in one program. This crate must not know the engine.
#![doc = include_str!("../docs.md")]

mod backend;
mod config;
mod io;

pub use backend::{MemoryLink, MemoryListener, MemoryTransport};
pub use config::MemoryConfig;
pub use io::{MemoryReceiver, MemorySender};

sync_plugin::register_transport!("memory", MemoryConfig);
