//! The merged state of one device: what `sync-core` makes of the changesets that reached it.

use std::rc::Rc;

use sync_core::{
    changeset::Change,
    hlc::Hlc,
    merge::{Joined, Record},
};

use super::family::{Family, RECORDS};
use crate::reference::{Merged, observed};

/// What one operation wrote.
#[derive(Clone, Debug)]
pub(super) struct Changeset {
    /// Whose.
    pub(super) device: usize,
    /// The author's clock.
    pub(super) hlc: Hlc,
    /// The changes, each with the slot of its record.
    pub(super) changes: Vec<(usize, Change)>,
}

/// The merged state; records that several states have in common are shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    records: [Rc<Record>; RECORDS],
}

impl Table {
    /// Delivers a changeset.
    pub(super) fn deliver(&mut self, changeset: &Changeset) -> Joined {
        let mut joined = Joined::default();
        for (slot, change) in &changeset.changes {
            if let Some(record) = self.records.get_mut(*slot) {
                joined |= Rc::make_mut(record).join_change(change);
            }
        }
        joined
    }

    /// Joins another state.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.records.iter_mut().zip(&other.records) {
            Rc::make_mut(mine).join(theirs);
        }
    }

    /// The record in a slot.
    pub(super) fn record(&self, slot: usize) -> Option<&Record> {
        self.records.get(slot).map(|record| &**record)
    }

    /// Whether both have the same merged state.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.records
            .iter()
            .zip(&other.records)
            .all(|(mine, theirs)| Rc::ptr_eq(mine, theirs) || mine == theirs)
    }

    /// It in the form of the reference.
    pub(super) fn observed(&self, family: &Family) -> Merged {
        let known = family.places.iter().zip(&self.records).filter(|(_, record)| !record.is_empty());
        observed(&family.schema, known.map(|(place, record)| (place.clone(), &**record)))
    }
}
