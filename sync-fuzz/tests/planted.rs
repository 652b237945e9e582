//! The fuzzer finds what is planted: a check that cannot fail is worse than none.

use sync_fuzz::{
    engine::{Extent, campaign, execute},
    planted, targets,
};

/// Executions within which each planted fault must be found, from any seed.
const WITHIN: u64 = 200_000;

#[test]
fn every_planted_fault_is_found() {
    for target in planted::ALL {
        for seed in 1..=3 {
            let report = campaign(target, &[], Extent { executions: WITHIN, time: None, findings: 1, seed });
            let finding = report.findings.first();
            let finding = finding.unwrap_or_else(|| panic!("{} not found from seed {seed}", target.name));
            assert!(
                execute(target, &finding.input).is_err(),
                "{}: what was found is found again",
                target.name
            );
            assert!(finding.input.len() < 4096, "{}: made small", target.name);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let target = targets::find("body").unwrap_or_else(|| panic!("there is a target"));
    let run = || {
        let report = campaign(target, &[], Extent { executions: 3_000, time: None, findings: 1, seed: 7 });
        (report.executions, report.classes)
    };
    assert_eq!(run(), run());
}
