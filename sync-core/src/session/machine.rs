//! The state machine itself: its state, its clockwork and the way out.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    Input, LocalProfile, Output, SessionError,
    greet::Handshaking,
    pull::Pulls,
    push::Sending,
    receive::{Receiving, Statements},
};
use crate::{
    hlc::Millis,
    ids::Origin,
    vector::VersionVector,
    wire::{Channel, Compression, ErrorMessage, FrameKind, Message, Role, encode_frame, encode_inner},
};

/// Most unacknowledged bytes that a session sends.
pub const WINDOW: usize = 4 << 20;
/// How often a heartbeat goes.
pub const HEARTBEAT_EVERY: Millis = Millis(30_000);
/// A peer that is silent for so long is gone.
pub const SILENCE_LIMIT: Millis = Millis(90_000);
/// A handshake takes no longer.
pub const HANDSHAKE_LIMIT: Millis = Millis(10_000);

/// How far a session has come.
pub(super) enum Phase {
    /// Noise messages go.
    Handshake(Handshaking),
    /// Sealed; the peer's Hello is awaited.
    Greeting(Channel),
    /// Data flows.
    Live(Channel),
    /// Over.
    Closed,
}

/// One side of a conversation over one link.
pub struct Session {
    pub(super) profile: Arc<LocalProfile>,
    pub(super) role: Role,
    pub(super) phase: Phase,
    pub(super) compression: Box<dyn Compression>,
    pub(super) compress: bool,
    pub(super) now: Millis,
    pub(super) opened: Millis,
    pub(super) heard: Millis,
    pub(super) beaten: Millis,
    pub(super) entries_told: Option<Millis>,
    /// What is durable here.
    pub(super) local: Arc<VersionVector>,
    /// What the peer was told of it.
    pub(super) told: VersionVector,
    /// Who the peer is, once known.
    pub(super) peer: Option<Origin>,
    /// What the peer certainly holds.
    pub(super) peer_holds: VersionVector,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
    pub(super) statements: Statements,
    pub(super) pulls: Pulls,
    pub(super) out: Vec<Output>,
}

impl Session {
    /// Begins. `seed` is fresh randomness; `now` only ever grows, whatever it counts from. The initiator's outputs
    /// hold the first frame.
    pub fn open(
        profile: Arc<LocalProfile>,
        role: Role,
        seed: [u8; 32],
        compression: Box<dyn Compression>,
        local: Arc<VersionVector>,
        now: Millis,
    ) -> (Self, Vec<Output>) {
        let mut session = Self {
            profile,
            role,
            phase: Phase::Closed,
            compression,
            compress: false,
            now,
            opened: now,
            heard: now,
            beaten: now,
            entries_told: None,
            local,
            told: VersionVector::new(),
            peer: None,
            peer_holds: VersionVector::new(),
            sending: Sending::default(),
            receiving: Receiving::default(),
            statements: Statements::default(),
            pulls: Pulls::default(),
            out: Vec::new(),
        };
        session.begin(seed);
        let out = std::mem::take(&mut session.out);
        (session, out)
    }

    /// Takes an input; what is to be done about it comes back in order. After [`Output::Close`] nothing comes any
    /// more.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Output> {
        self.now = self.now.max(now);
        if !self.is_closed()
            && let Err(error) = self.take(input)
        {
            self.fail(error);
        }
        std::mem::take(&mut self.out)
    }

    fn take(&mut self, input: Input) -> Result<(), SessionError> {
        match input {
            Input::Frame(bytes) => self.on_frame(&bytes),
            Input::Tick => self.on_tick(),
            Input::LocalAdvanced(vector) => {
                self.local = vector;
                self.pump()
            }
            Input::Served { ticket, reply } => self.on_served(ticket, reply),
            Input::Ingested { transfer, outcome, vector, statements } => {
                self.on_ingested(transfer, outcome, &vector, statements)
            }
            Input::Statements(statements) => self.tell(Vec::new(), statements),
            Input::Pull(request) => self.on_pull(&request),
            Input::LinkClosed => Err(SessionError::LinkClosed),
            Input::Shutdown(reason) => Err(reason),
        }
    }

    /// When the next [`Input::Tick`] is due, on the clock of the `now` that is passed in.
    pub fn deadline(&self) -> Millis {
        let after = |since: Millis, wait: Millis| Millis(since.0.saturating_add(wait.0));
        match self.phase {
            Phase::Closed => Millis(u64::MAX),
            Phase::Handshake(_) | Phase::Greeting(_) => after(self.opened, HANDSHAKE_LIMIT),
            Phase::Live(_) => after(self.heard, SILENCE_LIMIT)
                .min(after(self.beaten, HEARTBEAT_EVERY))
                .min(self.sending.retry_at.unwrap_or(Millis(u64::MAX))),
        }
    }

    /// Whether it is over.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// What the peer certainly holds.
    pub const fn peer_vector(&self) -> &VersionVector {
        &self.peer_holds
    }

    /// Bytes that were sent and not acknowledged yet.
    pub const fn in_flight(&self) -> usize {
        self.sending.in_flight_bytes
    }

    pub(super) const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// Seals a message and hands it to the link.
    pub(super) fn send(&mut self, message: &Message) -> Result<(), SessionError> {
        let (Phase::Greeting(channel) | Phase::Live(channel)) = &mut self.phase else {
            return Err(SessionError::OutOfPlace(message.kind()));
        };
        let compression: Option<&mut dyn Compression> =
            if self.compress { Some(self.compression.as_mut()) } else { None };
        let inner = encode_inner(message.kind(), &message.encode(), compression)?;
        let frame = encode_frame(FrameKind::Sealed, &channel.seal(&inner)?)?;
        self.out.push(Output::Send(frame));
        Ok(())
    }

    pub(super) fn send_error(&mut self, message: ErrorMessage) -> Result<(), SessionError> {
        self.send(&Message::Error(message))
    }

    /// Ends the session; the peer is told why where it can be told.
    pub(super) fn fail(&mut self, error: SessionError) {
        if self.is_closed() {
            return;
        }
        if let Some(message) = error.to_message() {
            self.say_farewell(message);
        }
        self.phase = Phase::Closed;
        self.out.push(Output::Close(error));
    }

    fn say_farewell(&mut self, message: ErrorMessage) {
        if matches!(self.phase, Phase::Handshake(_)) {
            // Nothing is sealed yet: a hint in the clear, so that the other side's error can say why.
            let body = Message::Error(message).encode();
            if let Ok(frame) = encode_frame(FrameKind::Refusal, &body) {
                self.out.push(Output::Send(frame));
            }
            return;
        }
        if let Err(unsent) = self.send_error(message) {
            // The link ends with the error that is reported anyway; this one adds nothing.
            drop(unsent);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Handshake(_) => "handshake",
            Phase::Greeting(_) => "greeting",
            Phase::Live(_) => "live",
            Phase::Closed => "closed",
        };
        f.debug_struct("Session").field("phase", &phase).field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Hashes at heads, by origin.
pub(super) type Heads = BTreeMap<Origin, crate::ids::Hash>;
