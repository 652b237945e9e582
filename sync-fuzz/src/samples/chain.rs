//! What a device signs: headers in a chain, runs with bodies and owned rows, statements, all of one fixed device.

use sync_core::{
    authorship::{DeviceKey, Floor, Head, SignedStatement, SpaceKey, Statement, owned_hash, sign_head},
    changeset::{Body, Change, ChangeKind, FieldWrite, Header, Name, Versions, encode_body},
    hlc::{Hlc, Millis, Stamp},
    ids::{Hash, Incarnation, Origin, PartitionId, RecordId, Seq, SpaceId},
    value::{MergeKind, Value},
    vector::{SeqRange, VersionVector},
    wire::{Run, RunPart, split_run},
};

use super::body;
use crate::random::Random;

/// The space of all samples.
pub const SPACE: SpaceId = SpaceId::from_bytes([0x51; 16]);
/// Their partition.
pub const PARTITION: PartitionId = PartitionId::ROOT;
/// The space's key.
pub const SPACE_KEY: SpaceKey = SpaceKey::from_bytes([0x77; 32]);

/// The key of device `n`.
pub fn device_key(n: u8) -> DeviceKey {
    DeviceKey::from_seed(&[n; 32])
}

/// The origin of [`device_key`]`(n)`.
pub fn origin(n: u8) -> Origin {
    Origin { device: device_key(n).device(), incarnation: Incarnation(0xabcd) }
}

/// A header of device 3 with no changes.
pub fn header(seq: u64, previous: Hash) -> Header {
    Header {
        version: Header::VERSION,
        space: SPACE,
        partition: PARTITION,
        origin: origin(3),
        seq: Seq(seq),
        hlc: Hlc::at(Millis(1_700_000_000_000 + seq)),
        seen: Vec::new(),
        previous,
        predecessor: None,
        siblings: Vec::new(),
        parts: 1,
        shared: Hash::NONE,
        owned: Hash::NONE,
        shared_count: 0,
        owned_count: 0,
    }
}

/// Headers and bodies of a chain, to be signed.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// The encoded headers.
    pub headers: Vec<Vec<u8>>,
    /// For each the body of its shared changes.
    pub shared: Vec<Option<Vec<u8>>>,
    /// Pages of owned rows.
    pub owned: Vec<Vec<u8>>,
    /// Hash of the last header.
    pub last: Hash,
}

impl Chain {
    /// Appends a header.
    pub fn add(&mut self, header: &Header, shared: Option<Vec<u8>>) {
        let bytes = header.encode();
        self.last = Hash::of(&bytes);
        self.headers.push(bytes);
        self.shared.push(shared);
    }

    /// Signs the whole as device 3; the last `links` headers only prove.
    pub fn sign(mut self, links: usize) -> Run {
        let head = Seq(u64::try_from(self.headers.len()).unwrap_or_default());
        let proof = sign_head(&device_key(3), &SPACE, &PARTITION, &origin(3), head, self.last);
        let keep = self.headers.len().saturating_sub(links);
        let links = self.headers.split_off(keep);
        self.shared.truncate(keep);
        Run {
            partition: PARTITION,
            origin: origin(3),
            public_key: device_key(3).public(),
            first: Seq(1),
            headers: self.headers,
            shared: self.shared,
            links,
            proof,
            owned: self.owned,
        }
    }
}

/// A signed run of `count` changesets of shared changes; the last `links` of them only as headers.
pub fn run(seed: u64, count: u64, links: usize) -> Run {
    let mut random = Random::new(seed);
    let mut chain = Chain::default();
    for seq in 1..=count {
        let mut header = header(seq, chain.last);
        let own = header.version();
        let mut shared = body(&mut random, own);
        for section in &mut shared.sections {
            section.versions = Versions::Changeset;
        }
        header.shared_count = u32::try_from(shared.len()).unwrap_or_default();
        let bytes = encode_body(&shared);
        header.shared = Hash::of(&bytes);
        chain.add(&header, Some(bytes));
    }
    chain.sign(links)
}

/// `rows` device-owned rows as the first changeset writes them.
pub fn owned_rows(rows: u8) -> Vec<Change> {
    let version = header(1, Hash::NONE).version();
    let write = |n| FieldWrite {
        field: Name::from("size"),
        merge: MergeKind::LastWriter,
        value: Value::Integer(i64::from(n)),
    };
    let row = |n| Change {
        model: Name::from("file"),
        record: RecordId::from_bytes([n; 16]),
        kind: ChangeKind::Insert,
        version,
        over: None,
        seen_delete: None,
        fields: vec![write(n)],
    };
    (0..rows).map(row).collect()
}

/// A page of state: every row with its own version.
pub fn page(rows: &[Change]) -> Vec<u8> {
    let mut page = Body::default();
    for row in rows {
        page.push(row, row.version);
        if let Some(section) = page.sections.last_mut() {
            section.versions = Versions::Changeset;
        }
    }
    let mut versions = rows.iter().map(|row| row.version);
    for section in &mut page.sections {
        let count = section.len();
        section.versions = Versions::Explicit(versions.by_ref().take(count).collect());
    }
    encode_body(&page)
}

/// A signed run of one changeset with `rows` device-owned rows.
pub fn owned_run(rows: u8) -> Run {
    let changes = owned_rows(rows);
    let mut header = header(1, Hash::NONE);
    header.owned_count = u32::from(rows);
    header.owned = owned_hash(changes.iter().cloned(), header.version());
    let mut chain = Chain { owned: vec![page(&changes)], ..Chain::default() };
    chain.add(&header, None);
    chain.sign(0)
}

/// The parts of a small run, as they travel.
pub fn run_part() -> Vec<RunPart> {
    split_run(run(1, 3, 1), 77).unwrap_or_default()
}

/// A vector with a gap.
pub fn vector() -> VersionVector {
    let mut vector = VersionVector::new();
    for (n, first, last) in [(3, 1, 5), (3, 8, 9), (4, 1, 300), (5, 7, 7)] {
        vector.insert(origin(n), SeqRange { first: Seq(first), last: Seq(last) });
    }
    vector
}

/// A statement of device `n`, signed.
pub fn statement(n: u8) -> SignedStatement {
    let clock = Hlc::at(Millis(1_700_000_000_000));
    let statement = Statement {
        space: SPACE,
        partition: PARTITION,
        member: origin(n),
        vector: vector(),
        head: Head { seq: Seq(5), hash: Hash([6; 32]) },
        clock,
        floor: Floor { vector: vector(), highest: Some(Stamp::new(clock, origin(n))) },
    };
    statement.sign(&device_key(n))
}
