//! Receiving: frames, runs, acknowledgements, statements.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    Failure, Output, ServePurpose, Session, SessionError, SessionEvent,
    machine::{Phase, WINDOW},
};
use crate::{
    authorship::{PublicKey, SignedStatement, verify_run},
    ids::Origin,
    vector::{SeqRange, VersionVector},
    wire::{
        About, Accepted, Ack, ErrorCode, ErrorMessage, FrameKind, Kind, MAX_RUN_BYTES, Message, RunAssembler,
        RunPart, SealError, Signature, decode_frame, decode_inner,
    },
};

const MAX_STATEMENTS: usize = 1024;
const MAX_STRIKES: u32 = 16;
const REMEMBERED_PER_KEY: usize = 4;

/// What is under way from the peer.
#[derive(Default)]
pub(super) struct Receiving {
    assembler: RunAssembler,
    pending: BTreeMap<u64, usize>,
    pending_bytes: usize,
    pub(super) strikes: u32,
}

/// Which statements went and came, so that none goes twice or is checked twice.
#[derive(Default)]
pub(super) struct Statements {
    known: BTreeMap<PublicKey, VecDeque<Signature>>,
}

impl Statements {
    /// Remembers a statement; returns whether it is new. A device has one or few that are current.
    fn remember(&mut self, statement: &SignedStatement) -> bool {
        let known = self.known.entry(statement.public_key).or_default();
        if known.contains(&statement.signature) {
            return false;
        }
        if known.len() >= REMEMBERED_PER_KEY {
            known.pop_front();
        }
        known.push_back(statement.signature);
        true
    }

    fn knows(&self, statement: &SignedStatement) -> bool {
        self.known.get(&statement.public_key).is_some_and(|known| known.contains(&statement.signature))
    }
}

impl Session {
    pub(super) fn on_frame(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        let (kind, body) = decode_frame(bytes)?;
        match (kind, &mut self.phase) {
            (FrameKind::Handshake, Phase::Handshake(_)) => self.on_handshake(body),
            (FrameKind::Refusal, Phase::Handshake(_) | Phase::Greeting(_)) => {
                match Message::decode(Kind::Error, body)? {
                    Message::Error(message) => Err(SessionError::Refused(message)),
                    _ => Err(SessionError::OutOfPlace(Kind::Error)),
                }
            }
            (FrameKind::Sealed, Phase::Greeting(channel) | Phase::Live(channel)) => {
                let plain = channel.open(body)?;
                let inner = decode_inner(&plain, self.compression.as_mut())?;
                self.heard = self.now;
                let message = Message::decode(inner.kind, &inner.body)?;
                self.on_message(message)
            }
            _ => Err(SealError::Handshake.into()),
        }
    }

    pub(super) fn on_message(&mut self, message: Message) -> Result<(), SessionError> {
        if !self.is_live() && !matches!(message, Message::Hello(_) | Message::Error(_)) {
            return Err(SessionError::OutOfPlace(message.kind()));
        }
        match message {
            Message::Hello(hello) => self.on_hello(*hello),
            Message::Run(part) => self.on_part(part).map(|_| ()),
            Message::SharedChangeRequest(request) => self.on_request(request, ServePurpose::Changes),
            Message::StateRequest(request) => self.on_request(request, ServePurpose::State),
            Message::SharedChangeResponse(response) | Message::StateResponse(response) => {
                self.on_response(response)
            }
            Message::Ack(ack) => self.on_ack(ack),
            Message::Heartbeat(heartbeat) => self.on_heartbeat(&heartbeat),
            Message::Error(message) => self.on_error(message),
        }
    }

    /// Takes a part of a run; returns what the run covers when it is whole, and hands it to the engine.
    pub(super) fn on_part(&mut self, part: RunPart) -> Result<Option<(Origin, SeqRange)>, SessionError> {
        let (transfer, run) = match self.receiving.assembler.accept(part)? {
            Accepted::Part => return Ok(None),
            Accepted::Repeated(transfer) => {
                // Its acknowledgement may have been lost; while it is pending, the one to come is enough.
                if !self.receiving.pending.contains_key(&transfer) {
                    self.tell(vec![transfer], Vec::new())?;
                }
                return Ok(None);
            }
            Accepted::Whole(transfer, run) => (transfer, *run),
        };
        let bytes = run.bytes();
        if self.receiving.pending_bytes.saturating_add(bytes) > MAX_RUN_BYTES + 2 * WINDOW {
            return Err(SessionError::Limit("changes that wait to be stored"));
        }
        let run = verify_run(&self.profile.space, run)?;
        let covered = (run.origin, run.range());
        if run.partition != self.profile.partition {
            // Not exchanged here: done with, and not counted as held by the peer.
            self.tell(vec![transfer], Vec::new())?;
            return Ok(Some(covered));
        }
        self.receiving.pending.insert(transfer, bytes);
        self.receiving.pending_bytes += bytes;
        // Who sends it holds it.
        self.peer_holds.insert(covered.0, covered.1);
        self.sending.offered.insert(covered.0, covered.1);
        self.out.push(Output::Ingest { transfer, run: Box::new(run) });
        Ok(Some(covered))
    }

    pub(super) fn on_ingested(
        &mut self,
        transfer: u64,
        outcome: Result<(), Failure>,
        vector: &Arc<VersionVector>,
        statements: Vec<SignedStatement>,
    ) -> Result<(), SessionError> {
        // What was stored meanwhile from elsewhere may be known here already: this only ever adds.
        if vector.covers(&self.local) {
            self.local = Arc::clone(vector);
        } else if !self.local.covers(vector) {
            Arc::make_mut(&mut self.local).merge(vector);
        }
        let Some(bytes) = self.receiving.pending.remove(&transfer) else {
            return self.pump();
        };
        self.receiving.pending_bytes = self.receiving.pending_bytes.saturating_sub(bytes);
        if let Err(failure) = outcome {
            self.send_error(ErrorMessage {
                code: ErrorCode::IngestFailed,
                about: About::Transfer(transfer),
                retryable: failure.retryable,
                detail: failure.detail.chars().take(60).collect(),
            })?;
        }
        self.tell(vec![transfer], statements)?;
        self.pump()
    }

    /// Sends an acknowledgement with what the peer does not know yet, if there is anything.
    pub(super) fn tell(
        &mut self,
        done: Vec<u64>,
        statements: Vec<SignedStatement>,
    ) -> Result<(), SessionError> {
        if !self.is_live() {
            return Ok(());
        }
        let statements: Vec<_> = statements
            .into_iter()
            .filter(|statement| self.statements.remember(statement))
            .take(MAX_STATEMENTS)
            .collect();
        if done.is_empty() && statements.is_empty() {
            return Ok(());
        }
        self.send(&Message::Ack(Ack { done, statements }))
    }

    fn on_ack(&mut self, ack: Ack) -> Result<(), SessionError> {
        self.on_done(&ack.done);
        let mut fresh = Vec::new();
        let mut grown = false;
        for signed in ack.statements {
            if self.statements.knows(&signed) {
                continue;
            }
            let statement = signed.verify(&self.profile.space)?;
            self.statements.remember(&signed);
            if Some(statement.member) == self.peer && statement.partition == self.profile.partition {
                // An acknowledgement only ever adds: an old one that arrives late takes nothing back.
                self.peer_holds.merge(&statement.vector);
                self.sending.offered.merge(&statement.vector);
                grown = true;
            }
            fresh.push((signed, statement));
        }
        if grown {
            self.out.push(Output::PeerVector(Arc::new(self.peer_holds.clone())));
        }
        if !fresh.is_empty() {
            self.out.push(Output::Statements(fresh));
        }
        self.pump()
    }

    fn on_error(&mut self, message: ErrorMessage) -> Result<(), SessionError> {
        let ends = !self.is_live() || matches!(message.about, About::Session | About::Message(_));
        if ends {
            return Err(SessionError::Refused(message));
        }
        if let About::Request(request) = message.about {
            self.on_request_failed(request);
        }
        self.out.push(Output::Event(SessionEvent::PeerError(message)));
        Ok(())
    }

    /// An answer to nothing. A repeated one happens; a stream of them ends the session.
    pub(super) fn on_unsolicited(&mut self, request: u64) -> Result<(), SessionError> {
        self.receiving.strikes += 1;
        if self.receiving.strikes > MAX_STRIKES {
            return Err(SessionError::Limit("unsolicited answers"));
        }
        self.out.push(Output::Event(SessionEvent::Unsolicited));
        self.send_error(ErrorMessage {
            code: ErrorCode::Unsolicited,
            about: About::Request(request),
            retryable: false,
            detail: String::new(),
        })
    }
}
