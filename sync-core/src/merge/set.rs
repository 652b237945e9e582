//! Sets: an element is there while one of the dots that added it has not been removed. A removal names the dots
//! that its author saw, so an add that he did not see survives it.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
};

use serde::{Deserialize, Serialize};

use super::{
    json::{self, InvalidJson},
    record::Joined,
};
use crate::{
    changeset::Version,
    hlc::Stamp,
    ids::{Origin, Seq},
    value::Value,
};

/// The changeset that added an element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Dot {
    /// Whose.
    pub origin: Origin,
    /// Which one.
    pub seq: Seq,
}

impl From<Version> for Dot {
    fn from(version: Version) -> Self {
        Self { origin: version.origin, seq: version.seq }
    }
}

const FORMAT: u8 = 1;

/// A change of a set. Elements are canonical JSON texts; both lists are ordered and without doubles.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SetOperation {
    /// New elements.
    pub add: Vec<String>,
    /// Elements that go, with the dots that the author saw.
    pub remove: Vec<(String, Vec<Dot>)>,
}

impl SetOperation {
    /// The operation that an insert with this array carries.
    pub fn of_array(array: &str) -> Result<Self, InvalidJson> {
        Ok(Self { add: json::elements(array)?, remove: Vec::new() })
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Its form on the wire.
    pub fn to_value(&self) -> Value {
        // Writing these plain types to a vector has no failure; an empty blob would be refused by everybody.
        Value::Blob(postcard::to_extend(self, vec![FORMAT]).unwrap_or_default())
    }

    /// Reads what [`Self::to_value`] wrote; `None` for anything else.
    pub fn from_value(value: &Value) -> Option<Self> {
        let Value::Blob(bytes) = value else { return None };
        let (&FORMAT, rest) = bytes.split_first()? else { return None };
        let (operation, []) = postcard::take_from_bytes::<Self>(rest).ok()? else { return None };
        let ordered = operation.add.is_sorted_by(|a, b| a < b)
            && operation.remove.is_sorted_by(|a, b| a.0 < b.0)
            && operation.remove.iter().all(|(_, dots)| !dots.is_empty() && dots.is_sorted_by(|a, b| a < b));
        let mut elements = operation.add.iter().chain(operation.remove.iter().map(|(element, _)| element));
        (ordered && elements.all(|element| json::is_canonical(element)) && operation.to_value() == *value)
            .then_some(operation)
    }
}

/// The operation between two states of a column: what the author of `new` did to `old`, given the merged state
/// that he saw.
pub fn diff(old: &str, new: &str, state: Option<&SetState>) -> Result<SetOperation, InvalidJson> {
    let (old, new) = (json::elements(old)?, json::elements(new)?);
    let add = new.iter().filter(|element| old.binary_search(element).is_err()).cloned().collect();
    let remove = old
        .into_iter()
        .filter(|element| new.binary_search(element).is_err())
        .filter_map(|element| {
            let dots: Vec<Dot> = state?.live_dots(&element).collect();
            (!dots.is_empty()).then_some((element, dots))
        })
        .collect();
    Ok(SetOperation { add, remove })
}

/// What is known of one dot of an element. A removal is above its add.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Presence {
    /// Added, with this stamp.
    Added(Stamp),
    /// Removed, by this write.
    Removed(Version),
}

impl Presence {
    /// The write that says so.
    pub(super) const fn version(self, dot: Dot) -> Version {
        match self {
            Self::Added(stamp) => Version { stamp, origin: dot.origin, seq: dot.seq },
            Self::Removed(version) => version,
        }
    }
}

/// The state of a set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetState {
    /// The delete that the authors saw; a higher one replaces everything.
    pub epoch: Option<Stamp>,
    /// The highest operation; it stands for the set when nothing is in it.
    pub latest: Version,
    /// Elements, their dots, and whether those are still there.
    pub(super) entries: BTreeMap<String, BTreeMap<Dot, Presence>>,
}

impl SetState {
    pub(super) const fn new(latest: Version, epoch: Option<Stamp>) -> Self {
        Self { epoch, latest, entries: BTreeMap::new() }
    }

    /// The state that one operation makes.
    pub(super) fn operated(operation: &SetOperation, version: Version, epoch: Option<Stamp>) -> Self {
        let mut state = Self::new(version, epoch);
        for element in &operation.add {
            state.put(element, version.into(), Presence::Added(version.stamp));
        }
        for (element, dots) in &operation.remove {
            for dot in dots {
                state.put(element, *dot, Presence::Removed(version));
            }
        }
        state
    }

    pub(super) fn put(&mut self, element: &str, dot: Dot, presence: Presence) -> bool {
        if !self.entries.contains_key(element) {
            self.entries.insert(element.to_owned(), BTreeMap::new());
        }
        let Some(dots) = self.entries.get_mut(element) else { return false };
        match dots.entry(dot) {
            Entry::Occupied(mut mine) if presence > *mine.get() => {
                mine.insert(presence);
                true
            }
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(presence);
                true
            }
        }
    }

    pub(super) fn join(&mut self, other: &Self) -> Joined {
        let mut changed = false;
        match other.epoch.cmp(&self.epoch) {
            Ordering::Less => {}
            Ordering::Greater => {
                self.clone_from(other);
                changed = true;
            }
            Ordering::Equal => {
                if other.latest > self.latest {
                    self.latest = other.latest;
                    changed = true;
                }
                other.for_each_entry(|element, dot, presence| changed |= self.put(element, dot, presence));
            }
        }
        Joined { changed, equivocation: false }
    }

    pub(super) fn for_each_entry(&self, mut visit: impl FnMut(&str, Dot, Presence)) {
        for (element, dots) in &self.entries {
            for (dot, presence) in dots {
                visit(element, *dot, *presence);
            }
        }
    }

    /// The dots by which an element is there.
    pub fn live_dots(&self, element: &str) -> impl Iterator<Item = Dot> {
        let dots = self.entries.get(element).into_iter().flatten();
        dots.filter(|(_, presence)| matches!(presence, Presence::Added(_))).map(|(dot, _)| *dot)
    }

    /// The elements that are there, in order.
    pub fn elements(&self) -> impl Iterator<Item = &str> {
        let live = |dots: &BTreeMap<Dot, Presence>| dots.values().any(|p| matches!(p, Presence::Added(_)));
        self.entries.iter().filter(move |(_, dots)| live(dots)).map(|(element, _)| element.as_str())
    }

    /// The array that a column shows.
    pub fn to_json(&self) -> String {
        let mut text = String::from("[");
        for element in self.elements() {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(element);
        }
        text.push(']');
        text
    }
}
