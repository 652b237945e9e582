//! Cuts a failing run down to a smallest list of steps that fails the same check (Zeller, Hildebrandt, "Simplifying and
//! Isolating Failure-Inducing Input", 2002).

use super::{
    action::{Action, Setting},
    plant::Plant,
    run::{Broken, execute},
};

/// The steps that are left, and how they fail. `None` when the steps do not fail.
pub fn shrink(setting: &Setting, actions: &[Action], plant: Option<Plant>) -> Option<(Vec<Action>, Broken)> {
    let fails = |actions: &[Action]| execute(setting, actions, plant, |_, _, _| {}).err();
    let mut broken = fails(actions)?;
    let check = broken.failure.check;
    let mut kept: Vec<Action> = actions.iter().copied().take(broken.step + 1).collect();
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut cut_any = false;
        while at < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(at..(at + size).min(kept.len()));
            match fails(&fewer).filter(|other| other.failure.check == check) {
                Some(other) => {
                    (kept, broken, cut_any) = (fewer, other, true);
                }
                None => at += size,
            }
        }
        // A pass over single steps is repeated until it finds nothing more.
        if size > 1 || !cut_any {
            size /= 2;
        }
    }
    Some((kept, broken))
}
