//! Counters: a last-writer base and the total share of each origin. Shares add up, so +1 and +5 on 10 are 16.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
};

use super::record::Joined;
use crate::{changeset::Version, hlc::Stamp, ids::Origin};

/// A base or a share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount {
    /// Which write it was.
    pub version: Version,
    /// How much.
    pub amount: i64,
}

impl Amount {
    fn join(&mut self, other: &Self) -> Joined {
        let same_stamp = self.version.stamp == other.version.stamp;
        // Unsigned is the order of the canonical bytes, which decides between equal stamps everywhere.
        let order = other
            .version
            .stamp
            .cmp(&self.version.stamp)
            .then_with(|| other.amount.cast_unsigned().cmp(&self.amount.cast_unsigned()))
            .then_with(|| other.version.cmp(&self.version));
        let equivocation = same_stamp && self.amount != other.amount;
        let changed = order == Ordering::Greater;
        if changed {
            *self = *other;
        }
        Joined { changed, equivocation }
    }
}

/// The state of a counter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counter {
    /// The delete that the authors saw; a higher one replaces everything.
    pub epoch: Option<Stamp>,
    /// What the insert set.
    pub base: Option<Amount>,
    /// What each origin has added in total. The key is the origin of the stamp: a changeset that is published
    /// again under a new incarnation keeps its stamps and does not count twice.
    pub shares: BTreeMap<Origin, Amount>,
}

impl Counter {
    /// The exact sum.
    pub fn sum(&self) -> i128 {
        let base = self.base.map_or(0, |base| i128::from(base.amount));
        self.shares.values().fold(base, |sum, share| sum.saturating_add(i128::from(share.amount)))
    }

    /// The amounts in it.
    pub(super) fn amounts(&self) -> impl Iterator<Item = &Amount> {
        self.base.iter().chain(self.shares.values())
    }

    pub(super) fn join(&mut self, other: &Self) -> Joined {
        match other.epoch.cmp(&self.epoch) {
            Ordering::Less => return Joined::default(),
            Ordering::Greater => {
                self.clone_from(other);
                return Joined { changed: true, equivocation: false };
            }
            Ordering::Equal => {}
        }
        let mut joined = Joined::default();
        match (&mut self.base, &other.base) {
            (Some(mine), Some(theirs)) => joined |= mine.join(theirs),
            (mine @ None, Some(theirs)) => {
                *mine = Some(*theirs);
                joined.changed = true;
            }
            (_, None) => {}
        }
        for (origin, theirs) in &other.shares {
            match self.shares.entry(*origin) {
                Entry::Occupied(mut mine) => joined |= mine.get_mut().join(theirs),
                Entry::Vacant(place) => {
                    place.insert(*theirs);
                    joined.changed = true;
                }
            }
        }
        joined
    }
}
