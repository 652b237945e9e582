//! The header of a changeset. Its form is final: incarnations, partitions, siblings and parts have their place
//! even where only one value is in use.

use serde::{Deserialize, Serialize};

use super::Version;
use crate::{
    hlc::{Hlc, Stamp},
    ids::{Hash, Origin, PartitionId, Seq, SpaceId},
};

/// Describes one changeset; what origins chain and sign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format: 1.
    pub version: u8,
    /// The space.
    pub space: SpaceId,
    /// The partition.
    pub partition: PartitionId,
    /// Who wrote it.
    pub origin: Origin,
    /// Its number.
    pub seq: Seq,
    /// The author's clock at commit; stamp of every change that carries none of its own.
    pub hlc: Hlc,
    /// The author's vector where it changed since his previous changeset: contiguous heads.
    pub seen: Vec<(Origin, Seq)>,
    /// Hash of the previous header of this origin; [`Hash::NONE`] before the first.
    pub previous: Hash,
    /// An incarnation's first changeset names its predecessor's last good changeset.
    pub predecessor: Option<(Origin, Seq, Hash)>,
    /// The other partitions that the same transaction wrote to.
    pub siblings: Vec<PartitionId>,
    /// In how many parts the bodies travel; 1 for all but large changesets.
    pub parts: u32,
    /// Hash of the encoded shared changes; [`Hash::NONE`] when there is none.
    pub shared: Hash,
    /// Hash of the encoded device-owned rows; [`Hash::NONE`] when there is none.
    pub owned: Hash,
    /// Number of shared changes.
    pub shared_count: u32,
    /// Number of device-owned changes.
    pub owned_count: u32,
}

/// A header is not one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderError {
    /// The bytes are not a header.
    #[error("malformed changeset header")]
    Malformed,
    /// A format that this version does not know.
    #[error("changeset header of unknown format version {0}")]
    UnknownVersion(u8),
    /// Sequence 0, or a stamp before 2020 or after 2200.
    #[error("changeset header with an impossible {0}")]
    Impossible(&'static str),
}

impl Header {
    /// The format that this program writes.
    pub const VERSION: u8 = 1;

    /// Stamp and dot of changes that carry none of their own.
    pub fn version(&self) -> Version {
        Version { stamp: Stamp::new(self.hlc, self.origin), origin: self.origin, seq: self.seq }
    }

    /// Canonical bytes (postcard).
    pub fn encode(&self) -> Vec<u8> {
        // Writing these plain types to a vector has no failure; an empty result would fail every check.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads what [`Self::encode`] wrote; anything else, trailing bytes included, is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        match bytes.first() {
            None => return Err(HeaderError::Malformed),
            Some(version) if *version != Self::VERSION => return Err(HeaderError::UnknownVersion(*version)),
            Some(_) => {}
        }
        let header: Self = postcard::from_bytes(bytes).map_err(|_| HeaderError::Malformed)?;
        if header.encode() != bytes {
            return Err(HeaderError::Malformed);
        }
        if header.seq == Seq::ZERO || header.seq.0 == u64::MAX {
            return Err(HeaderError::Impossible("sequence"));
        }
        if !header.hlc.is_valid() {
            return Err(HeaderError::Impossible("stamp"));
        }
        if header.parts == 0 {
            return Err(HeaderError::Impossible("number of parts"));
        }
        Ok(header)
    }

    /// Hash of the encoded header: what the next one names as previous and what origins sign.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.encode())
    }
}
