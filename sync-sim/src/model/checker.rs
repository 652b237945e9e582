//! What must hold at every step and in the end, whatever happened. It knows the history of writes, of what was told to
//! others, and of states, and nothing of how they came about.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    rc::Rc,
};

use sync_core::{
    changeset::{Change, ChangeKind, Version},
    hlc::Hlc,
    ids::Seq,
    merge::{FieldState, Record},
    value::MergeKind,
    vector::VersionVector,
};

use super::{
    changeset::Stored,
    device::Device,
    records::{NAMES, PAIR},
};

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Check {
    /// Devices that hold the same changesets have the same state, at every step.
    SameSetSameState,
    /// What was acknowledged to the application or told to a peer is never lost.
    AcknowledgedKept,
    /// Nothing is held that nobody wrote, and no value stands that nobody wrote.
    NothingInvented,
    /// No (origin, sequence) has two contents.
    OneContent,
    /// Fields that a changeset does not write stay as they are.
    UntouchedFields,
    /// A transaction is seen whole or not at all.
    WholeTransactions,
    /// The vector never counts what is not in the state.
    VectorIsState,
    /// Nothing leaves a device, and nothing is stated, before it is durable there.
    DurableFirst,
    /// The clock of a device never steps back.
    ClockForward,
    /// A final value is a write that nobody who had seen it replaced.
    MaximalWrite,
    /// The final state is the one that the reference computes from all writes.
    Reference,
    /// Queues have a bound.
    BoundedQueues,
    /// After the faults end all become equal within a number of rounds.
    BoundedRounds,
    /// When all are equal, nothing but heartbeats goes.
    OnlyHeartbeats,
    /// Rubbish is refused and changes nothing; an honest peer is never accused.
    Hostile,
}

/// A check that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Which.
    pub check: Check,
    /// What was seen.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.detail)
    }
}

/// Whether a check holds.
pub(super) type Checked = Result<(), Failure>;

pub(super) fn must(holds: bool, check: Check, detail: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Failure { check, detail: detail() }) }
}

/// What an author did.
struct Authored {
    id: u64,
    stored: Rc<Stored>,
    /// What the application meant to write.
    meant: Vec<(usize, Change)>,
    /// What the author had seen.
    seen: VersionVector,
}

/// The history of a run.
#[derive(Default)]
pub(super) struct Checker {
    states: HashMap<u64, u64>,
    authored: BTreeMap<(usize, u64), Authored>,
    /// The highest own sequence that each device acknowledged to its application.
    acknowledged: BTreeMap<usize, u64>,
    /// What each device ever told others that it holds.
    told: BTreeMap<usize, VersionVector>,
    clocks: BTreeMap<usize, Hlc>,
}

impl Checker {
    /// A device committed.
    pub(super) fn committed(
        &mut self,
        device: &Device,
        seen: VersionVector,
        meant: Vec<(usize, Change)>,
        stored: Rc<Stored>,
    ) -> Checked {
        let last = self.clocks.insert(device.number, stored.hlc).unwrap_or_default();
        must(stored.hlc > last, Check::ClockForward, || format!("{:?} after {last:?}", stored.hlc))?;
        let place = (stored.device, stored.seq);
        let id = stored.id();
        let before = self.authored.insert(place, Authored { id, stored, meant, seen });
        must(before.is_none(), Check::OneContent, || format!("{place:?} was written twice"))
    }

    /// A device made durable what it holds: its own part is acknowledged now.
    pub(super) fn synced(&mut self, device: &Device) {
        self.acknowledged.insert(device.number, device.own_head());
    }

    /// A device tells others that it holds this much.
    pub(super) fn tells(&mut self, device: &Device, vector: &VersionVector) -> Checked {
        must(device.stated.covers(vector), Check::DurableFirst, || {
            format!("device {} tells {vector:?} and holds {:?} for good", device.number, device.stated)
        })?;
        self.told.entry(device.number).or_default().merge(vector);
        Ok(())
    }

    /// A device started again after a crash.
    pub(super) fn crashed(&mut self, device: &Device) -> Checked {
        let number = device.number;
        let own = self.acknowledged.get(&number).copied().unwrap_or_default();
        must(device.own_head() >= own, Check::AcknowledgedKept, || {
            format!("device {number} acknowledged {own} and is back at {}", device.own_head())
        })?;
        if let Some(told) = self.told.get(&number) {
            must(device.vector.covers(told), Check::AcknowledgedKept, || {
                format!("device {number} told others of {told:?} and is back at {:?}", device.vector)
            })?;
        }
        // What it wrote and never acknowledged is gone, and with it the time.
        self.authored.retain(|(author, seq), _| *author != number || *seq <= device.own_head());
        let last = self.authored.range((number, 0)..=(number, u64::MAX)).map(|(_, a)| a.stored.hlc).max();
        self.clocks.insert(number, last.unwrap_or_default());
        self.state(device)
    }

    /// Something arrived: it is what its author wrote.
    pub(super) fn arrived(&self, stored: &Stored) -> Checked {
        let place = (stored.device, stored.seq);
        let Some(authored) = self.authored.get(&place) else {
            return must(false, Check::NothingInvented, || {
                format!("{place:?} was never written, or not durable")
            });
        };
        must(authored.id == stored.id(), Check::OneContent, || format!("{place:?} has two contents"))
    }

    /// The state of a device after any change.
    pub(super) fn state(&mut self, device: &Device) -> Checked {
        let known = *self.states.entry(device.set).or_insert(device.digest);
        must(known == device.digest, Check::SameSetSameState, || {
            format!("device {} differs from another state of {:?}", device.number, device.vector)
        })?;
        let half = |slot: usize| device.records.get(slot).and_then(|record| record.field("value"));
        let [left, right] = PAIR;
        must(half(left) == half(right), Check::WholeTransactions, || {
            format!("the pair on device {}: {:?} and {:?}", device.number, half(left), half(right))
        })?;
        let counted: u64 = device
            .vector
            .iter()
            .map(|(_, held)| held.head.0 + held.ranges.iter().map(|range| range.len()).sum::<u64>())
            .sum();
        let held = u64::try_from(device.len()).unwrap_or_default();
        must(counted == held, Check::VectorIsState, || {
            format!("device {} holds {held} and counts {counted}: {:?}", device.number, device.vector)
        })
    }

    /// A changeset was joined: what it does not write is as before, what it writes is its value or a higher one.
    pub(super) fn joined(before: &[(usize, Record)], after: &[Record], stored: &Stored) -> Checked {
        for (slot, before) in before {
            let Some(after) = after.get(*slot) else { continue };
            let changes = || stored.changes.iter().filter(|(of, _)| of == slot).map(|(_, change)| change);
            for (name, state) in after.fields() {
                let kind = state.kind();
                let mut writes = changes().flat_map(|change| &change.fields);
                let write = writes.find(|write| write.field == *name && write.merge == kind);
                let old = before.field_as(name.as_str(), kind);
                match write {
                    None => must(old == Some(state), Check::UntouchedFields, || {
                        format!("{name} of {slot} was {old:?} and is {state:?}")
                    })?,
                    Some(write) if kind == MergeKind::LastWriter => {
                        let value = state.value();
                        let fits = value == write.value || old.is_some_and(|old| old.value() == value);
                        must(fits, Check::NothingInvented, || {
                            format!("{name} of {slot} is {value:?}, written was {:?}", write.value)
                        })?;
                    }
                    Some(_) => {}
                }
            }
            let inserts = changes().any(|change| change.kind == ChangeKind::Insert);
            must(inserts || before.insert() == after.insert(), Check::UntouchedFields, || {
                format!("the insert of {slot} changed")
            })?;
        }
        Ok(())
    }

    /// In the end: everything that was acknowledged is everywhere, and nothing else.
    pub(super) fn complete(&self, devices: &[Device]) -> Checked {
        for device in devices {
            for ((author, seq), authored) in &self.authored {
                let held = device.get(*author, *seq).map(|stored| stored.id());
                must(held == Some(authored.id), Check::AcknowledgedKept, || {
                    format!("device {} lacks {author}/{seq}", device.number)
                })?;
            }
            must(device.len() == self.authored.len(), Check::NothingInvented, || {
                format!("device {} holds {} of {}", device.number, device.len(), self.authored.len())
            })?;
        }
        Ok(())
    }

    /// In the end: the state is the reference's, and final values are maximal writes.
    pub(super) fn final_state(&self, device: &Device) -> Checked {
        self.maximal(device)?;
        let schema = &NAMES.schema;
        let writes = self.authored.values().flat_map(|a| a.stored.changes.iter().map(|(_, change)| change));
        let authored = crate::reference::merge(schema, writes);
        let known = NAMES.places.iter().zip(&device.records).filter(|(_, record)| !record.is_empty());
        let observed = crate::reference::observed(schema, known.map(|(place, r)| (place.clone(), r)));
        must(authored == observed, Check::Reference, || {
            let differs = |place: &&crate::reference::Place| {
                authored.records.get(*place) != observed.records.get(*place)
            };
            let place = NAMES.places.iter().find(differs);
            let of = |merged: &crate::reference::Merged| place.and_then(|p| merged.records.get(p).cloned());
            format!("{place:?}: {:#?}, not {:#?}", of(&observed), of(&authored))
        })
    }

    fn maximal(&self, device: &Device) -> Checked {
        for (slot, record) in device.records.iter().enumerate() {
            for (name, state) in record.fields() {
                let FieldState::Last(register) = state else { continue };
                let version: Version = register.version;
                let writes = self.authored.iter().filter(|(_, authored)| {
                    let of_slot = authored.meant.iter().filter(|(of, _)| *of == slot);
                    let mut fields = of_slot.flat_map(|(_, change)| &change.fields);
                    fields.any(|write| write.field == *name && write.merge == MergeKind::LastWriter)
                });
                let winner = |(author, seq): (usize, u64)| {
                    super::device::origin(author) == version.origin && Seq(seq) == version.seq
                };
                let mut is_meant = false;
                for (place, authored) in writes {
                    is_meant |= winner(*place);
                    let saw = authored.seen.contains(&version.origin, version.seq);
                    must(!saw, Check::MaximalWrite, || {
                        format!("{name} of {slot} is {register:?}, which {place:?} had seen and replaced")
                    })?;
                }
                must(is_meant, Check::UntouchedFields, || {
                    format!("{name} of {slot} is {register:?}, which nobody meant to write")
                })?;
            }
        }
        Ok(())
    }
}
