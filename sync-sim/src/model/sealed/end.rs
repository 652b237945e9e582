//! One end of a session: the machine, what it sent, and what it wants of the device.

use std::{collections::VecDeque, sync::Arc};

use sync_core::{
    authorship::{SignedStatement, SpaceKey, Statement, VerifiedRun},
    hlc::Millis,
    ids::PartitionId,
    session::{Failure, Input, LocalProfile, Output, PullRequest, ServeRequest, Session, SessionError},
    vector::VersionVector,
    wire::{Capabilities, NoCompression, ProtocolRange, Role, Schema},
};

use super::{
    super::{
        changeset::SPACE,
        device::{Device, KEYS},
    },
    serve::Signatures,
};

/// Who a device says it is.
pub(super) fn profile(device: &Device) -> Option<Arc<LocalProfile>> {
    Some(Arc::new(LocalProfile {
        space: SPACE,
        partition: PartitionId::ROOT,
        origin: device.origin,
        key: Arc::clone(KEYS.get(device.number)?),
        space_key: SpaceKey::from_bytes([9; 32]),
        schema: Schema::default(),
        capabilities: Capabilities::default(),
        protocol: ProtocolRange::OWN,
        heads: std::collections::BTreeMap::new(),
    }))
}

/// Most requests at a time; a peer lets sixteen wait.
const MOST_PULLS: u64 = 4;

/// One end.
pub(super) struct End {
    /// Whose.
    pub(super) device: usize,
    pub(super) session: Session,
    /// Frames on the way to the other end.
    pub(super) queue: VecDeque<Vec<u8>>,
    /// Loses everything, and nobody notices.
    pub(super) deaf: bool,
    /// Somebody tampered with what arrives here.
    pub(super) tampered: bool,
    pub(super) serves: VecDeque<(u64, ServeRequest)>,
    pub(super) ingests: VecDeque<(u64, Box<VerifiedRun>)>,
    /// Taken in, and answered when it is durable.
    pub(super) waiting: Vec<u64>,
    pub(super) peer_vectors: Vec<Arc<VersionVector>>,
    pub(super) statements: Vec<(SignedStatement, Statement)>,
    pub(super) closed: Option<SessionError>,
    /// Frames that it ever sent.
    pub(super) sent: u64,
    /// Pulls that are not answered yet, and those that were answered in full.
    pub(super) pulling: u64,
    pub(super) pulled: u64,
}

impl End {
    pub(super) fn open(device: &Device, role: Role, seed: [u8; 32], now: Millis) -> Option<Self> {
        let vector = Arc::clone(&device.stated);
        let (session, out) =
            Session::open(profile(device)?, role, seed, Box::new(NoCompression), vector, now);
        let mut end = Self {
            device: device.number,
            session,
            queue: VecDeque::new(),
            deaf: false,
            tampered: false,
            serves: VecDeque::new(),
            ingests: VecDeque::new(),
            waiting: Vec::new(),
            peer_vectors: Vec::new(),
            statements: Vec::new(),
            closed: None,
            sent: 0,
            pulling: 0,
            pulled: 0,
        };
        end.take(out);
        Some(end)
    }

    pub(super) fn step(&mut self, now: Millis, input: Input) {
        let out = self.session.step(now, input);
        self.take(out);
    }

    fn take(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(frame) => {
                    self.sent += 1;
                    if !self.deaf {
                        self.queue.push_back(frame);
                    }
                }
                Output::Serve { ticket, request } => self.serves.push_back((ticket, request)),
                Output::Ingest { transfer, run } => self.ingests.push_back((transfer, run)),
                Output::PeerUp(info) => self.peer_vectors.push(Arc::new(info.vector.clone())),
                Output::PeerVector(vector) => self.peer_vectors.push(vector),
                Output::Statements(fresh) => self.statements.extend(fresh),
                Output::Pulled { complete, .. } => {
                    self.pulling = self.pulling.saturating_sub(1);
                    self.pulled += u64::from(complete);
                }
                Output::Event(_) => {}
                Output::Close(error) => self.closed = Some(error),
            }
        }
    }

    /// Asks the peer for everything that he is known to hold beyond `known`.
    pub(super) fn pull(&mut self, now: Millis, known: &VersionVector, state: bool) -> bool {
        let ranges = self.session.peer_vector().missing_from(known);
        if ranges.is_empty() || self.pulling >= MOST_PULLS {
            return false;
        }
        self.pulling += 1;
        self.step(now, Input::Pull(PullRequest { ticket: self.sent, ranges, state }));
        true
    }

    /// The device cannot do what is wanted next.
    pub(super) fn fail(&mut self, now: Millis, device: &Device, signatures: &mut Signatures) {
        let failure = Failure { retryable: true, detail: "disk full".to_owned() };
        if let Some((ticket, _)) = self.serves.pop_front() {
            self.step(now, Input::Served { ticket, reply: Err(failure) });
        } else if let Some((transfer, _)) = self.ingests.pop_front() {
            let (vector, statements) = (Arc::clone(&device.stated), signatures.statements(device));
            self.step(now, Input::Ingested { transfer, outcome: Err(failure), vector, statements });
        }
    }

    /// Whether it waits for the device.
    pub(super) fn has_work(&self) -> bool {
        !self.serves.is_empty() || !self.ingests.is_empty()
    }

    /// Whether an honest peer on an ordered link can have ended the session like this.
    pub(super) fn ended_in_order(&self) -> bool {
        let in_order = matches!(
            self.closed,
            None | Some(
                SessionError::LinkClosed
                    | SessionError::Seal(_)
                    | SessionError::Timeout
                    | SessionError::Refused(_)
            )
        );
        in_order || self.tampered
    }
}
