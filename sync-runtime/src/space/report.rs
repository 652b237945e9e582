//! What a space answers when it is asked about itself.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use sync_core::{
    changeset::Name,
    ids::{Hash, Origin, RecordId, SpaceId},
    vector::VersionVector,
};
use sync_plugin::Url;

use crate::exchange::PeerStatus;

/// What the synced tables of a database contain, as a hash for each model: BLAKE3 over its rows in wire form, in
/// order of their record ids, references as record ids. Equal on all replicas that hold the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// By wire name.
    pub models: BTreeMap<Name, Hash>,
}

impl Digest {
    /// One hash over all models.
    pub fn combined(&self) -> Hash {
        let mut bytes = Vec::with_capacity(self.models.len() * 64);
        for (name, hash) in &self.models {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(&hash.0);
        }
        Hash::of(&bytes)
    }
}

impl fmt::Display for Digest {
    /// The first eight bytes of the combined hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.combined())
    }
}

/// A record that is merged and kept but cannot be in its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenRecord {
    /// Wire name of the model.
    pub model: Name,
    /// The record.
    pub record: RecordId,
    /// Why, in words, with what would show it.
    pub reason: String,
}

/// A space at a glance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The database file.
    pub path: PathBuf,
    /// The space.
    pub space: SpaceId,
    /// This device in its present incarnation.
    pub origin: Origin,
    /// Where others can reach it.
    pub addresses: Vec<Url>,
    /// What is known of every peer.
    pub peers: Vec<PeerStatus>,
    /// What is held.
    pub vector: Arc<VersionVector>,
    /// Wire names of the synced models, parents first.
    pub models: Vec<Name>,
}
