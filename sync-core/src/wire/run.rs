//! Runs: contiguous changesets of one origin, and the parts in which they travel.

use serde::{Deserialize, Serialize};

use super::{Kind, MAX_MESSAGE, Opaque, Signature, bounded};
use crate::{
    authorship::PublicKey,
    changeset::MAX_BODY,
    ids::{Hash, Origin, PartitionId, Seq},
    vector::SeqRange,
};

/// The origin's signature over the head of its chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeadProof {
    /// Sequence of the signed header.
    pub seq: Seq,
    /// Its hash.
    pub hash: Hash,
    /// Over domain, space, partition, origin, sequence and hash.
    pub signature: Signature,
}

/// Contiguous changesets of one origin in one partition, as they are handed to a session and taken from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// The partition.
    pub partition: PartitionId,
    /// Who wrote the changesets.
    pub origin: Origin,
    /// The origin's device key.
    pub public_key: PublicKey,
    /// Sequence of the first header.
    pub first: Seq,
    /// The encoded headers, in order.
    pub headers: Vec<Vec<u8>>,
    /// For each header the encoded body of its shared changes, `None` when it has none.
    pub shared: Vec<Option<Vec<u8>>>,
    /// Headers after the run up to the one that is signed; empty when the last of the run is signed.
    pub links: Vec<Vec<u8>>,
    /// Proves all headers.
    pub proof: HeadProof,
    /// Encoded bodies with the origin's device-owned rows as they are now, those whose version has its dot in this
    /// run, with explicit versions. One page is at most [`Run::MAX_PAGE`] bytes.
    pub owned: Vec<Vec<u8>>,
}

impl Run {
    /// Largest page of owned rows in bytes.
    pub const MAX_PAGE: usize = 2 << 20;
    /// Most changesets in a run.
    pub const MAX_CHANGESETS: usize = 65_536;

    /// The sequences that it covers.
    pub fn range(&self) -> SeqRange {
        let count = u64::try_from(self.headers.len()).unwrap_or(u64::MAX);
        SeqRange { first: self.first, last: Seq(self.first.0.saturating_add(count).saturating_sub(1)) }
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        let shared = self.shared.iter().flatten();
        256 + self
            .headers
            .iter()
            .chain(shared)
            .chain(&self.links)
            .chain(&self.owned)
            .map(Vec::len)
            .sum::<usize>()
    }
}

/// The shared changes of a changeset in a run part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WireShared {
    /// There are none.
    None,
    /// The encoded body.
    Whole(Opaque),
    /// The body follows in so many [`BodyPart`]s.
    Parts(u32),
}

/// A changeset in a run part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WireChangeset {
    /// The encoded header.
    pub header: Opaque,
    /// Its shared changes.
    pub shared: WireShared,
}

/// A piece of a body that does not fit one frame.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BodyPart {
    /// Hash of the changeset's header.
    pub header: Hash,
    /// Which piece, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
    /// The bytes.
    pub bytes: Opaque,
}

/// One message of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunPart {
    /// Number of the run on this link, chosen by the sender, ascending.
    pub transfer: u64,
    /// Which message of the transfer, from 0.
    pub index: u32,
    /// Whether the transfer ends here.
    pub last: bool,
    /// The partition.
    pub partition: PartitionId,
    /// Who wrote the changesets.
    pub origin: Origin,
    /// The origin's device key.
    pub public_key: PublicKey,
    /// Sequence of the run's first header.
    pub first: Seq,
    /// Proves all headers.
    pub proof: HeadProof,
    /// The next changesets of the run.
    #[serde(deserialize_with = "bounded::list::<_, _, { Run::MAX_CHANGESETS }>")]
    pub changesets: Vec<WireChangeset>,
    /// A piece of the last changeset's body.
    pub piece: Option<BodyPart>,
    /// The next headers between the run and its proof.
    #[serde(deserialize_with = "bounded::list::<_, _, { Run::MAX_CHANGESETS }>")]
    pub links: Vec<Opaque>,
    /// The next pages of owned rows.
    #[serde(deserialize_with = "bounded::list::<_, _, 4096>")]
    pub owned: Vec<Opaque>,
}

impl RunPart {
    /// The kind under which it travels.
    pub fn kind(&self) -> Kind {
        let single = self.index == 0 && self.last && self.changesets.len() == 1;
        match (self.owned.is_empty(), single) {
            (true, true) => Kind::SharedChange,
            (true, false) => Kind::SharedChangeBatch,
            (false, true) => Kind::StateChange,
            (false, false) => Kind::StateBatch,
        }
    }

    /// Bytes that its content takes.
    pub fn bytes(&self) -> usize {
        let changesets = self.changesets.iter().map(|changeset| {
            let shared = match &changeset.shared {
                WireShared::Whole(body) => body.0.len(),
                WireShared::None | WireShared::Parts(_) => 0,
            };
            changeset.header.0.len() + shared + 64
        });
        let piece = self.piece.as_ref().map_or(0, |piece| piece.bytes.0.len());
        let pages = self.links.iter().chain(&self.owned).map(|page| page.0.len() + 32);
        256 + changesets.sum::<usize>() + piece + pages.sum::<usize>()
    }
}

/// A run cannot be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplitError {
    /// It has no changesets, too many, or not one shared entry for each.
    #[error("a run needs 1 to {} headers and one shared entry for each", Run::MAX_CHANGESETS)]
    Shape,
    /// A header, body or page is larger than may travel.
    #[error("a run's {0} is larger than may travel")]
    TooLarge(&'static str),
}

const MAX_HEADER: usize = 1 << 20;
/// Bytes of content in one message; what is around it fits in the rest of [`MAX_MESSAGE`].
const BUDGET: usize = MAX_MESSAGE - (16 << 10);
const PIECE: usize = 2 << 20;

/// Takes a run apart into messages that fit a frame each.
pub fn split_run(run: Run, transfer: u64) -> Result<Vec<RunPart>, SplitError> {
    check(&run)?;
    let mut splitter = Splitter {
        blank: RunPart {
            transfer,
            index: 0,
            last: false,
            partition: run.partition,
            origin: run.origin,
            public_key: run.public_key,
            first: run.first,
            proof: run.proof,
            changesets: Vec::new(),
            piece: None,
            links: Vec::new(),
            owned: Vec::new(),
        },
        used: 0,
        done: Vec::new(),
        open: None,
    };
    for (header, shared) in run.headers.into_iter().zip(run.shared) {
        match shared {
            Some(body) if header.len() + body.len() + 64 > BUDGET => splitter.large(header, &body),
            shared => {
                let size = header.len() + shared.as_ref().map_or(0, Vec::len) + 64;
                let shared = shared.map_or(WireShared::None, |body| WireShared::Whole(Opaque(body)));
                let changeset = WireChangeset { header: Opaque(header), shared };
                splitter.room(size).changesets.push(changeset);
            }
        }
    }
    for link in run.links {
        splitter.room(link.len() + 32).links.push(Opaque(link));
    }
    for page in run.owned {
        splitter.room(page.len() + 32).owned.push(Opaque(page));
    }
    Ok(splitter.finish())
}

fn check(run: &Run) -> Result<(), SplitError> {
    let count = run.headers.len();
    if count == 0 || run.shared.len() != count || count + run.links.len() > Run::MAX_CHANGESETS {
        return Err(SplitError::Shape);
    }
    if run.headers.iter().chain(&run.links).any(|header| header.len() > MAX_HEADER) {
        return Err(SplitError::TooLarge("header"));
    }
    if run.shared.iter().flatten().any(|body| body.len() > MAX_BODY) {
        return Err(SplitError::TooLarge("body of shared changes"));
    }
    if run.owned.iter().any(|page| page.len() > Run::MAX_PAGE) {
        return Err(SplitError::TooLarge("page of device-owned rows"));
    }
    Ok(())
}

struct Splitter {
    blank: RunPart,
    used: usize,
    done: Vec<RunPart>,
    open: Option<RunPart>,
}

impl Splitter {
    /// The message that has room for `size` more bytes.
    fn room(&mut self, size: usize) -> &mut RunPart {
        if self.used + size > BUDGET {
            self.close();
        }
        self.used += size;
        let blank = &self.blank;
        self.open.get_or_insert_with(|| blank.clone())
    }

    fn close(&mut self) {
        self.done.extend(self.open.take());
        self.used = 0;
    }

    /// A changeset whose body travels in pieces, each in a message of its own.
    fn large(&mut self, header: Vec<u8>, body: &[u8]) {
        let hash = Hash::of(&header);
        let of = u32::try_from(body.len().div_ceil(PIECE)).unwrap_or(u32::MAX);
        let changeset = WireChangeset { header: Opaque(header), shared: WireShared::Parts(of) };
        self.room(changeset.header.0.len() + 64).changesets.push(changeset);
        for (index, bytes) in (0..of).zip(body.chunks(PIECE)) {
            self.close();
            let piece = BodyPart { header: hash, index, of, bytes: Opaque(bytes.to_vec()) };
            self.room(bytes.len()).piece = Some(piece);
        }
        self.close();
    }

    fn finish(mut self) -> Vec<RunPart> {
        self.close();
        for (index, part) in (0_u32..).zip(&mut self.done) {
            part.index = index;
        }
        if let Some(last) = self.done.last_mut() {
            last.last = true;
        }
        self.done
    }
}
