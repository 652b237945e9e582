//! Sessions: what two devices say to each other over a link, as state machines without IO.
//!
//! A session is stepped with inputs (frames, ticks, results of the engine) and answers with outputs (frames, questions
//! to the engine, events). It must not know transports, tasks or databases; time and randomness come in as arguments.
#![doc = include_str!("protocol.md")]

mod api;
mod error;
mod greet;
mod heartbeat;
mod machine;
mod pull;
mod push;
mod receive;
#[cfg(test)]
mod tests;

pub use api::{
    Failure, Input, LocalProfile, Output, PeerInfo, PullRequest, ServePurpose, ServeRequest, SessionEvent,
};
pub use error::SessionError;
pub use machine::{HANDSHAKE_LIMIT, HEARTBEAT_EVERY, SILENCE_LIMIT, Session, WINDOW};
