//! The check of a run: everything that can be known without the receiver's own state. Two outcomes are kept apart.
//! A [`Violation`] is the sender's fault: the run is not what an origin signed; nothing of it is kept. A [`Refusal`]
//! is the author's: he signed a changeset that no member may accept, so all record it alike (docs/merge.md section 3).

use std::collections::BTreeMap;

use super::{PublicKey, owned_hash_of_sections, verify_head};
use crate::{
    changeset::{Body, BodyError, Header, HeaderError, Section, Version, Versions, decode_body},
    hlc::Stamp,
    ids::{Hash, Origin, PartitionId, Seq, SpaceId},
    vector::SeqRange,
    wire::{HeadProof, Run},
};

/// A run is not what its origin signed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// No headers, or lists that do not fit each other.
    #[error("run whose lists do not fit each other")]
    Shape,
    /// The key is not the origin's.
    #[error("run whose key is not that of its origin {0}")]
    Key(Origin),
    /// A header does not decode.
    #[error("run with a bad header: {0}")]
    Header(#[from] HeaderError),
    /// A header of another space, partition or origin.
    #[error("run with a header that belongs elsewhere, at sequence {0}")]
    Foreign(Seq),
    /// A header out of sequence or not chained to the one before.
    #[error("run whose chain is broken at sequence {0}")]
    Chain(Seq),
    /// The signature does not fit the head.
    #[error("run whose signature does not fit")]
    Signature,
    /// A body is not the one that its header names.
    #[error("run whose body is not the signed one, at sequence {0}")]
    Body(Seq),
    /// A page of owned rows does not decode.
    #[error("run with a bad page of device-owned rows: {0}")]
    Page(BodyError),
    /// An owned row whose version is not of this run.
    #[error("run with a device-owned row that is not of it, at sequence {0}")]
    Row(Seq),
    /// All owned rows of a changeset are here and they are not the signed ones.
    #[error("run whose device-owned rows are not the signed ones, at sequence {0}")]
    Owned(Seq),
}

/// Why a signed changeset is refused by every member alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Its body does not decode.
    #[error("malformed body")]
    Malformed,
    /// The number of changes is not the one its header names.
    #[error("not as many changes as its header names")]
    Count,
    /// A stamp before 2020 or after 2200.
    #[error("stamp outside of 2020 to 2200")]
    Stamp,
    /// A stamp in another device's name.
    #[error("stamp in another device's name")]
    ForeignStamp,
    /// A version that names another changeset.
    #[error("version that names another changeset")]
    ForeignDot,
}

/// The shared changes of a verified changeset.
#[derive(Clone, PartialEq, Debug)]
pub enum Shared {
    /// There are none.
    None,
    /// As signed, and decoded.
    Body {
        /// As signed; to be kept and relayed.
        bytes: Vec<u8>,
        /// Decoded.
        body: Body,
    },
    /// Signed, but not acceptable for anyone.
    Refused {
        /// As signed; relayed like any other.
        bytes: Vec<u8>,
        /// Why.
        reason: Refusal,
    },
}

/// A changeset that its origin signed.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedChangeset {
    /// Decoded.
    pub header: Header,
    /// As signed.
    pub header_bytes: Vec<u8>,
    /// Hash of the header.
    pub hash: Hash,
    /// The shared changes.
    pub shared: Shared,
}

/// A run that its origin signed. Only [`verify_run`] makes one.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct VerifiedRun {
    /// The partition.
    pub partition: PartitionId,
    /// Who wrote it.
    pub origin: Origin,
    /// The origin's device key.
    pub public_key: PublicKey,
    /// In order, without gaps.
    pub changesets: Vec<VerifiedChangeset>,
    /// Headers between the run and its proof, as signed.
    pub links: Vec<Vec<u8>>,
    /// To be kept and relayed.
    pub proof: HeadProof,
    /// Pages of the origin's device-owned rows as the sender has them, with explicit versions; every dot lies in
    /// the run.
    pub owned: Vec<Body>,
}

impl VerifiedRun {
    /// The sequences that it covers.
    pub fn range(&self) -> SeqRange {
        let seq = |changeset: Option<&VerifiedChangeset>| changeset.map_or(Seq::ZERO, |c| c.header.seq);
        SeqRange { first: seq(self.changesets.first()), last: seq(self.changesets.last()) }
    }

    /// The hash that the first header names as previous: the receiver compares it with what it holds.
    pub fn previous(&self) -> Hash {
        self.changesets.first().map_or(Hash::NONE, |changeset| changeset.header.previous)
    }
}

/// Checks a run against its origin's key.
pub fn verify_run(space: &SpaceId, run: Run) -> Result<VerifiedRun, Violation> {
    if run.headers.is_empty() || run.headers.len() != run.shared.len() {
        return Err(Violation::Shape);
    }
    if run.public_key.device() != run.origin.device {
        return Err(Violation::Key(run.origin));
    }
    let place = (*space, run.partition, run.origin);
    let mut chain = Chain { place, next: run.first, previous: None };
    let mut headers = Vec::with_capacity(run.headers.len());
    for bytes in &run.headers {
        headers.push(chain.follow(bytes)?);
    }
    for bytes in &run.links {
        chain.follow(bytes)?;
    }
    // One signature at the end of the chain proves all of it.
    let reaches = chain.next == run.proof.seq.next() && chain.previous == Some(run.proof.hash);
    if !reaches || !verify_head(&run.public_key, space, &run.partition, &run.origin, &run.proof) {
        return Err(Violation::Signature);
    }
    let mut changesets = Vec::with_capacity(headers.len());
    for (((header, hash), header_bytes), shared) in headers.into_iter().zip(run.headers).zip(run.shared) {
        let shared = verify_shared(&header, shared)?;
        changesets.push(VerifiedChangeset { header, header_bytes, hash, shared });
    }
    let owned = verify_owned(run.origin, &changesets, &run.owned)?;
    Ok(VerifiedRun {
        partition: run.partition,
        origin: run.origin,
        public_key: run.public_key,
        changesets,
        links: run.links,
        proof: run.proof,
        owned,
    })
}

struct Chain {
    place: (SpaceId, PartitionId, Origin),
    next: Seq,
    previous: Option<Hash>,
}

impl Chain {
    fn follow(&mut self, bytes: &[u8]) -> Result<(Header, Hash), Violation> {
        let header = Header::decode(bytes)?;
        if (header.space, header.partition, header.origin) != self.place {
            return Err(Violation::Foreign(header.seq));
        }
        let chained = self.previous.is_none_or(|previous| previous == header.previous);
        let begins = header.seq != Seq(1) || header.previous == Hash::NONE;
        if header.seq != self.next || !chained || !begins {
            return Err(Violation::Chain(self.next));
        }
        let hash = Hash::of(bytes);
        self.next = header.seq.next();
        self.previous = Some(hash);
        Ok((header, hash))
    }
}

fn verify_shared(header: &Header, bytes: Option<Vec<u8>>) -> Result<Shared, Violation> {
    let Some(bytes) = bytes else {
        return if header.shared == Hash::NONE { Ok(Shared::None) } else { Err(Violation::Body(header.seq)) };
    };
    if header.shared == Hash::NONE || Hash::of(&bytes) != header.shared {
        return Err(Violation::Body(header.seq));
    }
    let Ok(body) = decode_body(&bytes) else {
        return Ok(Shared::Refused { bytes, reason: Refusal::Malformed });
    };
    Ok(match refusal(header, &body) {
        Some(reason) => Shared::Refused { bytes, reason },
        None => Shared::Body { bytes, body },
    })
}

/// Why every member refuses this body, if so.
fn refusal(header: &Header, body: &Body) -> Option<Refusal> {
    if u32::try_from(body.len()) != Ok(header.shared_count) {
        return Some(Refusal::Count);
    }
    body.sections.iter().find_map(|section| {
        let own = match &section.versions {
            Versions::Changeset => None,
            Versions::Stamps(stamps) => stamps.iter().find_map(|stamp| foreign(header, stamp)),
            Versions::Explicit(_) => Some(Refusal::ForeignDot),
        };
        own.or_else(|| noted_stamps(section).find_map(malformed))
    })
}

fn noted_stamps(section: &Section) -> impl Iterator<Item = &Stamp> {
    section.over.iter().chain(&section.seen_delete).flatten()
}

fn malformed(stamp: &Stamp) -> Option<Refusal> {
    (!stamp.hlc.is_valid()).then_some(Refusal::Stamp)
}

fn foreign(header: &Header, stamp: &Stamp) -> Option<Refusal> {
    malformed(stamp)
        .or_else(|| (stamp.origin.device != header.origin.device).then_some(Refusal::ForeignStamp))
}

fn verify_owned(
    origin: Origin,
    changesets: &[VerifiedChangeset],
    pages: &[Vec<u8>],
) -> Result<Vec<Body>, Violation> {
    let owned: Vec<Body> =
        pages.iter().map(|page| decode_body(page)).collect::<Result<_, _>>().map_err(Violation::Page)?;
    let mut counts: BTreeMap<Seq, u32> = BTreeMap::new();
    for section in owned.iter().flat_map(|body| &body.sections) {
        let Versions::Explicit(versions) = &section.versions else {
            return Err(Violation::Row(Seq::ZERO));
        };
        if let Some(version) = versions.iter().find(|version| !is_own(origin, version)) {
            return Err(Violation::Row(version.seq));
        }
        if noted_stamps(section).any(|stamp| !stamp.hlc.is_valid()) {
            return Err(Violation::Row(Seq::ZERO));
        }
        for version in versions {
            let count = counts.entry(version.seq).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut whole: BTreeMap<Seq, Vec<Section>> = BTreeMap::new();
    for (seq, count) in counts {
        let header = header_at(changesets, seq).ok_or(Violation::Row(seq))?;
        if count > header.owned_count {
            return Err(Violation::Owned(seq));
        }
        if count == header.owned_count {
            whole.insert(seq, Vec::new());
        }
    }
    if whole.is_empty() {
        return Ok(owned);
    }
    let own = |seq: Seq| header_at(changesets, seq).map(Header::version);
    for section in owned.iter().flat_map(|body| &body.sections) {
        for (seq, piece) in section.by_changeset(own) {
            if let Some(pieces) = whole.get_mut(&seq) {
                pieces.push(piece);
            }
        }
    }
    for (seq, pieces) in whole {
        let header = header_at(changesets, seq).ok_or(Violation::Row(seq))?;
        if owned_hash_of_sections(pieces, header.version()) != header.owned {
            return Err(Violation::Owned(seq));
        }
    }
    Ok(owned)
}

/// Whether an owned row's version can be of `origin` at all.
fn is_own(origin: Origin, version: &Version) -> bool {
    version.origin == origin && version.stamp.origin.device == origin.device && version.stamp.hlc.is_valid()
}

fn header_at(changesets: &[VerifiedChangeset], seq: Seq) -> Option<&Header> {
    let first = changesets.first()?.header.seq;
    let index = usize::try_from(seq.0.checked_sub(first.0)?).ok()?;
    changesets.get(index).map(|changeset| &changeset.header)
}
