//! The same runs over the sessions of `sync-core`: handshake, seal, signatures, runs, acknowledgements, statements,
//! heartbeats. Links are ordered streams: what is lost, repeated or overtaken ends the session, and a new one begins.
//! A signature costs more than all else, so a share of the seeds runs like this.

mod end;
mod heal;
mod serve;
mod world;

pub(super) use world::Sealed;
