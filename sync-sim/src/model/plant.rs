//! Small, realistic faults in the wiring of the simulation, for trying whether the checks find them. None of them is in
//! the code under test.

use super::{
    action::Action,
    checker::Failure,
    run::{plan, run_seed},
    shrink::shrink,
};

/// A planted fault that a check found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The first seed that shows it.
    pub seed: u64,
    /// Which check, and what was seen in the smallest run.
    pub failure: Failure,
    /// The smallest run.
    pub steps: Vec<Action>,
}

/// Plants a fault and looks for it in these seeds.
pub fn find(plant: Plant, mut seeds: impl Iterator<Item = u64>) -> Option<Found> {
    let seed = seeds.find(|seed| run_seed(*seed, Some(plant)).is_err())?;
    let (setting, actions) = plan(seed);
    let (steps, broken) = shrink(&setting, &actions, Some(plant))?;
    Some(Found { seed, failure: broken.failure, steps })
}

/// A fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plant {
    /// Of equal times the one that arrives later wins (`>=` for `>`, devices not compared).
    GreaterOrEqual,
    /// A changeset enters the state and is not noted as held.
    ForgottenDot,
    /// The vector passes a gap: holding 5 counts as holding 1 to 5.
    PassedGap,
    /// Of a transaction with several changes only the first enters the state.
    HalfATransaction,
    /// A peer is told of what was received and is not durable yet.
    EarlyAcknowledgement,
    /// What arrives is stamped with the receiver's clock when that is later.
    LocalClock,
    /// A counter's share that arrives again is added again.
    CountedTwice,
    /// The clock begins again at the wall time after a restart.
    ClockStepsBack,
    /// What is committed and not durable is sent.
    SentBeforeDurable,
    /// The last thing that was made durable is not there after a crash.
    SkippedFsync,
    /// A delete of a record that is not known yet is dropped.
    DroppedTombstone,
    /// A device serves what it wrote itself, and nothing else.
    NoRelay,
    /// What a peer says that it holds is not looked at: what was lost is never offered again.
    NeverOfferedAgain,
    /// What was sent counts as not sent, and is sent again and again.
    Echo,
    /// Nothing waits for a place in the queue of a link.
    UnboundedQueue,
    /// A write of one field writes the whole row, as its author saw it.
    WholeRow,
    /// The local commit is stamped with the clock alone, not above what it overwrites.
    ClockAlone,
    /// A value changes on the way from the wire into the state.
    AlteredValue,
    /// Every heartbeat is answered with all that is held, also when nothing differs.
    Chatter,
    /// A body is not compared with what its header names.
    UncheckedBody,
    /// Which delete the author of a value saw is ignored, everywhere alike.
    IgnoredEpoch,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::GreaterOrEqual,
        Self::ForgottenDot,
        Self::PassedGap,
        Self::HalfATransaction,
        Self::EarlyAcknowledgement,
        Self::LocalClock,
        Self::CountedTwice,
        Self::ClockStepsBack,
        Self::SentBeforeDurable,
        Self::SkippedFsync,
        Self::DroppedTombstone,
        Self::NoRelay,
        Self::NeverOfferedAgain,
        Self::Echo,
        Self::UnboundedQueue,
        Self::WholeRow,
        Self::ClockAlone,
        Self::AlteredValue,
        Self::Chatter,
        Self::UncheckedBody,
        Self::IgnoredEpoch,
    ];
}
