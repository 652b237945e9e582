//! Runs the simulations and prints what was counted; ends with an error at the first thing that is wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{process::ExitCode, time::Instant};

use sync_sim::schedules::{self, Extent};

const USAGE: &str = "usage: sync-sim schedules [--max n] [--seed s]";

/// The number after `--name`, if it was given.
fn option(arguments: &[String], name: &str) -> Result<Option<u64>, String> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    let value = arguments.get(at + 1).ok_or_else(|| format!("{name} wants a number"))?;
    value.parse().map(Some).map_err(|_| format!("{name} wants a number, not {value}"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("schedules") => walk_schedules(&arguments),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn walk_schedules(arguments: &[String]) -> Result<(), String> {
    let seed = option(arguments, "--seed")?.unwrap_or_default();
    let extent = option(arguments, "--max")?
        .map_or_else(|| Extent::whole(seed), |schedules| Extent::at_most(schedules, seed));
    let began = Instant::now();
    let report = schedules::run(extent, |family, clocks, report| {
        let schedules = report.total().schedules;
        let seconds = began.elapsed().as_secs();
        eprintln!("{seconds:>6} s {schedules:>14} schedules; {}; clocks {clocks:?}", family.name);
    });
    let report = report.map_err(|found| format!("{}\n{}", found.what, found.history))?;
    println!("{report}");
    println!("four operations: every {}-th history; seed {seed}", extent.one_in);
    println!("none differs; {} s", began.elapsed().as_secs());
    Ok(())
}
