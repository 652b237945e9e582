//! All orders in which the changesets of a history can reach a device. Orders share their common beginnings.

use super::{
    table::Table,
    walk::{Counts, Finding, Walk},
};

/// The orders of one history.
pub(super) struct Orders<'a, 'b> {
    walk: &'a Walk<'b>,
    full: usize,
    counts: Counts,
    /// States at which repetition was tried.
    repeated: u64,
}

impl<'a, 'b> Orders<'a, 'b> {
    pub(super) fn new(walk: &'a Walk<'b>) -> Self {
        let full = (1 << walk.made.len()) - 1;
        Self { walk, full, counts: Counts::default(), repeated: 0 }
    }

    /// Delivers in every order, beginning with a device that holds the subset `from`.
    pub(super) fn all(mut self, from: usize) -> Result<Counts, Box<Finding>> {
        let table = self.walk.tables.get(from).cloned().unwrap_or_default();
        self.deliver(&table, from)?;
        Ok(self.counts)
    }

    fn deliver(&mut self, table: &Table, held: usize) -> Result<(), Box<Finding>> {
        if held == self.full {
            self.counts.schedules += 1;
            return Ok(());
        }
        for at in (0..self.walk.made.len()).filter(|at| held & (1 << at) == 0) {
            let mut next = table.clone();
            self.walk.deliver(&mut next, at, held);
            self.counts.deliveries += 1;
            let holds = held | 1 << at;
            let same = self.walk.tables.get(holds).is_some_and(|expected| next.is_same(expected));
            if !same {
                let what = format!("the state of {holds:b} depends on the order: {at} came last");
                return Err(self.walk.finding(what));
            }
            self.repeat(&next, holds)?;
            self.deliver(&next, holds)?;
        }
        Ok(())
    }

    /// Everything that a device holds comes again: nothing changes. Equal states need it once.
    fn repeat(&mut self, table: &Table, held: usize) -> Result<(), Box<Finding>> {
        if self.repeated & (1 << held) != 0 {
            return Ok(());
        }
        self.repeated |= 1 << held;
        for at in (0..self.walk.made.len()).filter(|at| held & (1 << at) != 0) {
            let mut again = table.clone();
            let changed = self.walk.deliver(&mut again, at, held);
            self.counts.deliveries += 1;
            if changed || !again.is_same(table) {
                return Err(self.walk.finding(format!("{at} came again and changed the state of {held:b}")));
            }
        }
        Ok(())
    }
}
