//! Puts runs together again from their messages, whatever order or repetition they come in, within a bound.

use std::collections::{BTreeMap, BTreeSet};

use super::{Run, RunPart, WireShared};
use crate::{changeset::MAX_BODY, ids::Hash};

/// Most bytes of unfinished runs that one session keeps.
pub const MAX_RUN_BYTES: usize = 64 << 20;
const MAX_OPEN: usize = 16;
const MAX_REMEMBERED: usize = 1024;

/// Messages do not make a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssembleError {
    /// More unfinished bytes, runs or messages than are kept.
    #[error("unfinished runs exceed the limit on {0}")]
    Limit(&'static str),
    /// Messages of one transfer that contradict each other.
    #[error("the messages of a run contradict each other: {0}")]
    Contradiction(&'static str),
}

/// What a message did.
#[derive(Debug, PartialEq)]
pub enum Accepted {
    /// More messages of its transfer are missing.
    Part,
    /// It was the last one missing of this transfer.
    Whole(u64, Box<Run>),
    /// It belongs to a transfer that was whole before.
    Repeated(u64),
}

/// Collects run parts.
#[derive(Debug, Default)]
pub struct RunAssembler {
    open: BTreeMap<u64, Transfer>,
    bytes: usize,
    finished_below: u64,
    finished: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Transfer {
    parts: BTreeMap<u32, RunPart>,
    count: Option<u32>,
}

impl RunAssembler {
    /// Nothing collected yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that are kept.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes one message; returns the run when it is the last one missing. A repeated message changes nothing.
    pub fn accept(&mut self, part: RunPart) -> Result<Accepted, AssembleError> {
        let number = part.transfer;
        if number < self.finished_below || self.finished.contains(&number) {
            return Ok(Accepted::Repeated(number));
        }
        if part.index == 0 && part.last && part.piece.is_none() && !self.open.contains_key(&number) {
            self.finish(number);
            return join(vec![part]).map(|run| Accepted::Whole(number, Box::new(run)));
        }
        let size = part.bytes();
        if self.bytes.saturating_add(size) > MAX_RUN_BYTES {
            return Err(AssembleError::Limit("bytes"));
        }
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&number) {
            return Err(AssembleError::Limit("transfers"));
        }
        let transfer = self.open.entry(number).or_default();
        if transfer.parts.contains_key(&part.index) {
            return Ok(Accepted::Part);
        }
        if let Some(first) = transfer.parts.values().next()
            && !same_run(first, &part)
        {
            return Err(AssembleError::Contradiction("different runs"));
        }
        if part.last {
            let highest = transfer.parts.keys().next_back().copied();
            if transfer.count.is_some() || highest.is_some_and(|highest| highest > part.index) {
                return Err(AssembleError::Contradiction("two ends"));
            }
            transfer.count = Some(part.index.saturating_add(1));
        } else if transfer.count.is_some_and(|count| part.index >= count) {
            return Err(AssembleError::Contradiction("more after the end"));
        }
        self.bytes += size;
        transfer.parts.insert(part.index, part);
        if transfer.count.map(|count| count as usize) != Some(transfer.parts.len()) {
            return Ok(Accepted::Part);
        }
        let parts = self.open.remove(&number).map(|done| done.parts).unwrap_or_default();
        let parts: Vec<RunPart> = parts.into_values().collect();
        self.bytes = self.bytes.saturating_sub(parts.iter().map(RunPart::bytes).sum());
        self.finish(number);
        join(parts).map(|run| Accepted::Whole(number, Box::new(run)))
    }

    /// Remembers a finished transfer, so that its repetition is known as one; the memory is bounded.
    fn finish(&mut self, number: u64) {
        self.finished.insert(number);
        while self.finished.first() == Some(&self.finished_below) || self.finished.len() > MAX_REMEMBERED {
            let Some(first) = self.finished.pop_first() else { return };
            self.finished_below = first.saturating_add(1);
        }
    }
}

fn same_run(a: &RunPart, b: &RunPart) -> bool {
    (a.partition, a.origin, a.public_key, a.first, a.proof)
        == (b.partition, b.origin, b.public_key, b.first, b.proof)
}

/// A body that comes in pieces.
struct Pending {
    header: Hash,
    of: u32,
    next: u32,
    bytes: Vec<u8>,
}

fn join(parts: Vec<RunPart>) -> Result<Run, AssembleError> {
    let Some(first) = parts.first() else { return Err(AssembleError::Contradiction("no messages")) };
    let mut run = Run {
        partition: first.partition,
        origin: first.origin,
        public_key: first.public_key,
        first: first.first,
        headers: Vec::new(),
        shared: Vec::new(),
        links: Vec::new(),
        proof: first.proof,
        owned: Vec::new(),
    };
    let mut pending: Option<Pending> = None;
    for part in parts {
        for changeset in part.changesets {
            if pending.is_some() {
                return Err(AssembleError::Contradiction("a body's pieces are missing"));
            }
            if run.headers.len() >= Run::MAX_CHANGESETS {
                return Err(AssembleError::Limit("changesets"));
            }
            run.shared.push(match changeset.shared {
                WireShared::None => None,
                WireShared::Whole(body) => Some(body.0),
                WireShared::Parts(of) => {
                    let header = Hash::of(&changeset.header.0);
                    pending = Some(Pending { header, of, next: 0, bytes: Vec::new() });
                    None
                }
            });
            run.headers.push(changeset.header.0);
        }
        if let Some(piece) = part.piece {
            let Some(body) = pending.as_mut() else {
                return Err(AssembleError::Contradiction("a piece of no body"));
            };
            if (piece.header, piece.index, piece.of) != (body.header, body.next, body.of) {
                return Err(AssembleError::Contradiction("a piece of another body"));
            }
            body.bytes.extend_from_slice(&piece.bytes.0);
            body.next += 1;
            if body.bytes.len() > MAX_BODY {
                return Err(AssembleError::Limit("body"));
            }
            if body.next == body.of
                && let (Some(whole), Some(slot)) = (pending.take(), run.shared.last_mut())
            {
                *slot = Some(whole.bytes);
            }
        }
        run.links.extend(part.links.into_iter().map(|link| link.0));
        run.owned.extend(part.owned.into_iter().map(|page| page.0));
    }
    if pending.is_some() {
        return Err(AssembleError::Contradiction("a body's pieces are missing"));
    }
    Ok(run)
}
