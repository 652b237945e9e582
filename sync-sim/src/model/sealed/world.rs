//! A run over sessions, moved one action at a time.

use std::{rc::Rc, sync::Arc};

use sync_core::{
    authorship::{Shared, VerifiedChangeset},
    hlc::Millis,
    ids::Seq,
    session::{HEARTBEAT_EVERY, Input, WINDOW},
    vector::VersionVector,
    wire::Role,
};

use super::{
    super::{
        action::{Action, Setting},
        changeset::{Stored, decode},
        checker::{Check, Checked, Checker, Failure, must},
        device::{Committed, Device, Taken, origin, touched},
        plant::Plant,
        world::{BEGIN, Tally},
    },
    end::End,
    serve::Signatures,
};
use crate::random::mixed;

/// Largest run beyond the window; a simulated changeset has far less.
const SLACK: usize = 1 << 20;

/// One run.
pub(in crate::model) struct Sealed {
    pub(super) devices: Vec<Device>,
    signatures: Vec<Signatures>,
    edges: Vec<(usize, usize)>,
    /// Both ends of each edge, while it has a session.
    pub(super) sessions: Vec<Option<[End; 2]>>,
    pub(super) checker: Checker,
    pub(in crate::model) tally: Tally,
    pub(in crate::model) trace: u64,
    pub(super) time: u64,
    opened: u64,
    batch: usize,
    plant: Option<Plant>,
}

impl Sealed {
    pub(in crate::model) fn new(setting: &Setting, plant: Option<Plant>) -> Self {
        let count = setting.devices;
        let devices = (0..count).zip(setting.ahead).map(|(number, ahead)| Device::new(number, count, ahead));
        let mut world = Self {
            devices: devices.collect(),
            signatures: (0..count).map(|_| Signatures::default()).collect(),
            edges: setting.edges.clone(),
            sessions: setting.edges.iter().map(|_| None).collect(),
            checker: Checker::default(),
            tally: Tally::default(),
            trace: 0,
            time: BEGIN,
            opened: 0,
            batch: setting.batch,
            plant,
        };
        for edge in 0..world.edges.len() {
            world.connect(edge);
        }
        world
    }

    pub(super) const fn now(&self) -> Millis {
        Millis(self.time)
    }

    /// Does one action; returns whether there was anything to do.
    pub(in crate::model) fn act(&mut self, action: Action) -> Result<bool, Failure> {
        let done = self.perform(action)?;
        self.settle_sessions()?;
        if done {
            self.tally.operations += 1;
            let state =
                self.devices.iter().fold(0_u64, |all, device| mixed(all ^ device.digest ^ device.set));
            let ends = self.sessions.iter().flatten().flatten();
            let queues = ends.fold(0, |all, end| mixed(all ^ end.sent ^ (end.queue.len() as u64) << 32));
            self.trace = mixed(self.trace ^ state ^ queues.rotate_left(17) ^ self.tally.operations);
        }
        Ok(done)
    }

    fn perform(&mut self, action: Action) -> Result<bool, Failure> {
        match action {
            Action::Write { device, salt } => self.write(usize::from(device) % self.devices.len(), salt),
            Action::Sync(device) => self.sync(usize::from(device) % self.devices.len()),
            Action::Send(nth) => self.work_some(usize::from(nth)),
            Action::Deliver(nth) => Ok(self.deliver_some(usize::from(nth))),
            Action::Connect(nth) => {
                let count = self.edges.len();
                let closed = |edge: &usize| self.sessions.get(*edge).is_some_and(Option::is_none);
                let edge = (0..count).map(|step| (usize::from(nth) + step) % count).find(closed);
                Ok(edge.is_some_and(|edge| self.connect(edge)))
            }
            Action::Beat(nth) if nth % 4 != 0 => Ok(self.pull(usize::from(nth))),
            Action::Beat(_) => {
                self.pass(HEARTBEAT_EVERY.0);
                Ok(true)
            }
            Action::Pass(millis) => {
                self.pass(u64::from(millis));
                Ok(true)
            }
            fault => {
                let done = self.fault(fault)?;
                self.tally.faults += u64::from(done);
                Ok(done)
            }
        }
    }

    fn fault(&mut self, action: Action) -> Result<bool, Failure> {
        match action {
            Action::Lose(nth) => Ok(self.queue(usize::from(nth), |queue| drop(queue.pop_front()))),
            Action::Repeat(nth) => Ok(self.queue(usize::from(nth), |queue| {
                queue.extend(queue.front().cloned());
            })),
            Action::Overtake(nth) => Ok(self.queue(usize::from(nth), |queue| queue.rotate_left(1))),
            Action::Cut(edge) => Ok(self.cut(usize::from(edge) % self.edges.len())),
            Action::CutOneWay(link) => {
                let (edge, side) = (usize::from(link / 2) % self.edges.len(), usize::from(link % 2));
                let end =
                    self.sessions.get_mut(edge).and_then(Option::as_mut).and_then(|ends| ends.get_mut(side));
                let Some(end) = end else { return Ok(false) };
                end.deaf = true;
                end.queue.clear();
                Ok(true)
            }
            Action::Garbage { link, salt } => Ok(self.garbage(link, salt)),
            Action::Crash(device) => self.crash(usize::from(device) % self.devices.len()),
            Action::Jump { device, millis } => {
                let number = usize::from(device) % self.devices.len();
                if let Some(device) = self.devices.get_mut(number) {
                    device.ahead = i64::from(millis);
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn write(&mut self, number: usize, salt: u32) -> Result<bool, Failure> {
        let Some(device) = self.devices.get_mut(number) else { return Ok(false) };
        let seen = device.vector.clone();
        let Some(Committed { meant, stored, before }) = device.commit(self.time, salt, self.plant) else {
            return Ok(false);
        };
        self.tally.writes += 1;
        self.checker.committed(device, seen, meant, Rc::clone(&stored))?;
        self.checker.state(device)?;
        Checker::joined(&before, &device.records, &stored)?;
        Ok(true)
    }

    /// What a device holds becomes durable; its sessions hear of it, and what waited is acknowledged.
    pub(super) fn sync(&mut self, number: usize) -> Result<bool, Failure> {
        let now = self.now();
        let (Some(device), Some(signatures)) =
            (self.devices.get_mut(number), self.signatures.get_mut(number))
        else {
            return Ok(false);
        };
        let moved = device.sync();
        if moved {
            self.checker.synced(device);
            signatures.synced();
        }
        let mut answered = false;
        for end in self.sessions.iter_mut().flatten().flatten().filter(|end| end.device == number) {
            for transfer in std::mem::take(&mut end.waiting) {
                answered = true;
                self.checker.tells(device, &device.stated)?;
                let (vector, statements) = (Arc::clone(&device.stated), signatures.statements(device));
                end.step(now, Input::Ingested { transfer, outcome: Ok(()), vector, statements });
            }
            if moved {
                end.step(now, Input::LocalAdvanced(Arc::clone(&device.stated)));
            }
        }
        Ok(moved || answered)
    }

    fn work_some(&mut self, nth: usize) -> Result<bool, Failure> {
        let waiting = || self.sessions.iter().flatten().flatten().filter(|end| end.has_work()).count();
        let Some(at) = nth.checked_rem(waiting()) else { return Ok(false) };
        // Now and then a device cannot read or write: the session hears of it and tries again.
        let fails = nth % 16 == 15;
        self.tally.faults += u64::from(fails);
        self.work(at, fails)
    }

    /// The device of the `nth` end that wants something does it, or fails to.
    pub(super) fn work(&mut self, nth: usize, fails: bool) -> Result<bool, Failure> {
        let now = self.now();
        let Self { sessions, devices, signatures, checker, tally, batch, time, plant, .. } = self;
        let Some(end) = sessions.iter_mut().flatten().flatten().filter(|end| end.has_work()).nth(nth) else {
            return Ok(false);
        };
        let number = end.device;
        let count = devices.len();
        let (Some(device), Some(signatures)) = (devices.get_mut(number), signatures.get_mut(number)) else {
            return Ok(false);
        };
        if fails {
            end.fail(now, device, signatures);
        } else if let Some((ticket, request)) = end.serves.pop_front() {
            let runs = signatures.serve(device, &request, *batch);
            let durable = runs.iter().all(|run| {
                let range = run.range();
                (range.first.0..=range.last.0).all(|seq| device.stated.contains(&run.origin, Seq(seq)))
            });
            must(durable && !runs.is_empty(), Check::DurableFirst, || format!("served {request:?}"))?;
            end.step(now, Input::Served { ticket, reply: Ok(runs) });
        } else if let Some((transfer, run)) = end.ingests.pop_front() {
            for changeset in &run.changesets {
                let stored = Rc::new(read(changeset, count, *plant)?);
                checker.arrived(&stored)?;
                let before = touched(&device.records, &stored);
                let taken = device.take(&stored, *time, *plant);
                must(taken != Taken::Fork, Check::Hostile, || "an honest chain is refused".to_owned())?;
                checker.state(device)?;
                if taken == Taken::Fresh {
                    tally.changesets += 1;
                    Checker::joined(&before, &device.records, &stored)?;
                }
            }
            let author = (0..count).find(|number| origin(*number) == run.origin).unwrap_or_default();
            signatures.keep(author, run.proof, run.range().last, &run.links);
            if *plant == Some(Plant::EarlyAcknowledgement) {
                let (vector, statements) = (Arc::new(device.vector.clone()), signatures.statements(device));
                end.step(now, Input::Ingested { transfer, outcome: Ok(()), vector, statements });
                end.step(now, Input::LocalAdvanced(Arc::new(device.vector.clone())));
            } else {
                end.waiting.push(transfer);
            }
        }
        Ok(true)
    }

    fn deliver_some(&mut self, nth: usize) -> bool {
        let carrying = self.sessions.iter().flatten().flatten().filter(|end| !end.queue.is_empty()).count();
        nth.checked_rem(carrying).is_some_and(|nth| self.deliver(nth))
    }

    /// Delivers the first frame of the `nth` end that has sent any.
    pub(super) fn deliver(&mut self, nth: usize) -> bool {
        let now = self.now();
        let mut at = nth;
        for ends in self.sessions.iter_mut().flatten() {
            for side in 0..2 {
                let [left, right] = &mut *ends;
                let (from, to) = if side == 0 { (left, right) } else { (right, left) };
                if from.queue.is_empty() {
                    continue;
                }
                if at > 0 {
                    at -= 1;
                    continue;
                }
                if let Some(frame) = from.queue.pop_front() {
                    self.tally.deliveries += 1;
                    to.step(now, Input::Frame(frame));
                }
                return true;
            }
        }
        false
    }

    /// An end asks its peer for what its device lacks, or for everything once more.
    fn pull(&mut self, nth: usize) -> bool {
        let now = self.now();
        let Some(nth_end) = nth.checked_rem(self.sessions.iter().flatten().flatten().count()) else {
            return false;
        };
        let Self { sessions, devices, .. } = self;
        let Some(end) = sessions.iter_mut().flatten().flatten().nth(nth_end) else { return false };
        let Some(device) = devices.get(end.device) else { return false };
        let nothing = VersionVector::new();
        let known = if nth.is_multiple_of(3) { &nothing } else { device.stated.as_ref() };
        end.pull(now, known, nth.is_multiple_of(2))
    }

    /// Time passes; sessions whose time has come hear of it.
    pub(super) fn pass(&mut self, millis: u64) {
        self.time += millis;
        let now = self.now();
        for end in self.sessions.iter_mut().flatten().flatten().filter(|end| end.session.deadline() <= now) {
            end.step(now, Input::Tick);
        }
    }

    /// Opens a session over an edge.
    pub(super) fn connect(&mut self, edge: usize) -> bool {
        let now = self.now();
        let Some((left, right)) = self.edges.get(edge) else { return false };
        let (Some(left), Some(right)) = (self.devices.get(*left), self.devices.get(*right)) else {
            return false;
        };
        self.opened += 1;
        let seed = |side: u64| {
            let mut seed = [0; 32];
            for (at, byte) in seed.iter_mut().enumerate() {
                *byte = mixed(self.opened << 8 ^ side << 4 ^ at as u64).to_le_bytes()[0];
            }
            seed
        };
        let ends =
            (End::open(left, Role::Initiator, seed(0), now), End::open(right, Role::Responder, seed(1), now));
        let (Some(left), Some(right), Some(place)) = (ends.0, ends.1, self.sessions.get_mut(edge)) else {
            return false;
        };
        *place = Some([left, right]);
        true
    }

    pub(super) fn cut(&mut self, edge: usize) -> bool {
        self.sessions.get_mut(edge).and_then(Option::take).is_some()
    }

    fn queue(&mut self, nth: usize, change: impl FnOnce(&mut std::collections::VecDeque<Vec<u8>>)) -> bool {
        let carrying = self.sessions.iter().flatten().flatten().filter(|end| !end.queue.is_empty()).count();
        let Some(nth) = nth.checked_rem(carrying) else { return false };
        let ends = self.sessions.iter_mut().flatten().flatten();
        let Some(end) = ends.filter(|end| !end.queue.is_empty()).nth(nth) else { return false };
        change(&mut end.queue);
        true
    }

    /// A damaged frame, or bytes that are none, arrive at an end.
    fn garbage(&mut self, link: u8, salt: u32) -> bool {
        let now = self.now();
        let (edge, side) = (usize::from(link / 2) % self.edges.len(), usize::from(link % 2));
        let Some(ends) = self.sessions.get_mut(edge).and_then(Option::as_mut) else { return false };
        let [from, to] = ends;
        let (from, to) = if side == 0 { (from, to) } else { (to, from) };
        let mut frame = match from.queue.front() {
            Some(frame) if !salt.is_multiple_of(4) => frame.clone(),
            _ => salt.to_le_bytes().repeat(1 + usize::from(salt.to_le_bytes()[0]) % 40),
        };
        let place = usize::try_from(salt).unwrap_or_default() % frame.len().max(1);
        if let Some(byte) = frame.get_mut(place) {
            *byte ^= 1 << (salt % 8);
        }
        to.tampered = true;
        to.step(now, Input::Frame(frame));
        true
    }

    fn crash(&mut self, number: usize) -> Result<bool, Failure> {
        for (edge, (left, right)) in self.edges.clone().into_iter().enumerate() {
            if left == number || right == number {
                self.cut(edge);
            }
        }
        let (Some(device), Some(signatures)) =
            (self.devices.get_mut(number), self.signatures.get_mut(number))
        else {
            return Ok(false);
        };
        device.crash(self.time, self.plant);
        signatures.synced();
        self.checker.crashed(device)?;
        Ok(true)
    }

    /// Looks at what the sessions learned, and takes away those that are over.
    pub(super) fn settle_sessions(&mut self) -> Checked {
        let Self { sessions, devices, signatures, .. } = self;
        for place in sessions {
            let Some(ends) = place else { continue };
            let numbers = [ends[0].device, ends[1].device];
            for (end, peer) in ends.iter_mut().zip([numbers[1], numbers[0]]) {
                for vector in std::mem::take(&mut end.peer_vectors) {
                    let known = devices.get(peer).is_some_and(|peer| peer.stated.covers(&vector));
                    must(known, Check::DurableFirst, || {
                        format!("device {peer} is taken to hold {vector:?}")
                    })?;
                }
                let fresh = std::mem::take(&mut end.statements);
                for (_, statement) in &fresh {
                    let member = devices.iter().find(|device| device.origin == statement.member);
                    let known = member.is_some_and(|member| member.stated.covers(&statement.vector));
                    must(known, Check::DurableFirst, || {
                        format!("a statement that is not so: {statement:?}")
                    })?;
                }
                if let (Some(device), Some(signatures)) =
                    (devices.get(end.device), signatures.get_mut(end.device))
                {
                    signatures.hear(device, fresh);
                }
                must(end.ended_in_order(), Check::Hostile, || {
                    format!("an honest peer is accused: {:?}", end.closed)
                })?;
                let in_flight = end.session.in_flight();
                must(in_flight <= WINDOW + SLACK, Check::BoundedQueues, || {
                    format!("{in_flight} bytes under way")
                })?;
                must(end.serves.len() <= 1, Check::BoundedQueues, || "two questions at a time".to_owned())?;
            }
            if ends.iter().any(|end| end.closed.is_some()) {
                *place = None;
            }
        }
        Ok(())
    }
}

/// A changeset as the session verified it.
fn read(changeset: &VerifiedChangeset, count: usize, plant: Option<Plant>) -> Result<Stored, Failure> {
    let body = match &changeset.shared {
        Shared::Body { bytes, .. } => bytes.as_slice(),
        Shared::None | Shared::Refused { .. } => &[],
    };
    decode(&changeset.header_bytes, body, count, plant)
        .map_err(|detail| Failure { check: Check::Hostile, detail })
}
