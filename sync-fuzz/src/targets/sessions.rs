//! A session whose peer has the space's key and sends whatever it likes.
//!
//! An input is a byte of flags and then commands: an operation, a length in two bytes, and that many bytes.

use std::{collections::BTreeMap, sync::Arc};

use sync_core::{
    authorship::DeviceKey,
    hlc::Millis,
    ids::{Origin, Seq},
    session::{Failure, Input, LocalProfile, Output, PullRequest, Session, SessionError},
    vector::{SeqRange, VersionVector},
    wire::{
        Capabilities, Channel, Compression, FrameKind, Handshake, Kind, MAX_FRAME, Message, ProtocolRange,
        Role, Schema, decode_frame, encode_frame, encode_inner,
    },
};

use super::{Zstd, runs, session_error};
use crate::{
    outcome::{Outcome, magnitude},
    samples::{self, PARTITION, SPACE, SPACE_KEY},
};

/// Most commands of one input.
const COMMANDS: usize = 48;
/// Randomness of the session's handshake.
pub const SESSION_SEED: [u8; 32] = [1; 32];
/// Randomness of the peer's: the handshake of a conversation is always the same.
pub const PEER_SEED: [u8; 32] = [2; 32];

thread_local! {
    static PROFILE: Arc<LocalProfile> = Arc::new(profile());
    static PEER: DeviceKey = samples::device_key(3);
    static RUNS: Vec<sync_core::wire::Run> = samples::signed_runs();
    static STATEMENTS: Vec<sync_core::authorship::SignedStatement> = (4..6).map(samples::statement).collect();
}

fn profile() -> LocalProfile {
    LocalProfile {
        space: SPACE,
        partition: PARTITION,
        origin: samples::origin(4),
        key: Arc::new(samples::device_key(4)),
        space_key: SPACE_KEY,
        schema: Schema::default(),
        capabilities: Capabilities::default(),
        protocol: ProtocolRange::OWN,
        heads: BTreeMap::new(),
    }
}

/// A session, the peer's end of the seal, and what the engine was asked.
struct Conversation {
    session: Session,
    role: Role,
    now: Millis,
    handshake: Option<Handshake>,
    channel: Option<Channel>,
    serve: Vec<u64>,
    ingest: Vec<u64>,
    closed: Option<SessionError>,
    outputs: usize,
}

impl Conversation {
    fn open(flags: u8) -> Option<Self> {
        // The role is that of the session; the peer has the other.
        let role = if flags & 1 == 0 { Role::Initiator } else { Role::Responder };
        let local = if flags & 8 == 0 { VersionVector::new() } else { samples::vector() };
        let profile = PROFILE.with(Arc::clone);
        let now = Millis(1_000_000);
        let (session, out) = Session::open(profile, role, SESSION_SEED, Box::new(Zstd), Arc::new(local), now);
        let handshake = Handshake::new(role.other(), &SPACE_KEY, PEER_SEED).ok()?;
        let mut conversation = Self {
            session,
            role,
            now,
            handshake: Some(handshake),
            channel: None,
            serve: Vec::new(),
            ingest: Vec::new(),
            closed: None,
            outputs: 0,
        };
        conversation.take(out);
        if flags & 2 == 0 {
            conversation.shake_hands();
            if flags & 4 == 0 {
                conversation.greet();
            }
        }
        Some(conversation)
    }

    /// The responding session's peer speaks first; an initiating session has spoken in `open`.
    fn shake_hands(&mut self) {
        let Some(handshake) = &mut self.handshake else { return };
        let Ok(message) = handshake.write() else { return };
        if let Ok(frame) = encode_frame(FrameKind::Handshake, &message) {
            if self.role == Role::Initiator {
                self.channel = self.handshake.take().and_then(|done| done.finish().ok());
            }
            self.step(Input::Frame(frame));
        }
    }

    fn greet(&mut self) {
        let Some(channel) = &self.channel else { return };
        let hash = *channel.handshake_hash();
        let hello = PEER.with(|key| samples::hello_for(key, self.role.other(), &hash));
        let message = Message::Hello(Box::new(hello));
        self.send(message.kind(), &message.encode(), false);
    }

    /// Seals a body and lets the session have it.
    fn send(&mut self, kind: Kind, body: &[u8], compressed: bool) {
        let means: Option<&mut dyn Compression> = if compressed { Some(&mut Zstd) } else { None };
        if let Ok(inner) = encode_inner(kind, body, means) {
            self.send_inner(&inner);
        }
    }

    fn send_inner(&mut self, inner: &[u8]) {
        let sealed = self.channel.as_mut().and_then(|channel| channel.seal(inner).ok());
        let frame = sealed.and_then(|sealed| encode_frame(FrameKind::Sealed, &sealed).ok());
        if let Some(frame) = frame {
            self.step(Input::Frame(frame));
        }
    }

    fn step(&mut self, input: Input) {
        let was_closed = self.session.is_closed();
        let out = self.session.step(self.now, input);
        assert!(!was_closed || out.is_empty(), "nothing comes after the end");
        self.take(out);
        assert!(self.session.peer_vector().is_canonical(), "what the peer holds stays canonical");
    }

    fn take(&mut self, out: Vec<Output>) {
        for output in out {
            assert!(self.closed.is_none(), "the end is the last output");
            self.outputs += 1;
            match output {
                Output::Send(frame) => self.receive(&frame),
                Output::Serve { ticket, request } => {
                    assert!(!request.lacking.is_empty(), "something is asked for");
                    self.serve.push(ticket);
                }
                Output::Ingest { transfer, run } => {
                    runs::authentic(&run);
                    self.ingest.push(transfer);
                }
                Output::PeerUp(peer) => {
                    assert_eq!(peer.origin, samples::origin(3), "only the peer's own device can be proved");
                }
                Output::Statements(statements) => {
                    for (signed, statement) in statements {
                        assert_eq!(signed.verify(&SPACE), Ok(statement), "statements were checked");
                    }
                }
                Output::PeerVector(vector) => assert!(vector.is_canonical(), "a vector that can be"),
                Output::Pulled { .. } | Output::Event(_) => {}
                Output::Close(error) => self.closed = Some(error),
            }
        }
        assert_eq!(self.closed.is_some(), self.session.is_closed(), "the end is told");
    }

    /// What the session sends is a frame, and opens in order.
    fn receive(&mut self, frame: &[u8]) {
        assert!(frame.len() <= MAX_FRAME, "a frame that no transport carries");
        let Ok((kind, body)) = decode_frame(frame) else { panic!("sent what is no frame") };
        match kind {
            FrameKind::Handshake => {
                let read = self.handshake.as_mut().is_some_and(|handshake| handshake.read(body).is_ok());
                if read && self.role == Role::Responder {
                    self.channel = self.handshake.take().and_then(|done| done.finish().ok());
                }
            }
            FrameKind::Sealed => {
                let opened = self.channel.as_mut().map(|channel| channel.open(body).is_ok());
                assert_ne!(opened, Some(false), "sent what does not open");
            }
            FrameKind::Refusal => {
                assert!(Message::decode(Kind::Error, body).is_ok(), "a refusal is an error");
            }
        }
    }

    fn command(&mut self, operation: u8, bytes: &[u8]) {
        let first = bytes.first().copied().unwrap_or_default();
        let rest = bytes.get(1..).unwrap_or_default();
        match operation % 16 {
            0 => self.step(Input::Frame(bytes.to_vec())),
            1 => {
                let kinds = [FrameKind::Handshake, FrameKind::Sealed, FrameKind::Refusal];
                let kind = kinds.get(usize::from(first % 3)).copied().unwrap_or(FrameKind::Sealed);
                if let Ok(frame) = encode_frame(kind, rest) {
                    self.step(Input::Frame(frame));
                }
            }
            2 => self.send_inner(bytes),
            3..=6 => {
                if let Some(kind) = Kind::from_u8(first) {
                    self.send(kind, rest, operation % 16 == 6);
                }
            }
            7 => {
                let passed = bytes.iter().take(3).fold(0, |all, byte| all << 8 | u64::from(*byte));
                self.now = Millis(self.now.0.saturating_add(passed));
                self.step(Input::Tick);
            }
            8 | 9 => self.serve(first),
            10 => self.ingested(first),
            11 => {
                if let Ok(vector) = postcard::from_bytes::<VersionVector>(bytes)
                    && vector.is_canonical()
                {
                    self.step(Input::LocalAdvanced(Arc::new(vector)));
                }
            }
            12 => self.pull(first, rest),
            13 => self.step(Input::Statements(STATEMENTS.with(Clone::clone))),
            14 => self.greet(),
            _ if first == 0 => self.step(Input::LinkClosed),
            _ => self.step(Input::Shutdown(SessionError::Duplicate)),
        }
    }

    fn serve(&mut self, choice: u8) {
        let ticket = self.serve.pop().unwrap_or(u64::from(choice));
        let reply = match choice % 4 {
            0 => Ok(Vec::new()),
            1 => Err(failure(choice)),
            n => Ok(RUNS.with(|runs| {
                runs.iter().skip(usize::from(choice / 4 % 4)).take(usize::from(n)).cloned().collect()
            })),
        };
        self.step(Input::Served { ticket, reply });
    }

    fn ingested(&mut self, choice: u8) {
        let transfer = self.ingest.pop().unwrap_or(u64::from(choice));
        let outcome = if choice & 1 == 0 { Ok(()) } else { Err(failure(choice)) };
        let mut vector = samples::vector();
        if choice & 2 == 0 {
            vector.insert(samples::origin(3), SeqRange { first: Seq(1), last: Seq(u64::from(choice)) });
        }
        let statements = if choice & 4 == 0 { Vec::new() } else { STATEMENTS.with(Clone::clone) };
        self.step(Input::Ingested { transfer, outcome, vector: Arc::new(vector), statements });
    }

    fn pull(&mut self, choice: u8, bytes: &[u8]) {
        let (ends, _) = bytes.as_chunks::<8>();
        let origin: Origin = samples::origin(3 + choice % 3);
        let ranges = ends.iter().map(|end| {
            let first = u64::from_le_bytes(*end) >> 1;
            (origin, SeqRange { first: Seq(first), last: Seq(first.saturating_add(u64::from(choice))) })
        });
        let request = PullRequest { ticket: 9, ranges: ranges.collect(), state: choice & 4 != 0 };
        self.step(Input::Pull(request));
    }
}

fn failure(choice: u8) -> Failure {
    Failure { retryable: choice & 8 == 0, detail: "a disk is full, é".repeat(usize::from(choice % 9)) }
}

/// A session in every state, with a peer that knows the space's key.
pub fn session(input: &[u8]) -> Outcome {
    let Some((flags, mut rest)) = input.split_first() else { return Outcome::error("no input", "") };
    let Some(mut conversation) = Conversation::open(*flags) else { return Outcome::error("no session", "") };
    for _ in 0..COMMANDS {
        let Some(([operation, low, high], after)) = rest.split_first_chunk::<3>() else { break };
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (bytes, after) = after.split_at(length);
        conversation.command(*operation, bytes);
        rest = after;
    }
    let depth = magnitude(conversation.outputs);
    match &conversation.closed {
        Some(error) => session_error(error).at(depth),
        None => Outcome::ok(0).at(depth),
    }
}
