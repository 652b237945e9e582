//! Changesets as they are kept and sent: encoded header and body, chained by hashes, and what they decode to.

use std::rc::Rc;

use sync_core::{
    changeset::{Body, Change, Header, Version, decode_body, encode_body},
    hlc::Hlc,
    ids::{Hash, Origin, PartitionId, Seq, SpaceId},
    merge::check,
    vector::VersionVector,
};

use super::{device::origin, plant::Plant, records};
use crate::random::mixed;

/// The space of all runs.
pub(super) const SPACE: SpaceId = SpaceId::from_bytes([7; 16]);

/// One changeset, as its author made it or as it was decoded.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Whose, by number.
    pub(super) device: usize,
    pub(super) seq: u64,
    /// The encoded header.
    pub(super) header: Vec<u8>,
    /// Its hash.
    pub(super) hash: Hash,
    /// The hash that it names as previous.
    pub(super) previous: Hash,
    /// The encoded changes.
    pub(super) body: Vec<u8>,
    pub(super) hlc: Hlc,
    /// The changes, each with the slot of its record.
    pub(super) changes: Vec<(usize, Change)>,
}

impl Stored {
    /// Content as a number: equal only for equal headers, and so for equal bodies.
    pub(super) fn id(&self) -> u64 {
        let first = self.hash.0.first_chunk().copied().unwrap_or_default();
        mixed(u64::from_le_bytes(first))
    }
}

/// What an author puts into a changeset.
pub(super) struct Draft {
    pub(super) device: usize,
    pub(super) origin: Origin,
    pub(super) seq: u64,
    pub(super) hlc: Hlc,
    pub(super) previous: Hash,
    pub(super) seen: Vec<(Origin, Seq)>,
    pub(super) changes: Vec<(usize, Change)>,
}

impl Draft {
    /// Encodes it.
    pub(super) fn finish(self) -> Rc<Stored> {
        let stamp = sync_core::hlc::Stamp::new(self.hlc, self.origin);
        let own = Version { stamp, origin: self.origin, seq: Seq(self.seq) };
        let mut body = Body::default();
        for (_, change) in &self.changes {
            body.push(change, own);
        }
        let body = encode_body(&body);
        let header = Header {
            version: Header::VERSION,
            space: SPACE,
            partition: PartitionId::ROOT,
            origin: self.origin,
            seq: Seq(self.seq),
            hlc: self.hlc,
            seen: self.seen,
            previous: self.previous,
            predecessor: None,
            siblings: Vec::new(),
            parts: 1,
            shared: Hash::of(&body),
            owned: Hash::NONE,
            shared_count: u32::try_from(self.changes.len()).unwrap_or(u32::MAX),
            owned_count: 0,
        };
        let header = header.encode();
        Rc::new(Stored {
            device: self.device,
            seq: self.seq,
            hash: Hash::of(&header),
            previous: self.previous,
            header,
            body,
            hlc: self.hlc,
            changes: self.changes,
        })
    }
}

/// Reads what arrived. Everything that is not what its header says is refused, with the reason.
pub(super) fn decode(
    header: &[u8],
    body: &[u8],
    devices: usize,
    plant: Option<Plant>,
) -> Result<Stored, String> {
    let decoded = Header::decode(header).map_err(|error| error.to_string())?;
    let device = (0..devices).find(|number| origin(*number) == decoded.origin).ok_or("a stranger's")?;
    let is_named = Hash::of(body) == decoded.shared || plant == Some(Plant::UncheckedBody);
    if decoded.space != SPACE || !is_named {
        return Err("not the body that its header names".to_owned());
    }
    let sections = decode_body(body).map_err(|error| error.to_string())?;
    let changes: Vec<Change> = sections.changes(&decoded);
    if u32::try_from(changes.len()) != Ok(decoded.shared_count) {
        return Err("not as many changes as its header names".to_owned());
    }
    let mut placed = Vec::with_capacity(changes.len());
    for change in changes {
        check(&change).map_err(|error| error.to_string())?;
        let slot = records::slot(&change).ok_or("a record that nobody has")?;
        placed.push((slot, change));
    }
    Ok(Stored {
        device,
        seq: decoded.seq.0,
        header: header.to_vec(),
        hash: Hash::of(header),
        previous: decoded.previous,
        body: body.to_vec(),
        hlc: decoded.hlc,
        changes: placed,
    })
}

/// The contiguous heads of a vector: what a header says that its author had seen.
pub(super) fn heads(vector: &VersionVector) -> Vec<(Origin, Seq)> {
    vector.iter().map(|(origin, held)| (*origin, held.head)).filter(|(_, head)| *head > Seq::ZERO).collect()
}
