//! The waiting times between attempts. Pure: randomness is passed in.

use std::time::Duration;

/// Waits of 1, 2, 4, 8, 16, 16, … seconds, each up to a quarter shorter or longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// After this many doublings the wait stays at 16 s.
    const LAST_DOUBLING: u32 = 4;

    /// Before the first attempt.
    pub const fn new() -> Self {
        Self { attempts: 0 }
    }

    /// How many waits were handed out since the start or the last [`Self::reset`].
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The next wait; `random` is any number, all its bits equally likely.
    pub fn next_delay(&mut self, random: u64) -> Duration {
        let base_ms = 1000_u64 << self.attempts.min(Self::LAST_DOUBLING);
        self.attempts = self.attempts.saturating_add(1);
        let quarter = base_ms / 4;
        Duration::from_millis(base_ms - quarter + random % (2 * quarter + 1))
    }

    /// Starts over, after a success.
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_sixteen_seconds_within_a_quarter() {
        for (random, numerator) in [(0, 3_u64), (u64::from(u32::MAX), 0)] {
            let mut backoff = Backoff::new();
            for seconds in [1_u64, 2, 4, 8, 16, 16, 16] {
                let delay = backoff.next_delay(random).as_millis();
                let base = u128::from(seconds) * 1000;
                assert!(delay >= base * 3 / 4 && delay <= base * 5 / 4, "{delay} ms around {base} ms");
                if numerator == 3 {
                    assert_eq!(delay, base * 3 / 4, "no randomness is the shortest wait");
                }
            }
            backoff.reset();
            assert_eq!(backoff, Backoff::new());
        }
    }

    #[test]
    fn never_overflows() {
        let mut backoff = Backoff { attempts: u32::MAX };
        assert!(backoff.next_delay(u64::MAX) <= Duration::from_secs(20));
    }
}
