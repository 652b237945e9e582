//! Two sessions and their stores, with the link between them in the hands of the test.

use std::{collections::VecDeque, sync::Arc};

use super::store::Store;
use crate::{
    authorship::VerifiedRun,
    hlc::Millis,
    ids::PartitionId,
    session::{Failure, Input, Output, PeerInfo, ServeRequest, Session, SessionError, SessionEvent},
    wire::{NoCompression, Role},
};

/// One end: a session, what it sent, and what it asked of the engine.
pub(super) struct End {
    pub(super) session: Session,
    pub(super) sent: VecDeque<Vec<u8>>,
    pub(super) serves: VecDeque<(u64, ServeRequest)>,
    pub(super) ingests: VecDeque<(u64, Box<VerifiedRun>)>,
    pub(super) peer: Option<PeerInfo>,
    pub(super) pulled: Vec<(u64, bool)>,
    pub(super) events: Vec<SessionEvent>,
    pub(super) closed: Option<SessionError>,
    pub(super) bytes: usize,
    statements: Vec<(crate::authorship::SignedStatement, crate::authorship::Statement)>,
}

impl End {
    pub(super) fn open(store: &Store, role: Role, seed: u8, now: Millis) -> Self {
        let vector = Arc::new(store.vector.clone());
        let (session, out) =
            Session::open(Arc::clone(&store.profile), role, [seed; 32], Box::new(NoCompression), vector, now);
        let mut end = Self {
            session,
            sent: VecDeque::new(),
            serves: VecDeque::new(),
            ingests: VecDeque::new(),
            peer: None,
            pulled: Vec::new(),
            events: Vec::new(),
            closed: None,
            bytes: 0,
            statements: Vec::new(),
        };
        end.take(out);
        end
    }

    pub(super) fn step(&mut self, now: Millis, input: Input) {
        let out = self.session.step(now, input);
        self.take(out);
    }

    pub(super) fn take(&mut self, out: Vec<Output>) {
        for output in out {
            assert!(self.closed.is_none(), "nothing comes after Close: {output:?}");
            match output {
                Output::Send(frame) => {
                    self.bytes += frame.len();
                    self.sent.push_back(frame);
                }
                Output::Serve { ticket, request } => {
                    assert_eq!(request.partition, PartitionId::ROOT);
                    self.serves.push_back((ticket, request));
                    assert!(self.serves.len() <= 1, "one question at a time");
                }
                Output::Ingest { transfer, run } => self.ingests.push_back((transfer, run)),
                Output::PeerUp(info) => self.peer = Some(*info),
                Output::PeerVector(_) => {}
                Output::Statements(fresh) => self.statements.extend(fresh),
                Output::Pulled { ticket, complete } => self.pulled.push((ticket, complete)),
                Output::Event(event) => self.events.push(event),
                Output::Close(error) => self.closed = Some(error),
            }
        }
    }

    /// Answers one question of the session, if there is one.
    pub(super) fn work(&mut self, store: &mut Store, now: Millis, fails: bool) -> bool {
        store.take_statements(std::mem::take(&mut self.statements));
        let failure = Failure { retryable: true, detail: "disk full".to_owned() };
        if let Some((ticket, request)) = self.serves.pop_front() {
            let reply = if fails { Err(failure) } else { Ok(store.serve(&request)) };
            self.step(now, Input::Served { ticket, reply });
            return true;
        }
        if let Some((transfer, run)) = self.ingests.pop_front() {
            let outcome = if fails {
                Err(failure)
            } else {
                store.ingest(&run);
                Ok(())
            };
            let vector = Arc::new(store.vector.clone());
            let statements = store.all_statements();
            self.step(now, Input::Ingested { transfer, outcome, vector, statements });
            return true;
        }
        false
    }
}

/// Two ends and what is on the link in each direction.
pub(super) struct Pair {
    pub(super) left: End,
    pub(super) right: End,
    pub(super) now: Millis,
}

impl Pair {
    pub(super) fn open(left: &Store, right: &Store, seed: u8, now: Millis) -> Self {
        Self {
            left: End::open(left, Role::Initiator, seed, now),
            right: End::open(right, Role::Responder, seed.wrapping_add(1), now),
            now,
        }
    }

    /// Lets both ends work and carries frames until nothing moves.
    pub(super) fn settle(&mut self, left: &mut Store, right: &mut Store) {
        loop {
            let mut moved = self.left.work(left, self.now, false);
            moved |= self.right.work(right, self.now, false);
            moved |= self.carry();
            if !moved {
                return;
            }
        }
    }

    /// Carries the frames that were sent; returns whether there were any.
    pub(super) fn carry(&mut self) -> bool {
        let mut moved = false;
        while let Some(frame) = self.left.sent.pop_front() {
            self.right.step(self.now, Input::Frame(frame));
            moved = true;
        }
        while let Some(frame) = self.right.sent.pop_front() {
            self.left.step(self.now, Input::Frame(frame));
            moved = true;
        }
        moved
    }

    /// Lets time pass for both.
    pub(super) fn pass(&mut self, millis: u64) {
        self.now = Millis(self.now.0 + millis);
        self.left.step(self.now, Input::Tick);
        self.right.step(self.now, Input::Tick);
    }

    pub(super) fn advanced(&mut self, left: &Store, right: &Store) {
        self.left.step(self.now, Input::LocalAdvanced(Arc::new(left.vector.clone())));
        self.right.step(self.now, Input::LocalAdvanced(Arc::new(right.vector.clone())));
    }
}

/// Whole contents are equal.
pub(super) fn assert_same(left: &Store, right: &Store) {
    assert_eq!(left.vector, right.vector);
    assert_eq!(left.kept, right.kept);
    assert_eq!(left.rows, right.rows);
}
