//! One device: its log, what of it is durable, the merged state of `sync-core`, vector and clock.

use std::{
    rc::Rc,
    sync::{Arc, LazyLock},
};

use sync_core::{
    authorship::DeviceKey,
    changeset::{Change, ChangeKind},
    hlc::{Clock, Hlc, Millis},
    ids::{DeviceId, Hash, Incarnation, Origin, Seq},
    merge::Record,
    value::{MergeKind, Value},
    vector::{MAX_RANGES, SeqRange, VersionVector},
};

use super::{
    action::MOST_DEVICES,
    author::Author,
    changeset::{Draft, Stored, heads},
    plant::Plant,
    records::{RECORDS, policy},
};
use crate::random::mixed;

/// What became of a changeset that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It is in the state now.
    Fresh,
    /// It was there before.
    Held,
    /// It does not continue the chain of its origin: nothing of it is kept.
    Fork,
    /// More gaps than a vector remembers: it counts as not held.
    TooManyGaps,
}

/// One device.
pub(super) struct Device {
    pub(super) number: usize,
    pub(super) origin: Origin,
    /// The merged state.
    pub(super) records: Vec<Record>,
    hashes: Vec<u64>,
    /// Stands for the whole state.
    pub(super) digest: u64,
    /// Stands for the set of changesets in it.
    pub(super) set: u64,
    /// What is held, by origin and sequence.
    held: Vec<Vec<Option<Rc<Stored>>>>,
    /// In the order in which it came.
    log: Vec<(usize, u64)>,
    durable: usize,
    /// What is in the state.
    pub(super) vector: VersionVector,
    /// What of it is durable.
    pub(super) stated: Arc<VersionVector>,
    /// Its digest, as heartbeats carry it.
    pub(super) stated_digest: [u8; 16],
    clock: Clock,
    durable_clock: Hlc,
    /// Milliseconds by which its wall clock is ahead.
    pub(super) ahead: i64,
    /// How often it started.
    pub(super) lives: u32,
}

/// The signing keys of all devices that a run can have.
pub(super) static KEYS: LazyLock<Vec<Arc<DeviceKey>>> = LazyLock::new(|| {
    let bytes = (0..MOST_DEVICES).map(|number| number.to_le_bytes()[0] + 1);
    bytes.map(|byte| Arc::new(DeviceKey::from_seed(&[byte; 32]))).collect()
});

static ORIGINS: LazyLock<Vec<Origin>> = LazyLock::new(|| {
    KEYS.iter().map(|key| Origin { device: key.device(), incarnation: Incarnation(1) }).collect()
});

/// The origin of the device with this number.
pub(super) fn origin(number: usize) -> Origin {
    let none = Origin { device: DeviceId::from_bytes([0; 16]), incarnation: Incarnation(0) };
    ORIGINS.get(number).copied().unwrap_or(none)
}

/// What a record adds to the digest of a state.
fn hash(slot: usize, record: &Record) -> u64 {
    if record.is_empty() {
        return 0;
    }
    let mut out = mixed(u64::from(slot.to_le_bytes()[0]) + 1);
    for chunk in record.encode().chunks(8) {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        out = mixed(out ^ u64::from_le_bytes(word)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    out
}

impl Device {
    pub(super) fn new(number: usize, devices: usize, ahead: i64) -> Self {
        Self {
            number,
            origin: origin(number),
            records: vec![Record::default(); RECORDS],
            hashes: vec![0; RECORDS],
            digest: 0,
            set: 0,
            held: vec![Vec::new(); devices],
            log: Vec::new(),
            durable: 0,
            vector: VersionVector::new(),
            stated: Arc::new(VersionVector::new()),
            stated_digest: VersionVector::new().digest(),
            clock: Clock::resume(Hlc(0)),
            durable_clock: Hlc(0),
            ahead,
            lives: 1,
        }
    }

    /// What its wall clock shows.
    fn now(&self, time: u64) -> Millis {
        Millis(time.saturating_add_signed(self.ahead))
    }

    /// The changeset with this number, if it is held.
    pub(super) fn get(&self, device: usize, seq: u64) -> Option<&Rc<Stored>> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.held.get(device)?.get(at)?.as_ref()
    }

    /// How many changesets are held.
    pub(super) const fn len(&self) -> usize {
        self.log.len()
    }

    /// How many of them are durable.
    pub(super) const fn durable(&self) -> usize {
        self.durable
    }

    /// What its clock was when it last became durable.
    pub(super) const fn durable_clock(&self) -> Hlc {
        self.durable_clock
    }

    /// The highest sequence of its own.
    pub(super) fn own_head(&self) -> u64 {
        self.vector.head(&self.origin).0
    }

    /// Commits a transaction that `salt` decides.
    pub(super) fn commit(&mut self, time: u64, salt: u32, plant: Option<Plant>) -> Option<Committed> {
        let seq = self.own_head() + 1;
        let mut clock = self.clock;
        let hlc = clock.tick(self.now(time));
        let author = Author { records: &self.records, origin: self.origin, seq, hlc };
        let meant = author.transaction(salt);
        if meant.is_empty() {
            return None;
        }
        self.clock = clock;
        let mut changes = meant.clone();
        match plant {
            Some(Plant::WholeRow) => self.whole_rows(&mut changes),
            Some(Plant::ClockAlone) => {
                for (_, change) in &mut changes {
                    change.version.stamp.hlc = hlc;
                }
            }
            _ => {}
        }
        let draft = Draft {
            device: self.number,
            origin: self.origin,
            seq,
            hlc,
            previous: self.get(self.number, seq - 1).map_or(Hash::NONE, |stored| stored.hash),
            seen: heads(&self.vector),
            changes,
        };
        let stored = draft.finish();
        let before = touched(&self.records, &stored);
        self.join(&stored, time, plant.filter(|plant| *plant == Plant::IgnoredEpoch));
        self.note(&stored, None);
        Some(Committed { meant, stored, before })
    }

    /// Adds the last-writer fields that a write leaves alone.
    fn whole_rows(&self, changes: &mut [(usize, Change)]) {
        for (slot, change) in changes.iter_mut().filter(|(_, change)| change.kind == ChangeKind::Write) {
            let Some(record) = self.records.get(*slot) else { continue };
            for (name, state) in record.fields() {
                let other = change.fields.iter().all(|write| write.field != *name);
                if other && state.kind() == MergeKind::LastWriter {
                    let (field, value) = (name.clone(), state.value());
                    let merge = MergeKind::LastWriter;
                    change.fields.push(sync_core::changeset::FieldWrite { field, merge, value });
                }
            }
        }
    }

    /// Takes in what arrived.
    pub(super) fn take(&mut self, stored: &Rc<Stored>, time: u64, plant: Option<Plant>) -> Taken {
        if self.vector.contains(&origin(stored.device), Seq(stored.seq))
            && self.get(stored.device, stored.seq).is_some()
        {
            if plant == Some(Plant::CountedTwice) {
                self.join(stored, time, plant);
            }
            return Taken::Held;
        }
        let before = self.get(stored.device, stored.seq.saturating_sub(1));
        let after = self.get(stored.device, stored.seq + 1);
        let continues = before.is_none_or(|before| before.hash == stored.previous)
            && after.is_none_or(|after| after.previous == stored.hash)
            && (stored.seq > 1 || stored.previous == Hash::NONE);
        if !continues {
            return Taken::Fork;
        }
        let gaps = self.vector.held(&origin(stored.device)).map_or(0, |held| held.ranges.len());
        if gaps + 1 >= MAX_RANGES {
            return Taken::TooManyGaps;
        }
        self.join(stored, time, plant);
        self.note(stored, plant);
        Taken::Fresh
    }

    /// Joins the changes into the state, and takes note of their time.
    fn join(&mut self, stored: &Stored, time: u64, plant: Option<Plant>) {
        let now = self.now(time);
        self.clock.observe(stored.hlc, now);
        for (slot, change) in &stored.changes {
            self.clock.observe(change.version.stamp.hlc, now);
            let Some(record) = self.records.get_mut(*slot) else { continue };
            match plant {
                None => {
                    record.join_change(change);
                }
                Some(plant) => join_planted(record, change, plant, now),
            }
            record.drop_void(policy(*slot));
            let fresh = hash(*slot, record);
            if let Some(known) = self.hashes.get_mut(*slot) {
                self.digest = self.digest.wrapping_sub(*known).wrapping_add(fresh);
                *known = fresh;
            }
            if plant == Some(Plant::HalfATransaction) {
                break;
            }
        }
    }

    /// Notes that it is held.
    fn note(&mut self, stored: &Rc<Stored>, plant: Option<Plant>) {
        let Ok(seq) = usize::try_from(stored.seq) else { return };
        let forgotten = plant == Some(Plant::ForgottenDot) && stored.seq.is_multiple_of(7);
        if let Some(held) = self.held.get_mut(stored.device).filter(|_| !forgotten) {
            if held.len() < seq {
                held.resize(seq, None);
            }
            if let Some(place) = held.get_mut(seq - 1) {
                *place = Some(Rc::clone(stored));
            }
            self.log.push((stored.device, stored.seq));
            self.set ^= stored.id();
            let first = if plant == Some(Plant::PassedGap) { Seq(1) } else { Seq(stored.seq) };
            let last = Seq(stored.seq);
            self.vector.insert(origin(stored.device), SeqRange { first, last });
        }
    }

    /// Everything that is held becomes durable; returns whether there was anything.
    pub(super) fn sync(&mut self) -> bool {
        let moved = self.durable < self.log.len();
        self.durable = self.log.len();
        self.durable_clock = self.clock.high();
        if moved {
            self.stated = Arc::new(self.vector.clone());
            self.stated_digest = self.stated.digest();
        }
        moved
    }

    /// Loses what is not durable and starts again: the state is built anew from the log.
    pub(super) fn crash(&mut self, time: u64, plant: Option<Plant>) {
        let kept = match plant {
            Some(Plant::SkippedFsync) => self.durable.saturating_sub(1),
            _ => self.durable,
        };
        let log: Vec<(usize, u64)> = self.log.iter().copied().take(kept).collect();
        let held = std::mem::take(&mut self.held);
        let mut fresh = Self::new(self.number, held.len(), self.ahead);
        for (device, seq) in log {
            let at = usize::try_from(seq - 1).unwrap_or_default();
            if let Some(Some(stored)) = held.get(device).and_then(|held| held.get(at)) {
                fresh.join(stored, time, plant.filter(|plant| *plant == Plant::IgnoredEpoch));
                fresh.note(stored, None);
            }
        }
        fresh.sync();
        let resumed = if plant == Some(Plant::ClockStepsBack) { Hlc(0) } else { self.durable_clock };
        fresh.clock = Clock::resume(resumed);
        fresh.durable_clock = resumed;
        fresh.lives = self.lives + 1;
        *self = fresh;
    }
}

/// What a commit did.
pub(super) struct Committed {
    /// What the application meant to write.
    pub(super) meant: Vec<(usize, Change)>,
    /// What was written.
    pub(super) stored: Rc<Stored>,
    /// The records that it touched, as they were.
    pub(super) before: Vec<(usize, Record)>,
}

/// The records that a changeset touches, as they are.
pub(super) fn touched(records: &[Record], stored: &Stored) -> Vec<(usize, Record)> {
    let slots = stored.changes.iter().map(|(slot, _)| *slot);
    slots.filter_map(|slot| records.get(slot).map(|record| (slot, record.clone()))).collect()
}

/// Joins as a planted fault does.
fn join_planted(record: &mut Record, change: &Change, plant: Plant, now: Millis) {
    let mut change = change.clone();
    match plant {
        Plant::IgnoredEpoch => change.seen_delete = None,
        Plant::GreaterOrEqual => {
            let equal = |write: &sync_core::changeset::FieldWrite| {
                let version = record.version_of(write.field.as_str());
                version.is_some_and(|version| version.stamp.hlc == change.version.stamp.hlc)
            };
            if change.fields.iter().any(equal) {
                change.version.stamp.origin.device = DeviceId::from_bytes([0xff; 16]);
            }
        }
        Plant::LocalClock => {
            let stamp = &mut change.version.stamp;
            stamp.hlc = stamp.hlc.max(Hlc::at(now));
        }
        Plant::CountedTwice => {
            for write in change.fields.iter_mut().filter(|write| write.merge == MergeKind::Counter) {
                if let (Value::Integer(amount), true) = (&mut write.value, !record.is_empty()) {
                    let known = record.own_share(write.field.as_str(), change.version.stamp.origin);
                    if known == *amount {
                        *amount += known;
                        change.version.stamp.hlc = change.version.stamp.hlc.successor();
                    }
                }
            }
        }
        Plant::DroppedTombstone if change.kind == ChangeKind::Delete && record.insert().is_none() => return,
        Plant::AlteredValue => {
            for write in change.fields.iter_mut().filter(|write| write.merge == MergeKind::LastWriter) {
                if let Value::Integer(value @ 90..) = &mut write.value {
                    *value += 1;
                }
            }
        }
        _ => {}
    }
    record.join_change(&change);
}
