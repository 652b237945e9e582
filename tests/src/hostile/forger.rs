//! Signs changesets that no engine would write, with a key of its own.

use sync_core::{
    authorship::{DeviceKey, owned_hash, sign_head},
    changeset::{Body, Change, ChangeKind, FieldWrite, Header, Name, Version, encode_body},
    hlc::{Hlc, Millis, Stamp},
    ids::{Hash, Incarnation, Origin, PartitionId, RecordId, Seq},
    value::{MergeKind, Value},
    wire::{Capabilities, Hello, PartitionVector, ProtocolRange, Run, Schema},
};
use sync_runtime::host::RuntimeHost;

use super::{JoinCode, Talk};
use crate::device::Device;

/// One change as its author wants it.
#[derive(Clone, Debug)]
pub struct Write {
    /// Wire name of the model, known or not.
    pub model: String,
    /// The record.
    pub record: RecordId,
    /// What happens.
    pub kind: ChangeKind,
    /// Another stamp than the changeset's.
    pub stamp: Option<Stamp>,
    /// The values.
    pub fields: Vec<FieldWrite>,
}

impl Write {
    /// An insert of a record with this id, all bytes equal.
    pub fn insert(model: &str, record: u8, fields: impl IntoIterator<Item = FieldWrite>) -> Self {
        Self {
            model: model.to_owned(),
            record: RecordId::from_bytes([record; 16]),
            kind: ChangeKind::Insert,
            stamp: None,
            fields: fields.into_iter().collect(),
        }
    }

    /// A write to a record.
    pub fn update(model: &str, record: RecordId, fields: impl IntoIterator<Item = FieldWrite>) -> Self {
        Self { record, kind: ChangeKind::Write, ..Self::insert(model, 0, fields) }
    }

    /// The end of a record.
    pub fn delete(model: &str, record: RecordId) -> Self {
        Self { record, kind: ChangeKind::Delete, ..Self::insert(model, 0, []) }
    }

    /// An insert of a label.
    pub fn label(record: u8, name: &str) -> Self {
        let text = |text: &str| Value::Text(text.to_owned());
        Self::insert(
            "label",
            record,
            [column("name", text(name)), column("colour", Value::Null), counted("uses", 0)],
        )
    }

    /// The same with another stamp.
    #[must_use]
    pub fn stamped(self, stamp: Stamp) -> Self {
        Self { stamp: Some(stamp), ..self }
    }

    fn change(&self, own: Version) -> Change {
        Change {
            model: Name::from(self.model.as_str()),
            record: self.record,
            kind: self.kind,
            version: Version { stamp: self.stamp.unwrap_or(own.stamp), ..own },
            over: None,
            seen_delete: None,
            fields: self.fields.clone(),
        }
    }
}

/// A value where the last writer wins.
pub fn column(field: &str, value: Value) -> FieldWrite {
    FieldWrite { field: Name::from(field), merge: MergeKind::LastWriter, value }
}

/// A counter's base.
pub fn counted(field: &str, value: i64) -> FieldWrite {
    FieldWrite { field: Name::from(field), merge: MergeKind::Counter, value: Value::Integer(value) }
}

/// A device that has the space's key, a key of its own, and no engine.
#[derive(Debug)]
pub struct Forger {
    /// What it knows of the space.
    pub code: JoinCode,
    /// Its own key.
    pub key: DeviceKey,
    /// Who it is.
    pub origin: Origin,
    seq: Seq,
    previous: Hash,
}

impl Forger {
    /// One more member of the space of `member`.
    pub fn among(member: &Device) -> Self {
        let mut seed = [0; 32];
        RuntimeHost::context().fill_random(&mut seed);
        let key = DeviceKey::from_seed(&seed);
        let origin = Origin { device: key.device(), incarnation: Incarnation(1) };
        Self { code: JoinCode::of(member), key, origin, seq: Seq::ZERO, previous: Hash::NONE }
    }

    /// A copy of this device as it was when it began, with its key and its name.
    #[must_use]
    pub fn twin(&self) -> Self {
        let key = DeviceKey::from_seed(self.key.seed());
        Self { code: self.code.clone(), key, origin: self.origin, seq: Seq::ZERO, previous: Hash::NONE }
    }

    /// The present.
    pub fn now() -> Hlc {
        Hlc::at(Millis(RuntimeHost::context().now().unix_ms))
    }

    /// The Hello that a member with nothing would say.
    pub fn hello(&self, talk: &Talk) -> Hello {
        let mut greeting = talk.greeting(&self.code.space);
        greeting.extend_from_slice(self.origin.device.as_bytes());
        greeting.extend_from_slice(&self.origin.incarnation.0.to_be_bytes());
        Hello {
            protocol: ProtocolRange::OWN,
            space: self.code.space,
            origin: self.origin,
            public_key: self.key.public(),
            signature: self.key.sign(&greeting),
            schema: Schema::default(),
            capabilities: Capabilities::default(),
            vectors: vec![PartitionVector { partition: PartitionId::ROOT, entries: Vec::new() }],
        }
    }

    /// The next changeset, with these shared changes.
    pub fn commit(&mut self, writes: &[Write]) -> Run {
        self.commit_at(Self::now(), writes, &[])
    }

    /// The next changeset, with these device-owned rows.
    pub fn commit_owned(&mut self, rows: &[Write]) -> Run {
        self.commit_at(Self::now(), &[], rows)
    }

    /// The next changeset, by this clock.
    pub fn commit_at(&mut self, clock: Hlc, shared: &[Write], owned: &[Write]) -> Run {
        let own = self.version(clock);
        let mut body = Body::default();
        for write in shared {
            body.push(&write.change(own), own);
        }
        let bytes = (!body.is_empty()).then(|| encode_body(&body));
        let owned: Vec<Change> = owned.iter().map(|write| write.change(own)).collect();
        self.sign(clock, bytes, u32::try_from(body.len()).unwrap(), &owned)
    }

    /// The next changeset, with bytes for a body that claim to be so many changes.
    pub fn commit_bytes(&mut self, bytes: Vec<u8>, count: u32) -> Run {
        self.sign(Self::now(), Some(bytes), count, &[])
    }

    fn version(&self, clock: Hlc) -> Version {
        Version { stamp: Stamp::new(clock, self.origin), origin: self.origin, seq: self.seq.next() }
    }

    fn sign(&mut self, hlc: Hlc, shared: Option<Vec<u8>>, shared_count: u32, owned: &[Change]) -> Run {
        let own = self.version(hlc);
        let header = Header {
            version: Header::VERSION,
            space: self.code.space,
            partition: PartitionId::ROOT,
            origin: self.origin,
            seq: own.seq,
            hlc,
            seen: Vec::new(),
            previous: self.previous,
            predecessor: None,
            siblings: Vec::new(),
            parts: 1,
            shared: shared.as_deref().map_or(Hash::NONE, Hash::of),
            owned: owned_hash(owned.to_vec(), own),
            shared_count,
            owned_count: u32::try_from(owned.len()).unwrap(),
        };
        let header = header.encode();
        (self.seq, self.previous) = (own.seq, Hash::of(&header));
        let proof =
            sign_head(&self.key, &self.code.space, &PartitionId::ROOT, &self.origin, self.seq, self.previous);
        Run {
            partition: PartitionId::ROOT,
            origin: self.origin,
            public_key: self.key.public(),
            first: self.seq,
            headers: vec![header],
            shared: vec![shared],
            links: Vec::new(),
            proof,
            owned: pages(owned),
        }
    }
}

/// Rows of state name their versions.
fn pages(rows: &[Change]) -> Vec<Vec<u8>> {
    let nobody = Version { stamp: Stamp::ZERO, origin: Stamp::ZERO.origin, seq: Seq::ZERO };
    let mut page = Body::default();
    for row in rows {
        page.push(row, nobody);
    }
    if page.is_empty() { Vec::new() } else { vec![encode_body(&page)] }
}
