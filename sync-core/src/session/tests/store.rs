//! A replica in memory: commits, serves, ingests. Knows sequences and bytes, no merge.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    authorship::{
        DeviceKey, Floor, Head, PublicKey, Shared, SignedStatement, SpaceKey, Statement, VerifiedRun,
        owned_hash, sign_head,
    },
    changeset::{Body, Change, ChangeKind, FieldWrite, Header, Name, Version, encode_body},
    hlc::{Hlc, Millis, Stamp},
    ids::{Hash, Incarnation, Origin, PartitionId, RecordId, Seq, SpaceId},
    session::{LocalProfile, ServeRequest},
    value::{MergeKind, Value},
    vector::{SeqRange, VersionVector},
    wire::{Capabilities, HeadProof, ProtocolRange, Run, Schema},
};

pub(super) const SPACE: SpaceId = SpaceId::from_bytes([7; 16]);

pub(super) fn profile(n: u8) -> LocalProfile {
    let key = Arc::new(DeviceKey::from_seed(&[n; 32]));
    LocalProfile {
        space: SPACE,
        partition: PartitionId::ROOT,
        origin: Origin { device: key.device(), incarnation: Incarnation(u32::from(n)) },
        key,
        space_key: SpaceKey::from_bytes([9; 32]),
        schema: Schema::default(),
        capabilities: Capabilities::default(),
        protocol: ProtocolRange::OWN,
        heads: BTreeMap::new(),
    }
}

/// Everything that is kept of one changeset.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Kept {
    pub(super) header: Vec<u8>,
    pub(super) shared: Option<Vec<u8>>,
}

pub(super) struct Store {
    pub(super) profile: Arc<LocalProfile>,
    pub(super) kept: BTreeMap<(Origin, Seq), Kept>,
    /// Owned rows as they are now, of every origin.
    pub(super) rows: BTreeMap<(Origin, RecordId), Change>,
    pub(super) proofs: BTreeMap<(Origin, Seq), (PublicKey, HeadProof)>,
    pub(super) statements: BTreeMap<Origin, (SignedStatement, Statement)>,
    pub(super) vector: VersionVector,
    clock: u64,
}

impl Store {
    pub(super) fn new(n: u8) -> Self {
        Self::with(profile(n))
    }

    pub(super) fn with(profile: LocalProfile) -> Self {
        Self {
            profile: Arc::new(profile),
            kept: BTreeMap::new(),
            rows: BTreeMap::new(),
            proofs: BTreeMap::new(),
            statements: BTreeMap::new(),
            vector: VersionVector::new(),
            clock: 0,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        self.profile.origin
    }

    /// One changeset with a shared text of `size` bytes (none when 0), and these owned rows.
    pub(super) fn commit(&mut self, size: usize, rows: &[u8]) -> Seq {
        let origin = self.origin();
        let seq = self.vector.head(&origin).next();
        self.clock += 1;
        let hlc = Hlc::at(Millis(1_700_000_000_000 + self.clock));
        let own = Version { stamp: Stamp::new(hlc, origin), origin, seq };
        let mut body = Body::default();
        if size > 0 {
            body.push(&change("note", seq.0.to_le_bytes()[0], &"x".repeat(size), own), own);
        }
        let shared = (size > 0).then(|| encode_body(&body));
        let owned: Vec<Change> =
            rows.iter().map(|n| change("file", *n, &format!("{n} at {seq}"), own)).collect();
        let previous = self.kept.get(&(origin, Seq(seq.0 - 1))).map_or(Hash::NONE, |k| Hash::of(&k.header));
        let header = Header {
            version: Header::VERSION,
            space: self.profile.space,
            partition: self.profile.partition,
            origin,
            seq,
            hlc,
            seen: Vec::new(),
            previous,
            predecessor: None,
            siblings: Vec::new(),
            parts: 1,
            shared: shared.as_deref().map_or(Hash::NONE, Hash::of),
            owned: owned_hash(owned.clone(), own),
            shared_count: u32::from(size > 0),
            owned_count: u32::try_from(owned.len()).unwrap(),
        };
        for row in owned {
            self.rows.insert((origin, row.record), row);
        }
        self.kept.insert((origin, seq), Kept { header: header.encode(), shared });
        self.vector.insert_one(origin, seq);
        seq
    }

    /// The run of `range`, which must be held.
    pub(super) fn run(&self, origin: Origin, range: SeqRange) -> Run {
        let kept = |seq: u64| self.kept[&(origin, Seq(seq))].clone();
        let picked: Vec<Kept> = (range.first.0..=range.last.0).map(kept).collect();
        let mut page = Body::default();
        let unused = Version { stamp: Stamp::ZERO, origin, seq: Seq::ZERO };
        for ((by, _), row) in &self.rows {
            if *by == origin && row.version.seq >= range.first && row.version.seq <= range.last {
                page.push(row, unused);
            }
        }
        let (public_key, proof) = if origin == self.origin() {
            let hash = Hash::of(&picked.last().unwrap().header);
            let key = &self.profile.key;
            (key.public(), sign_head(key, &SPACE, &PartitionId::ROOT, &origin, range.last, hash))
        } else {
            let mut later = self.proofs.range((origin, range.last)..);
            *later.next().unwrap().1
        };
        Run {
            partition: self.profile.partition,
            origin,
            public_key,
            first: range.first,
            headers: picked.iter().map(|k| k.header.clone()).collect(),
            shared: picked.into_iter().map(|k| k.shared).collect(),
            links: (range.last.0 + 1..=proof.seq.0).map(|seq| kept(seq).header).collect(),
            proof,
            owned: if page.is_empty() { Vec::new() } else { vec![encode_body(&page)] },
        }
    }

    pub(super) fn serve(&self, request: &ServeRequest) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut bytes = 0;
        for (origin, range) in &request.lacking {
            for seq in range.first.0..=range.last.0 {
                if bytes > 0 && bytes >= request.max_bytes {
                    return runs;
                }
                let run = self.run(*origin, SeqRange { first: Seq(seq), last: Seq(seq) });
                bytes += run.bytes();
                runs.push(run);
            }
        }
        runs
    }

    pub(super) fn ingest(&mut self, run: &VerifiedRun) {
        for changeset in &run.changesets {
            let shared = match &changeset.shared {
                Shared::None => None,
                Shared::Body { bytes, .. } | Shared::Refused { bytes, .. } => Some(bytes.clone()),
            };
            let kept = Kept { header: changeset.header_bytes.clone(), shared };
            let before = self.kept.insert((run.origin, changeset.header.seq), kept.clone());
            assert!(before.is_none_or(|before| before == kept), "a changeset never changes");
        }
        for link in &run.links {
            let header = Header::decode(link).unwrap();
            let body = Kept { header: link.clone(), shared: None };
            self.kept.entry((run.origin, header.seq)).or_insert(body);
        }
        for section in run.owned.iter().flat_map(|page| &page.sections) {
            let unused = Version { stamp: Stamp::ZERO, origin: run.origin, seq: Seq::ZERO };
            for row in section.changes(unused) {
                let here = self.rows.entry((run.origin, row.record)).or_insert_with(|| row.clone());
                if row.version.stamp > here.version.stamp {
                    *here = row;
                }
            }
        }
        self.proofs.insert((run.origin, run.proof.seq), (run.public_key, run.proof));
        self.vector.insert(run.origin, run.range());
    }

    /// The own statement and those that were heard.
    pub(super) fn all_statements(&self) -> Vec<SignedStatement> {
        let origin = self.origin();
        let seq = self.vector.head(&origin);
        let hash = self.kept.get(&(origin, seq)).map_or(Hash::NONE, |k| Hash::of(&k.header));
        let own = Statement {
            space: self.profile.space,
            partition: self.profile.partition,
            member: origin,
            vector: self.vector.clone(),
            head: Head { seq, hash },
            clock: Hlc::at(Millis(1_700_000_000_000 + self.clock)),
            floor: Floor::default(),
        };
        let mut all = vec![own.sign(&self.profile.key)];
        all.extend(self.statements.values().map(|(signed, _)| signed.clone()));
        all
    }

    pub(super) fn take_statements(&mut self, fresh: Vec<(SignedStatement, Statement)>) {
        for (signed, statement) in fresh {
            let newer =
                self.statements.get(&statement.member).is_none_or(|(_, s)| statement.is_newer_than(s));
            if newer && statement.member != self.origin() {
                self.statements.insert(statement.member, (signed, statement));
            }
        }
    }
}

fn change(model: &str, record: u8, text: &str, version: Version) -> Change {
    Change {
        model: Name::from(model),
        record: RecordId::from_bytes([record; 16]),
        kind: ChangeKind::Insert,
        version,
        over: None,
        seen_delete: None,
        fields: vec![FieldWrite {
            field: Name::from("text"),
            merge: MergeKind::LastWriter,
            value: Value::Text(text.to_owned()),
        }],
    }
}
