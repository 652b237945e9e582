//! A space as the application has it: how it is made, opened and joined, and what it can be asked.

mod base32;
mod builder;
mod connection;
mod device;
mod folder;
mod handle;
mod invite;
mod meta;
mod migration;
mod network;
mod opening;
mod report;
#[cfg(test)]
mod tests;
mod watch;

pub use builder::SpaceBuilder;
pub use handle::Space;
pub use invite::{Invite, InviteError};
pub use report::{Digest, HiddenRecord, Status};
