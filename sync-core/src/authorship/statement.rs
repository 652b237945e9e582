//! What a member states about itself, signed, relayed verbatim: the ground on which others may forget.

use serde::{Deserialize, Serialize};

use super::{DeviceKey, PublicKey};
use crate::{
    hlc::{Hlc, Stamp},
    ids::{Hash, Origin, PartitionId, Seq, SpaceId},
    vector::VersionVector,
    wire::{Opaque, Signature},
};

const DOMAIN: &[u8] = b"sync-kit statement 1\0";
const VERSION: u8 = 1;
const MAX_BYTES: usize = 1 << 20;

/// An origin's newest changeset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// Its sequence, 0 when there is none yet.
    pub seq: Seq,
    /// Its hash.
    pub hash: Hash,
}

/// What was forgotten for good (docs/merge.md section 6).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Floor {
    /// Everything forgotten is covered by this.
    pub vector: VersionVector,
    /// The highest stamp that ever went.
    pub highest: Option<Stamp>,
}

/// A member's statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// The space.
    pub space: SpaceId,
    /// The partition.
    pub partition: PartitionId,
    /// Who states it.
    pub member: Origin,
    /// What its merged state holds.
    pub vector: VersionVector,
    /// Its own newest changeset.
    pub head: Head,
    /// Its clock: it stamps nothing below this any more.
    pub clock: Hlc,
    /// What it has forgotten.
    pub floor: Floor,
}

/// A statement as it travels: verbatim, so that every relay leaves the signature valid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedStatement {
    /// The member's device key.
    pub public_key: PublicKey,
    /// Version byte and encoded [`Statement`].
    pub body: Opaque,
    /// Over domain and body.
    pub signature: Signature,
}

/// A statement is not one, or not from whom it claims.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StatementError {
    /// It does not decode or is too long.
    #[error("malformed statement of a member")]
    Malformed,
    /// Its signature does not fit, or its key is another device's.
    #[error("statement whose signature does not fit")]
    Signature,
    /// It is about another space.
    #[error("statement about another space")]
    Space,
}

impl Statement {
    /// Signs it.
    pub fn sign(&self, key: &DeviceKey) -> SignedStatement {
        // Writing these plain types has no failure; an empty body would be refused.
        let body = postcard::to_stdvec(&(VERSION, self)).unwrap_or_default();
        let signature = key.sign(&message(&body));
        SignedStatement { public_key: key.public(), body: Opaque(body), signature }
    }

    /// Whether it replaces `other` of the same member: by head, then by clock, then by what is held.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let order = (self.head.seq, self.clock).cmp(&(other.head.seq, other.clock));
        order.is_gt() || order.is_eq() && self.vector != other.vector && self.vector.covers(&other.vector)
    }
}

impl SignedStatement {
    /// Bytes to keep it in.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing these plain types has no failure.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads [`Self::to_bytes`]; still to be verified.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// Reads and checks it.
    pub fn verify(&self, space: &SpaceId) -> Result<Statement, StatementError> {
        if self.body.0.len() > MAX_BYTES {
            return Err(StatementError::Malformed);
        }
        let decoded = postcard::take_from_bytes::<(u8, Statement)>(&self.body.0);
        let Ok(((VERSION, statement), [])) = decoded else {
            return Err(StatementError::Malformed);
        };
        if !statement.vector.is_canonical() || !statement.floor.vector.is_canonical() {
            return Err(StatementError::Malformed);
        }
        if statement.space != *space {
            return Err(StatementError::Space);
        }
        let signed = self.public_key.device() == statement.member.device
            && self.public_key.verify(&message(&self.body.0), &self.signature);
        if signed { Ok(statement) } else { Err(StatementError::Signature) }
    }
}

fn message(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(DOMAIN.len() + body.len());
    out.extend_from_slice(DOMAIN);
    out.extend_from_slice(body);
    out
}
