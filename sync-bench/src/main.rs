//! Measures what sync costs against the plain database, in the same run, on the same disk.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod cases;
mod cli;
mod measure;
mod million;
mod place;
mod relay;
mod report;
mod schema;

use std::{error::Error, process::ExitCode};

use clap::Parser;
use cli::{Arguments, Command};
use report::Report;
use sync_transport_websocket as _;

/// Any failure ends the run; nothing is measured around it.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Quick(choice) => bench(choice, cases::Extent::quick()).await,
        Command::All(choice) => bench(choice, cases::Extent::all()).await,
        Command::Child(child) => million::child(child).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(choice: cli::Choice, extent: cases::Extent) -> Outcome<()> {
    let mut report = Report::begin(&choice.dir(), choice.command(extent.name)).await?;
    println!("{}", report.machine());
    for case in cases::Case::chosen(&choice.cases, extent) {
        eprintln!("measuring {case:?} ...");
        match case.run(&choice.dir(), extent).await {
            Ok(lines) => lines.into_iter().for_each(|line| report.add(line)),
            Err(error) => {
                eprintln!("  {error}");
                report.add(case.failed(&error.to_string()));
            }
        }
    }
    report.end(&choice.dir()).await?;
    println!("{}", report.table());
    if choice.write {
        let path = report.write()?;
        println!("written to {}", path.display());
    }
    Ok(())
}
