//! Reads runs of changesets, with the device-owned rows that belong to them, for a peer.

mod owned;
mod runs;

pub(crate) use runs::serve;
