//! The fuzzer as a program. A finding is written to a file and printed with the command that shows it again.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use sync_fuzz::{
    corpus,
    engine::{Extent, Report, campaign, execute},
    targets::{self, Target},
};

const USAGE: &str = "usage: sync-fuzz --executions n [--target t] [--seed s] [--seconds s] [--keep folder]
       sync-fuzz --target t --input file
       sync-fuzz --minimise folder
       sync-fuzz --samples folder

executions are shared among the targets, cheap ones get more; --keep writes the first input of each new class into
folder/target; --minimise keeps of folder/target and the corpus the smallest input of each class; --samples writes the
valid inputs into folder/target";

/// Where findings go.
const FINDINGS: &str = "target/fuzz-findings";

/// What follows `--name`.
fn option<'a>(arguments: &'a [String], name: &str) -> Result<Option<&'a str>, String> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    arguments.get(at + 1).map(|value| Some(value.as_str())).ok_or_else(|| format!("{name} wants a value"))
}

fn number(arguments: &[String], name: &str) -> Result<Option<u64>, String> {
    let Some(value) = option(arguments, name)? else { return Ok(None) };
    value.replace('_', "").parse().map(Some).map_err(|_| format!("{name} wants a number, not {value}"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match start(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was found.
fn start(arguments: &[String]) -> Result<bool, String> {
    let chosen: Vec<&Target> = match option(arguments, "--target")? {
        None => targets::ALL.iter().collect(),
        Some(name) => vec![targets::find(name).ok_or_else(|| unknown(name))?],
    };
    if let Some(file) = option(arguments, "--input")? {
        return replay(&chosen, Path::new(file));
    }
    if let Some(folder) = option(arguments, "--minimise")? {
        return minimise(&chosen, Path::new(folder)).map(|()| true);
    }
    if let Some(folder) = option(arguments, "--samples")? {
        return samples(&chosen, Path::new(folder)).map(|()| true);
    }
    let executions = number(arguments, "--executions")?.ok_or(USAGE)?;
    let seed = number(arguments, "--seed")?.unwrap_or(1);
    let seconds = number(arguments, "--seconds")?;
    let keep = option(arguments, "--keep")?.map(PathBuf::from);
    fuzz(&chosen, executions, seed, seconds, keep.as_deref())
}

fn unknown(name: &str) -> String {
    let all: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
    format!("no target {name}; there are: {}", all.join(", "))
}

fn fuzz(
    chosen: &[&Target],
    executions: u64,
    seed: u64,
    seconds: Option<u64>,
    keep: Option<&Path>,
) -> Result<bool, String> {
    let began = Instant::now();
    let shares: u64 = chosen.iter().map(|target| target.share).sum();
    println!("| target | executions | per second | slowest | classes | new | findings |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let (mut all, mut findings) = (0_u64, 0_usize);
    for target in chosen {
        let part = |whole: u64| whole.saturating_mul(target.share) / shares.max(1);
        let extent = Extent {
            executions: part(executions).max(1),
            time: seconds.map(|seconds| Duration::from_millis(part(seconds.saturating_mul(1000)).max(10))),
            findings: 5,
            seed,
        };
        let inputs = loaded(target)?;
        let report = campaign(target, &inputs, extent);
        all += report.executions;
        findings += report.findings.len();
        print(&report);
        tell(&report)?;
        if let Some(folder) = keep {
            let folder = folder.join(target.name);
            for (input, _) in report.classes.values() {
                corpus::store(&folder, input).map_err(|error| error.to_string())?;
            }
        }
    }
    println!("\n{all} executions in {} s, seed {seed}, {findings} findings", began.elapsed().as_secs());
    Ok(findings == 0)
}

fn loaded(target: &Target) -> Result<Vec<Vec<u8>>, String> {
    let files = corpus::load(&corpus::folder(target.name)).map_err(|error| error.to_string())?;
    Ok(files.into_iter().map(|(_, bytes)| bytes).collect())
}

fn print(report: &Report) {
    let micros = report.time.as_micros().max(1);
    let rate = u128::from(report.executions) * 1_000_000 / micros;
    println!(
        "| {} | {} | {rate} | {} µs | {} | {} | {} |",
        report.target,
        report.executions,
        report.slowest.as_micros(),
        report.classes.len(),
        report.new_classes,
        report.findings.len()
    );
}

/// Writes each finding down and says how to see it again.
fn tell(report: &Report) -> Result<(), String> {
    for finding in &report.findings {
        let folder = Path::new(FINDINGS).join(report.target);
        let path = corpus::store(&folder, &finding.input).map_err(|error| error.to_string())?;
        eprintln!("{} after {} executions: {}", report.target, finding.execution, finding.message);
        eprintln!(
            "  again: cargo run --release -p sync-fuzz -- --target {} --input {}",
            report.target,
            path.display()
        );
    }
    Ok(())
}

fn replay(chosen: &[&Target], file: &Path) -> Result<bool, String> {
    let [target] = chosen else { return Err("--input wants --target".to_owned()) };
    let input = fs::read(file).map_err(|error| error.to_string())?;
    match execute(target, &input) {
        Ok((outcome, _)) => {
            println!("{}: {outcome}", target.name);
            Ok(true)
        }
        Err(message) => {
            println!("{}: {message}", target.name);
            Ok(false)
        }
    }
}

fn minimise(chosen: &[&Target], from: &Path) -> Result<(), String> {
    for target in chosen {
        let mut inputs = loaded(target)?;
        inputs.extend((target.samples)());
        let found = corpus::load(&from.join(target.name)).map_err(|error| error.to_string())?;
        inputs.extend(found.into_iter().map(|(_, bytes)| bytes));
        let count = inputs.len();
        let kept = corpus::minimised(target, inputs);
        let folder = corpus::folder(target.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
        }
        for input in &kept {
            corpus::store(&folder, input).map_err(|error| error.to_string())?;
        }
        let bytes: usize = kept.iter().map(Vec::len).sum();
        println!("{}: {} of {count} inputs, {bytes} bytes", target.name, kept.len());
    }
    Ok(())
}

fn samples(chosen: &[&Target], folder: &Path) -> Result<(), String> {
    for target in chosen {
        for input in (target.samples)() {
            corpus::store(&folder.join(target.name), &input).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
