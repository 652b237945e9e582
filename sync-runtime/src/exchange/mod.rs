//! Sessions over links: the driver that gives `sync-core`'s state machines their IO. It dials, listens, redials,
//! carries frames, asks the [`Replica`] for what goes out and hands it what came in. It must not know the database.

mod compress;
mod dialer;
mod driver;
mod listener;
mod replica;
mod status;
mod supervisor;
#[cfg(test)]
mod tests;

pub(crate) use replica::{ExchangeEvent, Ingested, Replica};
pub use status::{Direction, PeerState, PeerStatus};
pub(crate) use supervisor::Exchange;
