//! The origin's signature over the head of its chain: proves every header before it.

use super::{DeviceKey, PublicKey, key::origin_bytes};
use crate::{
    ids::{Hash, Origin, PartitionId, Seq, SpaceId},
    wire::HeadProof,
};

const DOMAIN: &[u8] = b"sync-kit head 1\0";

fn message(space: &SpaceId, partition: &PartitionId, origin: &Origin, seq: Seq, hash: &Hash) -> Vec<u8> {
    let mut out = Vec::with_capacity(DOMAIN.len() + 92);
    out.extend_from_slice(DOMAIN);
    out.extend_from_slice(space.as_bytes());
    out.extend_from_slice(partition.as_bytes());
    origin_bytes(&mut out, origin);
    out.extend_from_slice(&seq.0.to_be_bytes());
    out.extend_from_slice(&hash.0);
    out
}

/// Signs the header with this sequence and hash, and with it all before.
pub fn sign_head(
    key: &DeviceKey,
    space: &SpaceId,
    partition: &PartitionId,
    origin: &Origin,
    seq: Seq,
    hash: Hash,
) -> HeadProof {
    HeadProof { seq, hash, signature: key.sign(&message(space, partition, origin, seq, &hash)) }
}

/// Whether `origin`'s device made `proof` with `key`.
pub fn verify_head(
    key: &PublicKey,
    space: &SpaceId,
    partition: &PartitionId,
    origin: &Origin,
    proof: &HeadProof,
) -> bool {
    key.device() == origin.device
        && key.verify(&message(space, partition, origin, proof.seq, &proof.hash), &proof.signature)
}
