//! One seed: what it draws, and what came of it.

use super::{
    action::{Action, Setting},
    checker::Failure,
    plant::Plant,
    sealed::Sealed,
    world::{Tally, World},
};
use crate::random::{Random, mixed};

/// Steps that are drawn for a run; some find nothing to do.
const STEPS: usize = 1_300;

/// What came of a run that held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// What happened, in numbers.
    pub tally: Tally,
    /// Stands for everything that happened, in order.
    pub trace: u64,
}

/// A run that broke a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which check, and what was seen.
    pub failure: Failure,
    /// Number of the step at which it was; the number of all steps when it was after the faults.
    pub step: usize,
}

/// Every so many-th seed runs over sessions.
const SEALED: u64 = 100;

/// What a seed draws.
pub fn plan(seed: u64) -> (Setting, Vec<Action>) {
    let mut random = Random::new(mixed(seed).wrapping_add(seed));
    let mut setting = Setting::draw(&mut random);
    setting.sealed = seed % SEALED == SEALED - 1;
    let actions = (0..STEPS).map(|_| setting.action(&mut random)).collect();
    (setting, actions)
}

/// Runs these steps; `watch` hears of each that did something.
pub fn execute(
    setting: &Setting,
    actions: &[Action],
    plant: Option<Plant>,
    mut watch: impl FnMut(usize, Action, u64),
) -> Result<Run, Broken> {
    let broken = |step| move |failure| Broken { failure, step };
    if setting.sealed {
        let mut world = Sealed::new(setting, plant);
        for (step, action) in actions.iter().enumerate() {
            if world.act(*action).map_err(broken(step))? {
                watch(step, *action, world.trace);
            }
        }
        world.heal().map_err(broken(actions.len()))?;
        return Ok(Run { tally: world.tally, trace: world.trace });
    }
    let mut world = World::new(setting, plant).map_err(broken(0))?;
    for (step, action) in actions.iter().enumerate() {
        if world.act(*action).map_err(broken(step))? {
            watch(step, *action, world.trace);
        }
    }
    world.heal().map_err(broken(actions.len()))?;
    Ok(Run { tally: world.tally, trace: world.trace })
}

/// Runs a seed.
pub fn run_seed(seed: u64, plant: Option<Plant>) -> Result<Run, Broken> {
    let (setting, actions) = plan(seed);
    execute(&setting, &actions, plant, |_, _, _| {})
}
