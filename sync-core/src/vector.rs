//! Version vectors with gaps: per origin the highest contiguous sequence and the ranges beyond it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{Hash, Origin, Seq};

/// Most ranges that one origin may have beyond its head; beyond that a sequence is treated as not held.
pub const MAX_RANGES: usize = 64;

/// An inclusive range of sequences.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeqRange {
    /// First.
    pub first: Seq,
    /// Last.
    pub last: Seq,
}

impl SeqRange {
    /// How many sequences it covers.
    pub fn len(self) -> u64 {
        (self.last.0 + 1).saturating_sub(self.first.0)
    }

    /// Whether it covers none.
    pub fn is_empty(self) -> bool {
        self.last < self.first
    }
}

/// What is held of one origin.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Held {
    /// All of 1 to `head` are held.
    pub head: Seq,
    /// Held beyond the head: ascending, not adjacent.
    pub ranges: Vec<SeqRange>,
}

impl Held {
    /// Whether `seq` is held.
    pub fn contains(&self, seq: Seq) -> bool {
        seq <= self.head || self.ranges.iter().any(|r| r.first <= seq && seq <= r.last)
    }

    /// The highest held sequence.
    pub fn highest(&self) -> Seq {
        self.ranges.last().map_or(self.head, |r| r.last)
    }

    /// Adds a range; returns whether it could be remembered.
    fn insert(&mut self, range: SeqRange) -> bool {
        if range.is_empty() {
            return true;
        }
        if range.first <= self.head.next() {
            self.head = self.head.max(range.last);
        } else {
            let mut merged = range;
            self.ranges.retain(|r| {
                let apart = r.last.next() < merged.first || merged.last.next() < r.first;
                if !apart {
                    merged.first = merged.first.min(r.first);
                    merged.last = merged.last.max(r.last);
                }
                apart
            });
            let at = self.ranges.partition_point(|r| r.first < merged.first);
            self.ranges.insert(at, merged);
        }
        while let Some(first) = self.ranges.first().copied() {
            if first.first > self.head.next() {
                break;
            }
            self.head = self.head.max(first.last);
            self.ranges.remove(0);
        }
        if self.ranges.len() > MAX_RANGES {
            self.ranges.truncate(MAX_RANGES);
            return self.contains(range.last);
        }
        true
    }

    /// The parts of `1..=highest` of `self` that `other` lacks, ascending.
    fn beyond(&self, other: &Self) -> Vec<SeqRange> {
        let mut out = Vec::new();
        let own =
            std::iter::once(SeqRange { first: Seq(1), last: self.head }).chain(self.ranges.iter().copied());
        for range in own.filter(|r| !r.is_empty()) {
            let mut first = range.first.max(other.head.next());
            for theirs in &other.ranges {
                if theirs.last < first || theirs.first > range.last {
                    continue;
                }
                if theirs.first > first {
                    out.push(SeqRange { first, last: Seq(theirs.first.0 - 1) });
                }
                first = theirs.last.next();
            }
            if first <= range.last {
                out.push(SeqRange { first, last: range.last });
            }
        }
        out
    }
}

/// What is held of every known origin, in one partition.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct VersionVector {
    entries: BTreeMap<Origin, Held>,
}

impl VersionVector {
    /// Nothing held.
    pub const fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// What is held of `origin`.
    pub fn held(&self, origin: &Origin) -> Option<&Held> {
        self.entries.get(origin)
    }

    /// Highest contiguous sequence of `origin`.
    pub fn head(&self, origin: &Origin) -> Seq {
        self.entries.get(origin).map_or(Seq::ZERO, |held| held.head)
    }

    /// Whether this changeset is held.
    pub fn contains(&self, origin: &Origin, seq: Seq) -> bool {
        self.entries.get(origin).is_some_and(|held| held.contains(seq))
    }

    /// Marks a range as held; returns whether it could be remembered (see [`MAX_RANGES`]).
    pub fn insert(&mut self, origin: Origin, range: SeqRange) -> bool {
        // Nothing has number 0, and an origin of which nothing is held has no entry.
        range.is_empty() || range.last == Seq::ZERO || self.entries.entry(origin).or_default().insert(range)
    }

    /// Marks one changeset as held.
    pub fn insert_one(&mut self, origin: Origin, seq: Seq) -> bool {
        self.insert(origin, SeqRange { first: seq, last: seq })
    }

    /// Union.
    pub fn merge(&mut self, other: &Self) {
        for (origin, held) in &other.entries {
            self.insert(*origin, SeqRange { first: Seq(1), last: held.head });
            for range in &held.ranges {
                self.insert(*origin, *range);
            }
        }
    }

    /// What both hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut out = Self::new();
        for (origin, held) in &self.entries {
            let Some(theirs) = other.held(origin) else { continue };
            let missing = held.beyond(theirs);
            let mut kept = Held::default();
            let own = std::iter::once(SeqRange { first: Seq(1), last: held.head })
                .chain(held.ranges.iter().copied());
            for range in own.filter(|r| !r.is_empty()) {
                let mut first = range.first;
                for gap in missing.iter().filter(|gap| gap.first >= range.first && gap.last <= range.last) {
                    kept.insert(SeqRange { first, last: Seq(gap.first.0 - 1) });
                    first = gap.last.next();
                }
                kept.insert(SeqRange { first, last: range.last });
            }
            if kept != Held::default() {
                out.entries.insert(*origin, kept);
            }
        }
        out
    }

    /// What `self` holds and `other` lacks, by origin, ascending.
    pub fn missing_from(&self, other: &Self) -> Vec<(Origin, SeqRange)> {
        let none = Held::default();
        self.entries
            .iter()
            .flat_map(|(origin, held)| {
                let ranges = held.beyond(other.held(origin).unwrap_or(&none));
                ranges.into_iter().map(|range| (*origin, range))
            })
            .collect()
    }

    /// Whether everything `other` holds is held here too.
    pub fn covers(&self, other: &Self) -> bool {
        other.missing_from(self).is_empty()
    }

    /// Entries in order of origin.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &Held)> {
        self.entries.iter()
    }

    /// Number of origins.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Digest that heartbeats carry: the first 16 bytes of BLAKE3 of the canonical form.
    pub fn digest(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        for (origin, held) in &self.entries {
            hasher.update(origin.device.as_bytes());
            hasher.update(&origin.incarnation.0.to_be_bytes());
            hasher.update(&held.head.0.to_be_bytes());
            for range in &held.ranges {
                hasher.update(&range.first.0.to_be_bytes());
                hasher.update(&range.last.0.to_be_bytes());
            }
            hasher.update(&[0xff]);
        }
        let mut out = [0; 16];
        out.copy_from_slice(Hash(*hasher.finalize().as_bytes()).0.split_at(16).0);
        out
    }

    /// Whether it has the form that only [`Self::insert`] makes: checked on what comes from outside.
    pub fn is_canonical(&self) -> bool {
        self.entries.values().all(|held| {
            let mut above = held.head;
            *held != Held::default()
                && held.ranges.len() <= MAX_RANGES
                && held.ranges.iter().all(|range| {
                    let fits = range.first.0 > above.0.saturating_add(1) && range.last >= range.first;
                    above = range.last;
                    fits && range.last.0 < u64::MAX
                })
                && held.head.0 < u64::MAX
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceId, Incarnation};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn origin(n: u8) -> Origin {
        Origin { device: DeviceId::from_bytes([n; 16]), incarnation: Incarnation(0) }
    }

    fn vector(seqs: &[(u8, u64)]) -> (VersionVector, BTreeSet<(u8, u64)>) {
        let mut vector = VersionVector::new();
        for (o, s) in seqs {
            vector.insert_one(origin(*o), Seq(*s));
        }
        (vector, seqs.iter().copied().collect())
    }

    fn members(vector: &VersionVector) -> BTreeSet<(u8, u64)> {
        (0..3_u8)
            .flat_map(|o| (1..=60).map(move |s| (o, s)))
            .filter(|(o, s)| vector.contains(&origin(*o), Seq(*s)))
            .collect()
    }

    proptest! {
        #[test]
        fn behaves_as_a_set_of_sequences(
            a in proptest::collection::vec((0_u8..3, 1_u64..60), 0..80),
            b in proptest::collection::vec((0_u8..3, 1_u64..60), 0..80),
        ) {
            let ((va, sa), (vb, sb)) = (vector(&a), vector(&b));
            prop_assert!(va.is_canonical());
            prop_assert_eq!(members(&va), sa.clone());
            let mut union = va.clone();
            union.merge(&vb);
            prop_assert_eq!(members(&union), sa.union(&sb).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(members(&va.intersection(&vb)), sa.intersection(&sb).copied().collect::<BTreeSet<_>>());
            let missing: BTreeSet<_> = va.missing_from(&vb).into_iter()
                .flat_map(|(o, r)| (r.first.0..=r.last.0).map(move |s| (o.device.as_bytes()[0], s))).collect();
            prop_assert_eq!(missing, sa.difference(&sb).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(va.covers(&vb), sb.is_subset(&sa));
            prop_assert_eq!(va == vb, va.digest() == vb.digest());
        }
    }

    /// Found by fuzzing: two vectors that differ in an origin of which nothing is held covered each other and were
    /// not equal, so that each of two statements replaced the other for ever.
    #[test]
    fn an_origin_of_which_nothing_is_held_is_not_canonical() {
        let mut entries = BTreeMap::from([(origin(1), Held { head: Seq(1), ranges: Vec::new() })]);
        assert!(VersionVector { entries: entries.clone() }.is_canonical());
        entries.insert(origin(2), Held::default());
        assert!(!VersionVector { entries }.is_canonical());
        let mut vector = VersionVector::new();
        assert!(vector.insert_one(origin(1), Seq::ZERO));
        assert_eq!(vector, VersionVector::new());
    }

    #[test]
    fn ranges_are_bounded() {
        let mut vector = VersionVector::new();
        for n in 0..200_u64 {
            vector.insert_one(origin(1), Seq(2 + 2 * n));
        }
        assert!(vector.is_canonical());
        assert!(!vector.insert_one(origin(1), Seq(10_000)));
        assert!(!vector.contains(&origin(1), Seq(10_000)));
    }
}
