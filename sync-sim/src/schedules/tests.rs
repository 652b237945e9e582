//! A share of the schedules, and that the checks find what is planted.

#![expect(clippy::print_stdout, reason = "the counts and the findings are what whoever runs it wants to see")]

use super::{Extent, Plant, planted, run};

#[test]
fn every_schedule_of_two_operations_and_a_share_of_longer_ones_gives_the_state_of_the_reference() {
    let extent = Extent { operations: 2, one_in: 20_011, samples: 20, seed: 3 };
    let report =
        run(extent, |_, _, _| {}).unwrap_or_else(|found| panic!("{}\n{}", found.what, found.history));
    println!("{report}");
    assert!(report.short.histories > 10_000 && report.four.histories > 100 && report.long.histories > 900);
}

#[test]
fn planted_faults_are_found() {
    for plant in Plant::ALL {
        let finding = planted(plant).unwrap_or_else(|| panic!("{plant:?} is not found"));
        println!("{plant:?}: {}\n{}\n", finding.what, finding.history);
    }
}
