//! A run: devices, links, and the checker, moved one action at a time.

use std::rc::Rc;

use super::{
    action::{Action, Setting},
    changeset::decode,
    checker::{Check, Checked, Checker, Failure, must},
    device::{Committed, Device, Taken, touched},
    plain::{Message, Plain},
    plant::Plant,
};
use crate::random::mixed;

/// When a run begins: some time in 2026, in milliseconds.
pub(super) const BEGIN: u64 = 1_780_000_000_000;

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Steps that did something: a write, a delivery, a fault, anything that [`Action`] names.
    pub operations: u64,
    /// Deliveries and syncs after the faults, until all were equal and quiet.
    pub resting: u64,
    /// Transactions that were committed.
    pub writes: u64,
    /// Messages that were delivered.
    pub deliveries: u64,
    /// Changesets that entered a state.
    pub changesets: u64,
    /// Losses, repetitions, cuts, crashes, jumps, rubbish.
    pub faults: u64,
    /// Rounds until all were equal after the faults.
    pub rounds: u64,
}

impl Tally {
    /// Adds another run's.
    pub fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.resting += other.resting;
        self.writes += other.writes;
        self.deliveries += other.deliveries;
        self.changesets += other.changesets;
        self.faults += other.faults;
        self.rounds = self.rounds.max(other.rounds);
    }
}

/// One run.
pub(super) struct World {
    pub(super) devices: Vec<Device>,
    pub(super) net: Plain,
    pub(super) checker: Checker,
    pub(super) tally: Tally,
    /// Stands for everything that happened.
    pub(super) trace: u64,
    time: u64,
    slow: Option<usize>,
    plant: Option<Plant>,
}

impl World {
    pub(super) fn new(setting: &Setting, plant: Option<Plant>) -> Result<Self, Failure> {
        let count = setting.devices;
        let devices = (0..count).zip(setting.ahead).map(|(number, ahead)| Device::new(number, count, ahead));
        let mut world = Self {
            devices: devices.collect(),
            net: Plain::new(&setting.edges, setting.batch, plant),
            checker: Checker::default(),
            tally: Tally::default(),
            trace: 0,
            time: BEGIN,
            slow: setting.slow,
            plant,
        };
        for edge in 0..setting.edges.len() {
            world.net.connect(edge, &world.devices, &mut world.checker)?;
        }
        Ok(world)
    }

    /// Does one action; returns whether there was anything to do.
    pub(super) fn act(&mut self, action: Action) -> Result<bool, Failure> {
        let done = self.perform(action)?;
        if done {
            self.tally.operations += 1;
            let state =
                self.devices.iter().fold(0_u64, |all, device| mixed(all ^ device.digest ^ device.set));
            let queues = self.net.links.iter().fold(0, |all, link| mixed(all ^ link.queue.len() as u64));
            self.trace = mixed(self.trace ^ state ^ queues.rotate_left(17) ^ self.tally.operations);
        }
        Ok(done)
    }

    fn perform(&mut self, action: Action) -> Result<bool, Failure> {
        match action {
            Action::Write { device, salt } => self.write(self.number(device), salt),
            Action::Sync(device) => self.sync(self.number(device)),
            Action::Send(link) => self.send(usize::from(link)),
            Action::Deliver(nth) => self.deliver_some(nth),
            Action::Connect(edge) => self.connect(usize::from(edge)),
            Action::Beat(link) => {
                let at = self.link(link);
                self.net.beat(at, &self.devices)
            }
            Action::Pass(millis) => {
                self.time += u64::from(millis);
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
            Action::Lose(nth) => Ok(self.front(nth, |queue| drop(queue.pop_front()))),
            Action::Repeat(nth) => Ok(self.front(nth, |queue| {
                if let (Some(first), true) = (queue.front().cloned(), queue.len() < 10) {
                    queue.push_back(first);
                }
            })),
            Action::Overtake(nth) => Ok(self.front(nth, |queue| {
                if let Some(first) = queue.pop_front() {
                    queue.push_back(first);
                }
            })),
            Action::Cut(edge) => {
                let edge = usize::from(edge).checked_rem(self.net.links.len() / 2).unwrap_or_default();
                Ok(self.net.cut(edge))
            }
            Action::CutOneWay(link) => {
                let at = self.link(link);
                let Some(link) = self.net.links.get_mut(at).filter(|link| link.open) else {
                    return Ok(false);
                };
                link.queue.clear();
                link.deaf = true;
                Ok(true)
            }
            Action::Garbage { link, salt } => self.garbage(self.link(link), salt),
            Action::Crash(device) => self.crash(self.number(device)),
            Action::Jump { device, millis } => {
                let number = self.number(device);
                if let Some(device) = self.devices.get_mut(number) {
                    device.ahead = i64::from(millis);
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn number(&self, device: u8) -> usize {
        usize::from(device) % self.devices.len()
    }

    fn link(&self, link: u8) -> usize {
        usize::from(link) % self.net.links.len()
    }

    /// Does something to the queue of one of the links that carry something.
    fn front(&mut self, nth: u8, change: impl FnOnce(&mut std::collections::VecDeque<Message>)) -> bool {
        let Some(link) = self.net.carrying(nth).and_then(|at| self.net.links.get_mut(at)) else {
            return false;
        };
        change(&mut link.queue);
        true
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

    pub(super) fn sync(&mut self, number: usize) -> Result<bool, Failure> {
        let Some(device) = self.devices.get_mut(number) else { return Ok(false) };
        if !device.sync() {
            return Ok(false);
        }
        self.checker.synced(device);
        self.net.synced(number, &self.devices, &mut self.checker)?;
        Ok(true)
    }

    /// The first link from this one on that has something to send sends it.
    pub(super) fn send(&mut self, from: usize) -> Result<bool, Failure> {
        let count = self.net.links.len();
        for at in (0..count).map(|step| (from + step) % count) {
            if self.net.send(at, &self.devices)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn deliver_some(&mut self, nth: u8) -> Result<bool, Failure> {
        let Some(at) = self.net.carrying(nth) else { return Ok(false) };
        let to = self.net.links.get(at).map(|link| link.to);
        if to.is_some() && to == self.slow && !nth.is_multiple_of(4) {
            return Ok(false);
        }
        self.deliver(at)
    }

    /// Delivers the first message of a link.
    pub(super) fn deliver(&mut self, at: usize) -> Result<bool, Failure> {
        let Some(link) = self.net.links.get_mut(at) else { return Ok(false) };
        let to = link.to;
        let Some(message) = link.queue.pop_front() else { return Ok(false) };
        self.tally.deliveries += 1;
        if let Message::Changes(changesets) = &message {
            for stored in changesets {
                let taken = self.ingest(to, &stored.header, &stored.body)?;
                let accepted = matches!(taken, Ok(Taken::Fresh | Taken::Held | Taken::TooManyGaps));
                must(accepted, Check::Hostile, || format!("an honest changeset is refused: {taken:?}"))?;
            }
        }
        self.net.hear(at, &message, &self.devices, &mut self.checker)?;
        Ok(true)
    }

    /// Takes in encoded bytes.
    fn ingest(&mut self, to: usize, header: &[u8], body: &[u8]) -> Result<Result<Taken, String>, Failure> {
        let stored = match decode(header, body, self.devices.len(), self.plant) {
            Ok(stored) => Rc::new(stored),
            Err(error) => return Ok(Err(error)),
        };
        self.checker.arrived(&stored)?;
        let Some(device) = self.devices.get_mut(to) else { return Ok(Err("nobody".to_owned())) };
        let before = touched(&device.records, &stored);
        let taken = device.take(&stored, self.time, self.plant);
        self.checker.state(device)?;
        if taken == Taken::Fresh {
            self.tally.changesets += 1;
            Checker::joined(&before, &device.records, &stored)?;
        }
        Ok(Ok(taken))
    }

    fn connect(&mut self, edge: usize) -> Result<bool, Failure> {
        let count = self.net.links.len() / 2;
        let closed = |edge: &usize| self.net.links.get(2 * edge).is_some_and(|link| !link.open);
        let Some(edge) = (0..count).map(|step| (edge + step) % count).find(closed) else { return Ok(false) };
        self.net.connect(edge, &self.devices, &mut self.checker)?;
        Ok(true)
    }

    /// Opens an edge anew, whatever it was before.
    pub(super) fn reconnect(&mut self, edge: usize) -> Checked {
        self.net.connect(edge, &self.devices, &mut self.checker)
    }

    fn crash(&mut self, number: usize) -> Result<bool, Failure> {
        let Some(device) = self.devices.get_mut(number) else { return Ok(false) };
        device.crash(self.time, self.plant);
        self.checker.crashed(device)?;
        for edge in self.net.edges_of(number) {
            self.net.cut(edge);
        }
        Ok(true)
    }

    /// Damaged and invented bytes arrive: they are refused, and nothing changes.
    fn garbage(&mut self, at: usize, salt: u32) -> Result<bool, Failure> {
        let Some(link) = self.net.links.get(at).filter(|link| link.open) else { return Ok(false) };
        let (from, to) = (link.from, link.to);
        let mut header: Vec<u8> = salt.to_le_bytes().repeat(usize::from(salt.to_le_bytes()[0]) % 40);
        let mut body = header.clone();
        let held = self.devices.get(from).and_then(|device| device.get(from, 1 + u64::from(salt % 8)));
        if let Some(stored) = held.filter(|_| !salt.is_multiple_of(4)) {
            (header, body) = (stored.header.clone(), stored.body.clone());
            // Without a signature only what the header names can be told to be damaged.
            let place = usize::try_from(salt / 8).unwrap_or_default() % body.len().max(1);
            match (salt % 3, body.get_mut(place)) {
                (0, Some(byte)) => *byte ^= 1 << (salt % 8),
                (1, _) => body.truncate(place),
                _ => header.truncate(place % header.len().max(1)),
            }
        }
        let before = self.devices.get(to).map(|device| (device.digest, device.set));
        let taken = self.ingest(to, &header, &body)?;
        must(taken.is_err(), Check::Hostile, || format!("rubbish was taken: {taken:?}"))?;
        let after = self.devices.get(to).map(|device| (device.digest, device.set));
        must(before == after, Check::Hostile, || "rubbish changed the state".to_owned())?;
        Ok(true)
    }
}
