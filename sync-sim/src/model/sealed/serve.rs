//! What a device answers its sessions: signed runs of what it holds for good, and statements.

use std::collections::BTreeMap;

use sync_core::{
    authorship::{Floor, Head, SignedStatement, Statement, sign_head},
    ids::{Hash, Origin, PartitionId, Seq},
    session::ServeRequest,
    wire::{HeadProof, Run},
};

use super::super::{
    changeset::SPACE,
    device::{Device, KEYS, origin},
};

/// What a device keeps of signatures: they stand in its log beside the headers.
#[derive(Default)]
pub(super) struct Signatures {
    proofs: BTreeMap<(usize, u64), HeadProof>,
    /// Headers between a run and the one that is signed.
    links: BTreeMap<(usize, u64), Vec<u8>>,
    /// The newest statement of each other member.
    pub(super) heard: BTreeMap<Origin, (SignedStatement, Statement)>,
    own: Option<SignedStatement>,
}

impl Signatures {
    /// Keeps what proves a run.
    pub(super) fn keep(&mut self, author: usize, proof: HeadProof, last: Seq, links: &[Vec<u8>]) {
        self.proofs.insert((author, proof.seq.0), proof);
        for (seq, link) in (last.0 + 1..).zip(links) {
            self.links.insert((author, seq), link.clone());
        }
    }

    /// What the device holds for good changed: its statement is another one.
    pub(super) fn synced(&mut self) {
        self.own = None;
    }

    /// The own statement and those that were heard.
    pub(super) fn statements(&mut self, device: &Device) -> Vec<SignedStatement> {
        let Some(key) = KEYS.get(device.number) else { return Vec::new() };
        let own = self.own.get_or_insert_with(|| {
            let seq = device.stated.head(&device.origin);
            let statement = Statement {
                space: SPACE,
                partition: PartitionId::ROOT,
                member: device.origin,
                vector: device.stated.as_ref().clone(),
                head: Head { seq, hash: device.get(device.number, seq.0).map_or(Hash::NONE, |s| s.hash) },
                clock: device.durable_clock(),
                floor: Floor::default(),
            };
            statement.sign(key)
        });
        let mut all = vec![own.clone()];
        all.extend(self.heard.values().map(|(signed, _)| signed.clone()));
        all
    }

    /// Takes note of statements of others, newest by head.
    pub(super) fn hear(&mut self, device: &Device, fresh: Vec<(SignedStatement, Statement)>) {
        for (signed, statement) in fresh {
            let known = self.heard.get(&statement.member);
            let newer = known.is_none_or(|(_, known)| statement.is_newer_than(known));
            if newer && statement.member != device.origin {
                self.heard.insert(statement.member, (signed, statement));
            }
        }
    }

    /// Runs of what is asked for, in order, at most `batch` changesets each.
    pub(super) fn serve(&self, device: &Device, request: &ServeRequest, batch: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut bytes = 0;
        for (author, range) in &request.lacking {
            let mut first = range.first.0;
            while first <= range.last.0 {
                if bytes > 0 && bytes >= request.max_bytes {
                    return runs;
                }
                let last = range.last.0.min(first + u64::try_from(batch).unwrap_or(1) - 1);
                let Some(run) = self.run(device, *author, first, last) else { return runs };
                bytes += run.bytes();
                runs.push(run);
                first = last + 1;
            }
        }
        runs
    }

    fn run(&self, device: &Device, author: Origin, first: u64, last: u64) -> Option<Run> {
        let number = (0..KEYS.len()).find(|number| origin(*number) == author)?;
        let held: Vec<_> = (first..=last).map(|seq| device.get(number, seq)).collect::<Option<_>>()?;
        let key = KEYS.get(number)?;
        let proof = if number == device.number {
            sign_head(key, &SPACE, &PartitionId::ROOT, &author, Seq(last), held.last()?.hash)
        } else {
            *self.proofs.range((number, last)..=(number, u64::MAX)).next()?.1
        };
        let header = |seq| {
            let held = device.get(number, seq).map(|stored| stored.header.clone());
            held.or_else(|| self.links.get(&(number, seq)).cloned())
        };
        Some(Run {
            partition: PartitionId::ROOT,
            origin: author,
            public_key: key.public(),
            first: Seq(first),
            headers: held.iter().map(|stored| stored.header.clone()).collect(),
            shared: held.iter().map(|stored| Some(stored.body.clone())).collect(),
            links: (last + 1..=proof.seq.0).map(header).collect::<Option<_>>()?,
            proof,
            owned: Vec::new(),
        })
    }
}
