//! A replica in memory, and a host whose waits are short.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sync_core::{
    authorship::{
        DeviceKey, Floor, Head, PublicKey, Shared, SignedStatement, SpaceKey, Statement, VerifiedRun,
        sign_head,
    },
    changeset::{Body, Change, ChangeKind, Header, Name, Version, encode_body},
    hlc::{Hlc, Millis, Stamp},
    ids::{DeviceId, Hash, Incarnation, Origin, PartitionId, RecordId, Seq, SpaceId},
    session::{LocalProfile, ServeRequest},
    vector::VersionVector,
    wire::{Capabilities, HeadProof, ProtocolRange, Run, Schema},
};
use sync_plugin::{BoxFuture, Context, Host, Moment, Registry, TaskHandle, Url};
use tokio::sync::{Notify, Semaphore, watch};

use super::super::{Exchange, ExchangeEvent, Ingested, PeerState, Replica};
use crate::{
    error::{Error, ErrorKind},
    host::RuntimeHost,
};

const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
/// A wait for something that must happen; only a failure takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The runtime's host with waits a tenth as long.
struct HastyHost;

impl Host for HastyHost {
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) -> TaskHandle {
        RuntimeHost.spawn(name, task)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        RuntimeHost.sleep(duration / 10)
    }

    fn now(&self) -> Moment {
        RuntimeHost.now()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        RuntimeHost.fill_random(bytes);
    }
}

/// What an ingest does besides storing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Retryable,
    Permanent,
    Panic,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    header: Vec<u8>,
    shared: Option<Vec<u8>>,
    key: PublicKey,
    proof: Option<HeadProof>,
}

/// A header and the body of its shared changes.
type Bytes = (Vec<u8>, Option<Vec<u8>>);

#[derive(Default)]
struct Content {
    kept: BTreeMap<(Origin, Seq), Kept>,
    statements: BTreeMap<Origin, (SignedStatement, Statement)>,
    own: Option<(SignedStatement, Statement)>,
    troubles: Vec<Trouble>,
    events: Vec<ExchangeEvent>,
}

pub(super) struct Fake {
    pub(super) profile: LocalProfile,
    content: Mutex<Content>,
    vector: watch::Sender<Arc<VersionVector>>,
    changed: Notify,
    /// Ingests pass while there are permits.
    pub(super) gate: Semaphore,
}

/// A fake and its exchange.
pub(super) struct Member {
    pub(super) fake: Arc<Fake>,
    pub(super) exchange: Exchange<Fake>,
}

pub(super) fn member(n: u8) -> Member {
    member_with(n, SpaceKey::from_bytes([2; 32]))
}

pub(super) fn member_with(n: u8, space_key: SpaceKey) -> Member {
    let key = Arc::new(DeviceKey::from_seed(&[n; 32]));
    let profile = LocalProfile {
        space: SPACE,
        partition: PartitionId::ROOT,
        origin: Origin { device: key.device(), incarnation: Incarnation(5) },
        key,
        space_key,
        schema: Schema::default(),
        capabilities: Capabilities::default(),
        protocol: ProtocolRange::OWN,
        heads: BTreeMap::new(),
    };
    let fake = Arc::new(Fake {
        profile,
        content: Mutex::default(),
        vector: watch::Sender::new(Arc::default()),
        changed: Notify::new(),
        gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
    });
    let mut registry = Registry::new();
    sync_transport_memory::register(&mut registry).unwrap();
    Member { exchange: Exchange::new(Arc::clone(&fake), registry, Context::new(HastyHost)), fake }
}

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

impl Member {
    pub(super) fn device(&self) -> DeviceId {
        self.fake.profile.origin.device
    }

    /// Whether there is a live session with that member.
    pub(super) fn is_live_with(&self, other: &Self) -> bool {
        let live = |peer: &super::super::PeerStatus| {
            peer.device == Some(other.device()) && peer.state == PeerState::Live
        };
        self.exchange.peers().iter().any(live)
    }

    /// Waits until the replica's content or the exchange's state makes `holds` true.
    pub(super) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool + Send + Sync) {
        let waiting = async {
            loop {
                let mut change = std::pin::pin!(self.fake.changed.notified());
                change.as_mut().enable();
                if holds(self) {
                    return;
                }
                change.await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
        assert!(in_time, "{what}: {:?}, {:?}", self.exchange.peers(), self.fake.content().events);
    }

    /// Waits until both hold the same, and compares all of it.
    pub(super) async fn equals(&self, other: &Self) {
        self.until("holds all", |here| here.fake.held().covers(&other.fake.held())).await;
        other.until("holds all", |there| there.fake.held().covers(&self.fake.held())).await;
        assert_eq!(self.fake.bytes(), other.fake.bytes());
    }
}

impl Fake {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn held(&self) -> Arc<VersionVector> {
        Arc::clone(&self.vector.borrow())
    }

    /// Headers and bodies of everything.
    fn bytes(&self) -> BTreeMap<(Origin, Seq), Bytes> {
        let kept = &self.content().kept;
        kept.iter().map(|(at, kept)| (*at, (kept.header.clone(), kept.shared.clone()))).collect()
    }

    /// The next ingests meet these, the last one first.
    pub(super) fn trouble(&self, troubles: &[Trouble]) {
        self.content().troubles = troubles.to_vec();
    }

    pub(super) fn saw(&self, wanted: impl Fn(&ExchangeEvent) -> bool) -> bool {
        self.content().events.iter().any(wanted)
    }

    pub(super) fn statement_of(&self, member: Origin) -> Option<Statement> {
        self.content().statements.get(&member).map(|(_, statement)| statement.clone())
    }

    /// Commits one change with an id as large as it takes for `size` bytes of body.
    pub(super) fn commit(&self, size: usize) {
        let origin = self.profile.origin;
        let mut content = self.content();
        let seq = self.held().head(&origin).next();
        let hlc = Hlc::at(Millis(1_700_000_000_000 + seq.0));
        let own = Version { stamp: Stamp::new(hlc, origin), origin, seq };
        let mut body = Body::default();
        for n in 0..=(size / 16) as u64 {
            let mut id = [0; 16];
            id.split_at_mut(8).0.copy_from_slice(blake_word(seq.0, n).as_slice());
            body.push(
                &Change {
                    model: Name::from("note"),
                    record: RecordId::from_bytes(id),
                    kind: ChangeKind::Delete,
                    version: own,
                    over: None,
                    seen_delete: None,
                    fields: Vec::new(),
                },
                own,
            );
        }
        let shared = encode_body(&body);
        let previous =
            content.kept.get(&(origin, Seq(seq.0 - 1))).map_or(Hash::NONE, |k| Hash::of(&k.header));
        let header = Header {
            version: Header::VERSION,
            space: SPACE,
            partition: PartitionId::ROOT,
            origin,
            seq,
            hlc,
            seen: Vec::new(),
            previous,
            predecessor: None,
            siblings: Vec::new(),
            parts: 1,
            shared: Hash::of(&shared),
            owned: Hash::NONE,
            shared_count: u32::try_from(body.len()).unwrap(),
            owned_count: 0,
        };
        let header = header.encode();
        let key = &self.profile.key;
        let proof = sign_head(key, &SPACE, &PartitionId::ROOT, &origin, seq, Hash::of(&header));
        let kept = Kept { header, shared: Some(shared), key: key.public(), proof: Some(proof) };
        content.kept.insert((origin, seq), kept);
        let mut vector = VersionVector::clone(&self.held());
        vector.insert_one(origin, seq);
        self.vector.send_replace(Arc::new(vector));
        drop(content);
        self.changed.notify_waiters();
    }

    fn store(&self, run: &VerifiedRun) -> Ingested {
        let mut content = self.content();
        for changeset in &run.changesets {
            let shared = match &changeset.shared {
                Shared::None => None,
                Shared::Body { bytes, .. } | Shared::Refused { bytes, .. } => Some(bytes.clone()),
            };
            let proof = (changeset.header.seq == run.proof.seq).then_some(run.proof);
            let header = changeset.header_bytes.clone();
            let kept = Kept { header, shared, key: run.public_key, proof };
            content.kept.insert((run.origin, changeset.header.seq), kept);
        }
        let mut vector = VersionVector::clone(&self.held());
        vector.insert(run.origin, run.range());
        let vector = Arc::new(vector);
        self.vector.send_replace(Arc::clone(&vector));
        drop(content);
        self.changed.notify_waiters();
        Ingested { vector }
    }
}

fn blake_word(a: u64, b: u64) -> [u8; 8] {
    let mixed = (a ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(b.wrapping_add(0xbf58_476d_1ce4_e5b9));
    (mixed ^ (mixed >> 29)).to_le_bytes()
}

impl Replica for Fake {
    fn profile(&self) -> LocalProfile {
        self.profile.clone()
    }

    fn vector(&self) -> watch::Receiver<Arc<VersionVector>> {
        self.vector.subscribe()
    }

    async fn serve(&self, request: ServeRequest) -> Result<Vec<Run>, Error> {
        let content = self.content();
        let mut runs: Vec<Run> = Vec::new();
        let mut bytes = 0;
        for (origin, range) in request.lacking {
            for seq in range.first.0..=range.last.0 {
                let kept = content.kept.get(&(origin, Seq(seq))).unwrap();
                let run = Run {
                    partition: PartitionId::ROOT,
                    origin,
                    public_key: kept.key,
                    first: Seq(seq),
                    headers: vec![kept.header.clone()],
                    shared: vec![kept.shared.clone()],
                    links: Vec::new(),
                    proof: kept.proof.unwrap(),
                    owned: Vec::new(),
                };
                bytes += run.bytes();
                runs.push(run);
                if bytes >= request.max_bytes {
                    return Ok(runs);
                }
            }
        }
        Ok(runs)
    }

    async fn ingest(&self, run: Arc<VerifiedRun>) -> Result<Ingested, Error> {
        let run = &*run;
        let pass = self.gate.acquire().await.unwrap();
        drop(pass);
        let trouble = self.content().troubles.pop();
        match trouble {
            Some(Trouble::Retryable) => {
                Err(Error::new(ErrorKind::Database, "ingest", "disk full").retryable())
            }
            Some(Trouble::Permanent) => Err(Error::new(ErrorKind::Storage, "ingest", "broken")),
            Some(Trouble::Panic) => panic!("planted"),
            None => Ok(self.store(run)),
        }
    }

    fn statements(&self) -> Vec<SignedStatement> {
        let mut content = self.content();
        let member = self.profile.origin;
        let vector = VersionVector::clone(&self.held());
        let seq = vector.head(&member);
        let hash = content.kept.get(&(member, seq)).map_or(Hash::NONE, |kept| Hash::of(&kept.header));
        if content.own.as_ref().is_none_or(|(_, statement)| statement.vector != vector) {
            let statement = Statement {
                space: SPACE,
                partition: PartitionId::ROOT,
                member,
                vector,
                head: Head { seq, hash },
                clock: Hlc::at(Millis(1_700_000_000_000)),
                floor: Floor::default(),
            };
            content.own = Some((statement.sign(&self.profile.key), statement));
        }
        let all = content.own.iter().chain(content.statements.values());
        all.map(|(signed, _)| signed.clone()).collect()
    }

    fn take_statements(&self, statements: Vec<(SignedStatement, Statement)>) {
        let mut content = self.content();
        for (signed, statement) in statements {
            let known = content.statements.get(&statement.member);
            let newer = known.is_none_or(|(_, known)| statement.is_newer_than(known));
            if newer && statement.member != self.profile.origin {
                content.statements.insert(statement.member, (signed, statement));
            }
        }
        drop(content);
        self.changed.notify_waiters();
    }

    fn event(&self, event: ExchangeEvent) {
        self.content().events.push(event);
        self.changed.notify_waiters();
    }
}
