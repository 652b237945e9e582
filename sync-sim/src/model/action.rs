//! What the scheduler does, drawn from the seed before anything happens: the list is what shrinking cuts.

use crate::random::Random;

/// Most devices of a run.
pub(super) const MOST_DEVICES: usize = 5;

/// One step. Numbers are choices among what there is when the step comes; a step for which there is nothing does
/// nothing and is not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A device commits a transaction that `salt` decides.
    Write {
        /// Which device.
        device: u8,
        /// What it writes.
        salt: u32,
    },
    /// What a device has taken in and written so far becomes durable.
    Sync(u8),
    /// A link that has something to send sends it.
    Send(u8),
    /// A link that carries something delivers its first message.
    Deliver(u8),
    /// The first message of a link is lost.
    Lose(u8),
    /// The first message of a link comes once more.
    Repeat(u8),
    /// The first message of a link falls behind the others.
    Overtake(u8),
    /// A closed edge opens.
    Connect(u8),
    /// An edge closes; what it carries is lost.
    Cut(u8),
    /// One direction of an edge loses everything from now on, and nobody notices.
    CutOneWay(u8),
    /// A link says what its sender holds, in short.
    Beat(u8),
    /// Bytes that are no message, or a damaged one, arrive on a link.
    Garbage {
        /// Which link.
        link: u8,
        /// What bytes.
        salt: u32,
    },
    /// A device loses everything since it last was durable, and starts again.
    Crash(u8),
    /// The clock of a device jumps.
    Jump {
        /// Which device.
        device: u8,
        /// To how far ahead of the right time.
        millis: i32,
    },
    /// Time passes.
    Pass(u16),
}

/// Number of kinds of steps.
const KINDS: usize = 15;

/// What is drawn for a whole run: swarm configuration (Groce et al., "Swarm Testing", 2012).
#[derive(Clone, Debug)]
pub struct Setting {
    /// How many devices.
    pub devices: usize,
    /// Which of them are linked; together they connect all.
    pub edges: Vec<(usize, usize)>,
    /// Milliseconds by which each clock is ahead at the beginning.
    pub ahead: [i64; MOST_DEVICES],
    /// A device to which three of four deliveries do not get through.
    pub slow: Option<usize>,
    /// Most changesets in one message.
    pub batch: usize,
    /// Whether the sessions of `sync-core` carry the exchange, with seal and signatures.
    pub sealed: bool,
    /// How often each kind of step is drawn.
    weights: [u64; KINDS],
}

/// The faults that are known and not simulated. Beginning a new incarnation is the runtime's part, not the core's that
/// runs here, and numbers that were given twice are not healed by anything yet (docs/merge.md, section 7).
pub const NOT_YET: [&str; 3] = [
    "restored backup: the new incarnation is begun by the runtime",
    "cloned device: numbers that were given twice are refused, not healed",
    "a hostile member that signs two changesets with one sequence",
];

impl Setting {
    /// Draws how the run shall be.
    pub fn draw(random: &mut Random) -> Self {
        let devices = 2 + pick(random, MOST_DEVICES - 1);
        // A tree that connects all, and sometimes edges beside it.
        let mut edges: Vec<(usize, usize)> = (1..devices).map(|n| (pick(random, n), n)).collect();
        for a in 0..devices {
            for b in a + 1..devices {
                if random.below(4) == 0 && !edges.contains(&(a, b)) {
                    edges.push((a, b));
                }
            }
        }
        let mut weights = [0; KINDS];
        for (kind, weight) in weights.iter_mut().enumerate() {
            *weight = match kind {
                0 => 60 + random.below(200),
                1 => 20 + random.below(120),
                2 | 3 => 200 + random.below(200),
                4 | 5 => 5 + random.below(20),
                // Half of the faults do not happen in a run at all.
                _ if random.below(2) == 0 => 0,
                _ => 1 + random.below(25),
            };
        }
        let still = random.below(4) == 0;
        if still {
            *weights.last_mut().unwrap_or(&mut 0) = 0;
        }
        let mut ahead = [0; MOST_DEVICES];
        for millis in ahead.iter_mut().filter(|_| !still) {
            *millis = match random.below(6) {
                0 => i64::try_from(random.below(172_800_000)).unwrap_or_default() - 86_400_000,
                1 | 2 => i64::try_from(random.below(20_000)).unwrap_or_default() - 10_000,
                _ => 0,
            };
        }
        let slow = (random.below(4) == 0).then(|| pick(random, devices));
        Self { devices, edges, ahead, slow, batch: 1 + pick(random, 6), sealed: false, weights }
    }

    /// Draws a step.
    pub fn action(&self, random: &mut Random) -> Action {
        let total: u64 = self.weights.iter().sum();
        let mut at = random.below(total.max(1));
        let mut kind = 0;
        for weight in self.weights {
            if at < weight {
                break;
            }
            at -= weight;
            kind += 1;
        }
        let [which, rest @ ..] = random.next().to_le_bytes();
        let [first, second, third, fourth, far, ..] = rest;
        let salt = u32::from_le_bytes([first, second, third, fourth]);
        let millis = i32::from_le_bytes([first, second, third, fourth]) / 16;
        match kind {
            0 => Action::Write { device: which, salt },
            1 => Action::Sync(which),
            2 => Action::Send(which),
            3 => Action::Deliver(which),
            4 => Action::Connect(which),
            5 => Action::Beat(which),
            6 => Action::Lose(which),
            7 => Action::Repeat(which),
            8 => Action::Overtake(which),
            9 => Action::Cut(which),
            10 => Action::CutOneWay(which),
            11 => Action::Garbage { link: which, salt },
            12 => Action::Crash(which),
            13 => Action::Jump { device: which, millis: if far < 128 { millis / 4096 } else { millis } },
            _ => Action::Pass(u16::from_le_bytes([first, second])),
        }
    }
}

/// A number below `count`.
pub(super) fn pick(random: &mut Random, count: usize) -> usize {
    let bound = u64::try_from(count).unwrap_or(1).max(1);
    usize::try_from(random.below(bound)).unwrap_or_default()
}
