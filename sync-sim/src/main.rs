//! Runs the simulations and prints what was counted; ends with an error at the first thing that is wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{process::ExitCode, time::Instant};

use sync_sim::{
    model::{self, NOT_YET, Tally},
    schedules::{self, Extent},
};

const USAGE: &str = "usage: sync-sim schedules [--max n] [--seed s]
       sync-sim model [--seeds n] [--from s] [--every k]
       sync-sim model --seed s [--trace]
       sync-sim plants";

/// After so many seeds a line tells how far it is.
const PROGRESS: u64 = 1_000;

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
        Some("model") => run_model(&arguments),
        Some("plants") => find_plants(),
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

fn run_model(arguments: &[String]) -> Result<(), String> {
    if let Some(seed) = option(arguments, "--seed")? {
        return replay(seed, arguments.iter().any(|argument| argument == "--trace"));
    }
    let from = option(arguments, "--from")?.unwrap_or_default();
    let seeds = option(arguments, "--seeds")?.unwrap_or(1_000);
    let every = option(arguments, "--every")?.unwrap_or(1).max(1);
    let began = Instant::now();
    let mut tally = Tally::default();
    for count in 1..=seeds {
        let seed = from + (count - 1) * every;
        match model::run_seed(seed, None) {
            Ok(run) => tally.add(run.tally),
            Err(_) => return replay(seed, false),
        }
        if count.is_multiple_of(PROGRESS) {
            eprintln!("{:>6} s {count:>8} seeds {tally:?}", began.elapsed().as_secs());
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("seeds       {seeds}, from {from}, every {every}");
    println!("operations  {}, and {} until all were quiet", tally.operations, tally.resting);
    println!("writes      {}", tally.writes);
    println!("deliveries  {} messages, {} changesets", tally.deliveries, tally.changesets);
    println!("faults      {}", tally.faults);
    println!("rounds      at most {} until all were equal", tally.rounds);
    println!("none fails; {seconds:.0} s");
    println!("not simulated:");
    for fault in NOT_YET {
        println!("  {fault}");
    }
    Ok(())
}

/// Plants each fault and prints which check finds it.
fn find_plants() -> Result<(), String> {
    println!("{:<22}{:<20}{:>6}{:>7}", "planted", "found by", "seed", "steps");
    let mut missed = 0;
    for plant in model::Plant::ALL {
        match model::find(plant, 0..1_000) {
            Some(found) => {
                let (name, check) = (format!("{plant:?}"), format!("{:?}", found.failure.check));
                println!("{name:<22}{check:<20}{:>6}{:>7}", found.seed, found.steps.len());
            }
            None => {
                missed += 1;
                println!("{:<22}not found", format!("{plant:?}"));
            }
        }
    }
    for plant in schedules::Plant::ALL {
        let what = schedules::planted(plant).map(|found| found.what);
        missed += u32::from(what.is_none());
        println!("{:<22}schedules: {}", format!("{plant:?}"), what.unwrap_or_else(|| "not found".to_owned()));
    }
    if missed == 0 { Ok(()) } else { Err(format!("{missed} are not found")) }
}

/// Runs one seed, with every step on request; a failing one is cut down.
fn replay(seed: u64, trace: bool) -> Result<(), String> {
    let (setting, actions) = model::plan(seed);
    println!("seed {seed}: {setting:?}");
    let outcome = model::execute(&setting, &actions, None, |step, action, hash| {
        if trace {
            println!("{step:>5} {hash:016x} {action:?}");
        }
    });
    match outcome {
        Ok(run) => {
            println!("{:#?}\ntrace {:016x}", run.tally, run.trace);
            Ok(())
        }
        Err(broken) => {
            println!("step {}: {}", broken.step, broken.failure);
            let (left, again) = model::shrink(&setting, &actions, None).ok_or("it fails no more")?;
            for action in &left {
                println!("  {action:?}");
            }
            Err(format!("seed {seed} fails; {} steps are left: {}", left.len(), again.failure))
        }
    }
}
