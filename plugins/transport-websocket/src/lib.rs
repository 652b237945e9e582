//! Links over WebSocket, client and server. This crate must not know the engine or what the frames mean.
#![doc = include_str!("../docs.md")]

mod backend;
mod config;
mod handshake;
mod io;

pub use backend::{WebSocketLink, WebSocketListener, WebSocketTransport};
pub use config::WebSocketConfig;
pub use io::{WebSocketReceiver, WebSocketSender};

sync_plugin::register_transport!("ws", WebSocketConfig);
