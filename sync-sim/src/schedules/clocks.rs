//! What the devices' clocks say: the hybrid clock of `sync-core` over a time that is passed in.

use sync_core::hlc::{Clock, Hlc, Millis};

/// When everything begins: some time in 2026.
const BEGIN: u64 = 1_780_000_000_000;

/// How the clocks stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clocks {
    /// All right, and each operation is later than the one before.
    Right,
    /// All stand still: concurrent writes have equal times, and device ids decide.
    Still,
    /// As [`Clocks::Still`], with device ids the other way round.
    StillReversed,
    /// This device's is an hour ahead, beyond what others follow.
    Ahead(usize),
}

impl Clocks {
    /// All that are walked.
    pub const ALL: [Self; 6] =
        [Self::Right, Self::Still, Self::StillReversed, Self::Ahead(0), Self::Ahead(1), Self::Ahead(2)];

    /// Whether device ids descend.
    pub(super) const fn descending(self) -> bool {
        matches!(self, Self::StillReversed)
    }

    /// What a device's clock shows at an operation; `None` before the first one.
    pub(super) fn now(self, device: usize, operation: Option<usize>) -> Millis {
        let Some(operation) = operation else { return Millis(BEGIN - 1_000) };
        let passed = 10 * u64::try_from(operation).unwrap_or_default();
        Millis(match self {
            Self::Right => BEGIN + passed,
            Self::Still | Self::StillReversed => BEGIN,
            Self::Ahead(who) => BEGIN + passed + if who == device { 3_600_000 } else { 0 },
        })
    }

    /// The time of a changeset whose author has seen these times.
    pub(super) fn tick(
        self,
        device: usize,
        operation: Option<usize>,
        seen: impl Iterator<Item = Hlc>,
    ) -> Hlc {
        let now = self.now(device, operation);
        let mut clock = Clock::resume(Hlc(0));
        for time in seen {
            clock.observe(time, now);
        }
        clock.tick(now)
    }
}
