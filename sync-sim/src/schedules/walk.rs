//! Walks every history of a number of operations, and checks each.

use std::rc::Rc;

use sync_core::{
    changeset::{Change, ChangeKind},
    ids::Seq,
    merge::check,
};

use super::{
    authoring::{Author, Authored, Expected, Operation},
    clocks::Clocks,
    family::{DEVICES, Family, origin},
    orders::Orders,
    table::{Changeset, Table},
};
use crate::reference::{self, View, violations};

/// What was walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Programs with what each author had seen.
    pub histories: u64,
    /// Histories with one order of delivery each: what was executed and compared.
    pub schedules: u64,
    /// Deliveries, repeated ones included.
    pub deliveries: u64,
}

impl Counts {
    /// Adds what was counted elsewhere.
    pub const fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.schedules += other.schedules;
        self.deliveries += other.deliveries;
    }
}

/// Something that must not be, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// The history, operation by operation.
    pub history: String,
}

/// One operation of the present history.
pub(super) struct Made {
    pub(super) changeset: Changeset,
    pub(super) operation: Option<Operation>,
    /// What its author held: a bit for each earlier one.
    pub(super) seen: usize,
    pub(super) expected: Vec<Expected>,
}

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Number of operations.
    pub(super) operations: usize,
    /// Histories with fewer operations are checked from this number on.
    pub(super) check_from: usize,
    /// Whether what all know may arrive late too, and every subset is compared with the reference.
    pub(super) thorough: bool,
    /// Of the longest histories every so many-th is taken.
    pub(super) one_in: u64,
    /// Which of them.
    pub(super) offset: u64,
}

/// A walk over the histories of one family and one state of the clocks.
pub(super) struct Walk<'a> {
    pub(super) family: &'a Family,
    pub(super) clocks: Clocks,
    bounds: Bounds,
    /// The first is what all know from the beginning.
    pub(super) made: Vec<Made>,
    /// States by what is in them: a bit for each changeset.
    pub(super) tables: Vec<Table>,
    views: Vec<Option<Rc<View>>>,
    longest: u64,
    /// A fault in how states are joined, for trying whether the checks find it.
    pub(super) plant: Option<Plant>,
    pub(super) counts: Counts,
}

/// Faults for trying the checks: none of them is in the code under test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plant {
    /// A delivery after another one of the same author loses its last change.
    HalfAChangeset,
    /// Deletes that arrive while the record is unknown are dropped.
    LateDelete,
    /// What arrives again is joined as if another device had written it.
    CountedTwice,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HalfAChangeset, Self::LateDelete, Self::CountedTwice];
}

/// Subsets of the changesets, as bits.
const PRELUDE: usize = 1;

impl<'a> Walk<'a> {
    pub(super) fn new(family: &'a Family, clocks: Clocks, bounds: Bounds) -> Self {
        let empty = Table::default();
        let mut walk = Self {
            family,
            clocks,
            bounds,
            made: Vec::new(),
            tables: vec![empty.clone()],
            views: vec![None],
            longest: 0,
            plant: None,
            counts: Counts::default(),
        };
        let view = View::default();
        let author = walk.author(0, 0, &empty, &view);
        let changes = author.begin().unwrap_or_default();
        let hlc = author.hlc;
        walk.push(Made {
            changeset: Changeset { device: 0, hlc, changes },
            operation: None,
            seen: 0,
            expected: Vec::new(),
        });
        walk
    }

    /// Walks everything within the bounds.
    pub(super) fn run(&mut self) -> Result<Counts, Box<Finding>> {
        self.descend(0)?;
        Ok(self.counts)
    }

    /// The author of the next operation.
    pub(super) fn author<'b>(
        &'b self,
        device: usize,
        seen: usize,
        table: &'b Table,
        view: &'b View,
    ) -> Author<'b> {
        let earlier = self.made.iter().filter(|made| made.changeset.device == device).count();
        let held = self.made.iter().enumerate().filter(|(at, _)| seen & (1 << at) != 0);
        let times = held.flat_map(|(_, made)| {
            let stamps = made.changeset.changes.iter().map(|(_, change)| change.version.stamp.hlc);
            stamps.chain([made.changeset.hlc])
        });
        let operation = self.made.len().checked_sub(1);
        Author {
            family: self.family,
            table,
            view,
            device,
            origin: origin(device, self.clocks.descending()),
            seq: Seq(u64::try_from(earlier).unwrap_or_default() + 1),
            hlc: self.clocks.tick(device, operation, times),
            number: i64::try_from(self.made.len()).unwrap_or_default(),
        }
    }

    fn descend(&mut self, named: usize) -> Result<(), Box<Finding>> {
        let at = self.made.len();
        let last = at == self.bounds.operations;
        // Up to three operations every naming of the devices, then each in the order of first use.
        let devices = if self.bounds.thorough { DEVICES } else { (named + 1).min(DEVICES) };
        for device in 0..devices {
            let own = self.mask_of(|made| made.changeset.device == device) | PRELUDE;
            let foreign = self.mask_of(|made| made.changeset.device != device) & !PRELUDE;
            // All subsets of `foreign`, from none to all.
            let mut part = 0_usize;
            loop {
                let seen = own | part;
                for operation in Operation::ALL {
                    if last && self.skips() {
                        continue;
                    }
                    let Some(made) = self.operate(device, seen, operation) else { continue };
                    self.push(made);
                    if at >= self.bounds.check_from {
                        self.check()?;
                    }
                    if !last {
                        self.descend(named.max(device + 1))?;
                    }
                    self.pop();
                }
                if part == foreign {
                    break;
                }
                part = part.wrapping_sub(foreign) & foreign;
            }
        }
        Ok(())
    }

    const fn skips(&mut self) -> bool {
        self.longest += 1;
        !(self.longest + self.bounds.offset).is_multiple_of(self.bounds.one_in)
    }

    pub(super) fn mask_of(&self, mut which: impl FnMut(&Made) -> bool) -> usize {
        self.made.iter().enumerate().filter(|(_, made)| which(made)).fold(0, |mask, (at, _)| mask | 1 << at)
    }

    fn operate(&mut self, device: usize, seen: usize, operation: Operation) -> Option<Made> {
        let table = self.tables.get(seen)?.clone();
        let view = self.view(seen)?;
        let author = self.author(device, seen, &table, &view);
        let hlc = author.hlc;
        let (changes, expected): Authored = author.operate(operation)?;
        Some(Made {
            changeset: Changeset { device, hlc, changes },
            operation: Some(operation),
            seen,
            expected,
        })
    }

    /// The tables that a device sees that holds these changesets.
    fn view(&mut self, mask: usize) -> Option<Rc<View>> {
        if let Some(view) = self.views.get(mask)? {
            return Some(Rc::clone(view));
        }
        let merged = self.tables.get(mask)?.observed(self.family);
        let view = Rc::new(reference::view(&self.family.schema, &merged));
        *self.views.get_mut(mask)? = Some(Rc::clone(&view));
        Some(view)
    }

    fn push(&mut self, made: Made) {
        let count = self.tables.len();
        for mask in 0..count {
            let Some(mut table) = self.tables.get(mask).cloned() else { continue };
            if self.bounds.thorough || mask & PRELUDE != 0 || self.made.is_empty() {
                table.deliver(&made.changeset);
            }
            self.tables.push(table);
            self.views.push(None);
        }
        self.made.push(made);
    }

    fn pop(&mut self) {
        self.made.pop();
        self.tables.truncate(1 << self.made.len());
        self.views.truncate(1 << self.made.len());
    }

    /// Checks the present history: all orders, the reference, the views, and what the last author expects.
    fn check(&mut self) -> Result<(), Box<Finding>> {
        self.counts.histories += 1;
        let full = (1 << self.made.len()) - 1;
        let newest = 1 << (self.made.len() - 1);
        for (_, change) in self.made.iter().flat_map(|made| &made.changeset.changes) {
            check(change).map_err(|error| self.finding(format!("an invalid change: {error}")))?;
        }
        let from = if self.bounds.thorough { 0 } else { PRELUDE };
        let counts = Orders::new(self).all(from)?;
        self.counts.add(counts);
        if self.bounds.thorough {
            for mask in (0..=full).filter(|mask| mask & newest != 0) {
                self.compare(mask)?;
                self.join_halves(mask, full)?;
            }
        } else {
            self.compare(full)?;
        }
        let Some(last) = self.made.last() else { return Ok(()) };
        self.expect(last.seen | newest)
    }

    /// M and V of a subset are what the reference says.
    pub(super) fn compare(&self, mask: usize) -> Result<(), Box<Finding>> {
        let Some(table) = self.tables.get(mask) else { return Ok(()) };
        self.compare_table(mask, table)
    }

    pub(super) fn compare_table(&self, mask: usize, table: &Table) -> Result<(), Box<Finding>> {
        let schema = &self.family.schema;
        let authored = reference::merge(schema, self.changes(mask));
        let observed = table.observed(self.family);
        if authored != observed {
            return Err(self.finding(format!("M differs of {mask:b}: {observed:#?}, not {authored:#?}")));
        }
        let shown = reference::view(schema, &observed);
        if shown != reference::view(schema, &authored) {
            return Err(self.finding(format!("V differs of {mask:b}")));
        }
        let broken = violations(schema, &shown);
        if broken.is_empty() { Ok(()) } else { Err(self.finding(format!("V of {mask:b}: {broken:?}"))) }
    }

    /// Two states joined are the state of both.
    fn join_halves(&self, mask: usize, full: usize) -> Result<(), Box<Finding>> {
        let (Some(one), Some(rest), Some(all)) =
            (self.tables.get(mask), self.tables.get(full & !mask), self.tables.get(full))
        else {
            return Ok(());
        };
        let (mut left, mut right) = (one.clone(), rest.clone());
        left.join(rest);
        right.join(one);
        let same = left.is_same(all) && right.is_same(all);
        if same { Ok(()) } else { Err(self.finding(format!("{mask:b} joined with the rest differs"))) }
    }

    /// What the last author's tables show is what his own database did.
    fn expect(&mut self, mask: usize) -> Result<(), Box<Finding>> {
        let Some(view) = self.view(mask) else { return Ok(()) };
        let expected = self.made.last().map(|made| made.expected.as_slice()).unwrap_or_default();
        for expected in expected {
            let row = |slot: &usize| self.family.places.get(*slot).and_then(|place| view.row(place));
            let holds = match expected {
                Expected::Value(slot, name, value) => row(slot).and_then(|row| row.get(name)) == Some(value),
                Expected::Gone(slot) => row(slot).is_none(),
            };
            if !holds {
                return Err(self.finding(format!("its author does not see what he wrote: {expected:?}")));
            }
        }
        Ok(())
    }

    pub(super) fn changes(&self, mask: usize) -> impl Iterator<Item = &Change> {
        let held = self.made.iter().enumerate().filter(move |(at, _)| mask & (1 << at) != 0);
        held.flat_map(|(_, made)| made.changeset.changes.iter().map(|(_, change)| change))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it is the error of every check, and those are boxed")]
    pub(super) fn finding(&self, what: String) -> Box<Finding> {
        let line = |(at, made): (usize, &Made)| {
            let operation =
                made.operation.map_or("all know".to_owned(), |operation| format!("{operation:?}"));
            format!("{at}: device {} {operation}, having {:b}", made.changeset.device, made.seen)
        };
        let mut lines: Vec<String> = self.made.iter().enumerate().map(line).collect();
        lines.push(format!("{}; clocks {:?}", self.family.name, self.clocks));
        Box::new(Finding { what, history: lines.join("\n") })
    }

    /// Delivers a changeset as the code under test does, or as a planted fault does.
    pub(super) fn deliver(&self, table: &mut Table, at: usize, delivered: usize) -> bool {
        let Some(made) = self.made.get(at) else { return false };
        match self.plant {
            None => table.deliver(&made.changeset).changed,
            Some(Plant::HalfAChangeset) => {
                let mut half = made.changeset.clone();
                if delivered & self.mask_of(|other| other.changeset.device == half.device) != 0 {
                    half.changes.pop();
                }
                table.deliver(&half).changed
            }
            Some(Plant::LateDelete) => {
                let mut kept = made.changeset.clone();
                let unknown = |slot: usize| table.record(slot).is_none_or(|record| record.insert().is_none());
                kept.changes.retain(|(slot, change)| change.kind != ChangeKind::Delete || !unknown(*slot));
                table.deliver(&kept).changed
            }
            Some(Plant::CountedTwice) => {
                let mut again = made.changeset.clone();
                if delivered & (1 << at) != 0 {
                    for (_, change) in &mut again.changes {
                        change.version.stamp.origin = origin((made.changeset.device + 1) % DEVICES, false);
                    }
                }
                table.deliver(&again).changed
            }
        }
    }
}
