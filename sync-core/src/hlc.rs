//! Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): 48 bits of milliseconds since the
//! Unix epoch and a 16-bit counter that carries into the milliseconds. Time comes in as an argument.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, Incarnation, Origin};

const COUNTER_BITS: u32 = 16;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Millis(pub u64);

/// A hybrid logical time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Hlc(pub u64);

impl Hlc {
    /// 2020-01-01: an earlier stamp is malformed.
    pub const MIN_VALID: Self = Self(1_577_836_800_000 << COUNTER_BITS);
    /// 2200-01-01: a stamp from then on is malformed.
    pub const MAX_VALID: Self = Self(7_258_118_400_000 << COUNTER_BITS);

    /// The first time of a millisecond.
    pub const fn at(millis: Millis) -> Self {
        Self(millis.0 << COUNTER_BITS)
    }

    /// Its millisecond.
    pub const fn millis(self) -> Millis {
        Millis(self.0 >> COUNTER_BITS)
    }

    /// The next larger one; the counter carries into the milliseconds.
    #[must_use]
    pub const fn successor(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether it lies between 2020 and 2200, the same for every member whatever its own clock says.
    pub fn is_valid(self) -> bool {
        (Self::MIN_VALID..Self::MAX_VALID).contains(&self)
    }
}

impl fmt::Debug for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.millis().0, self.0 & 0xffff)
    }
}

/// Decides which write wins: time, then device, then incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// When, by the writer's clock.
    pub hlc: Hlc,
    /// Who; breaks ties.
    pub origin: Origin,
}

impl Stamp {
    /// Below every valid stamp.
    pub const ZERO: Self = Self {
        hlc: Hlc(0),
        origin: Origin { device: DeviceId::from_bytes([0; 16]), incarnation: Incarnation(0) },
    };

    /// A stamp of `origin`.
    pub const fn new(hlc: Hlc, origin: Origin) -> Self {
        Self { hlc, origin }
    }
}

/// The furthest that a remote stamp pulls a clock ahead of the local time.
pub const MAX_DRIFT: Millis = Millis(60_000);

/// The clock of one origin. Its state is persisted by whoever owns it, inside each transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    high: Hlc,
}

/// A remote stamp was further ahead than [`MAX_DRIFT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Skew {
    /// The stamp.
    pub stamp: Hlc,
    /// Local time when it was seen.
    pub now: Millis,
}

impl Clock {
    /// A clock that has been at `high` before.
    pub const fn resume(high: Hlc) -> Self {
        Self { high }
    }

    /// The highest time it has given or taken over.
    pub const fn high(self) -> Hlc {
        self.high
    }

    /// The next time: after everything before, not before `now`.
    pub fn tick(&mut self, now: Millis) -> Hlc {
        self.high = self.high.successor().max(Hlc::at(now)).max(Hlc::MIN_VALID);
        self.high
    }

    /// Takes note of a remote time. It never pulls the clock beyond `now` + [`MAX_DRIFT`]; then the skew is
    /// returned.
    pub fn observe(&mut self, remote: Hlc, now: Millis) -> Option<Skew> {
        let limit = Hlc::at(Millis(now.0.saturating_add(MAX_DRIFT.0)));
        if remote > limit {
            return Some(Skew { stamp: remote, now });
        }
        self.high = self.high.max(remote);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Invariant 4: the clock never steps back and a remote stamp pulls it at most the drift bound ahead.
        #[test]
        fn invariant_4_clock_is_monotonic_and_contained(
            events in proptest::collection::vec((any::<bool>(), 0_u64..1 << 47, 0_u64..u64::MAX), 1..200)
        ) {
            let mut clock = Clock::resume(Hlc(0));
            let mut allowed = Hlc(0);
            for (local, now, remote) in events {
                let before = clock.high();
                if local {
                    prop_assert!(clock.tick(Millis(now)) > before);
                    allowed = allowed.max(Hlc::at(Millis(now))).successor().max(clock.high().min(Hlc::MIN_VALID));
                } else {
                    clock.observe(Hlc(remote), Millis(now));
                    prop_assert!(clock.high() >= before);
                    let limit = Hlc::at(Millis(now + MAX_DRIFT.0));
                    prop_assert!(clock.high() <= before.max(limit));
                }
            }
        }
    }

    #[test]
    fn counter_carries_into_the_milliseconds() {
        let mut clock = Clock::resume(Hlc((1_700_000_000_000 << 16) | 0xffff));
        assert_eq!(clock.tick(Millis(1_600_000_000_000)), Hlc::at(Millis(1_700_000_000_001)));
    }
}
