//! A share of the seeds, that a seed is one run, and that the checks find what is planted.
#![expect(clippy::print_stdout, reason = "counts and findings are what whoever runs it wants to see")]

use super::{Check, Found, Plant, Tally, execute, find, plan, run_seed};

#[test]
fn devices_with_the_same_changes_are_equal_whatever_happens_on_the_way() {
    let mut tally = Tally::default();
    for seed in 0..60 {
        let run = run_seed(seed, None).unwrap_or_else(|broken| {
            panic!(
                "step {}: {}\nreplay: cargo run --release -p sync-sim -- model --seed {seed} --trace",
                broken.step, broken.failure
            )
        });
        tally.add(run.tally);
    }
    println!("{tally:#?}");
}

#[test]
fn sessions_carry_everything_to_everybody_whatever_happens_on_the_way() {
    let mut tally = Tally::default();
    for seed in (0..4).map(|n| 99 + 100 * n) {
        let run = run_seed(seed, None).unwrap_or_else(|broken| {
            panic!(
                "step {}: {}\nreplay: cargo run --release -p sync-sim -- model --seed {seed} --trace",
                broken.step, broken.failure
            )
        });
        tally.add(run.tally);
    }
    println!("{tally:#?}");
}

#[test]
fn a_seed_is_one_run() {
    for seed in [0, 7, 99, 1_000_003] {
        let mut steps = [Vec::new(), Vec::new()];
        for steps in &mut steps {
            let (setting, actions) = plan(seed);
            let run =
                execute(&setting, &actions, None, |step, action, trace| steps.push((step, action, trace)));
            assert!(run.is_ok(), "{run:?}");
        }
        let [first, second] = steps;
        assert_eq!(first, second);
        assert_eq!(run_seed(seed, None), run_seed(seed, None));
    }
}

#[test]
fn planted_faults_are_found_and_shrink() {
    let mut missed = Vec::new();
    for plant in Plant::ALL {
        let Some(Found { seed, failure, steps }) = find(plant, (0..4).chain(120..520)) else {
            missed.push(plant);
            continue;
        };
        println!("{plant:?}: {:?}, seed {seed}, {} steps", failure.check, steps.len());
        assert!(steps.len() <= 60, "{plant:?}: {} steps are left", steps.len());
    }
    assert_eq!(missed, [], "nothing found them");
}

#[test]
fn planted_faults_are_found_over_sessions_too() {
    let plants = [
        Plant::EarlyAcknowledgement,
        Plant::ForgottenDot,
        Plant::PassedGap,
        Plant::LocalClock,
        Plant::SkippedFsync,
        Plant::AlteredValue,
    ];
    let found = plants.map(|plant| {
        let broken = (0..9).find_map(|n| run_seed(99 + 100 * n, Some(plant)).err());
        broken.map(|broken| (plant, broken.failure.check))
    });
    let expected = [
        (Plant::EarlyAcknowledgement, Check::DurableFirst),
        (Plant::ForgottenDot, Check::SameSetSameState),
        (Plant::PassedGap, Check::VectorIsState),
        (Plant::LocalClock, Check::SameSetSameState),
        (Plant::SkippedFsync, Check::AcknowledgedKept),
        (Plant::AlteredValue, Check::NothingInvented),
    ];
    assert_eq!(found, expected.map(Some));
}
