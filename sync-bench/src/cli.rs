//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cases::Case;

/// Benchmarks of sync-kit against plain SeaORM on the same SQLite.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every figure but the one for a million rows; some minutes.
    Quick(Choice),
    /// Every figure, with more rounds.
    All(Choice),
    /// One process of a figure that needs several.
    #[command(hide = true)]
    Child(Child),
}

/// Which figures, and what becomes of them.
#[derive(Args, Debug)]
pub(crate) struct Choice {
    /// Measure these only.
    pub(crate) cases: Vec<Case>,
    /// Write docs/benchmarks.md.
    #[arg(long)]
    pub(crate) write: bool,
    /// Where the databases are put; the disk is part of what is measured. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl Choice {
    /// The words that ask for this choice again.
    pub(crate) fn command(&self, extent: &str) -> String {
        let cases = self.cases.iter().filter_map(clap::ValueEnum::to_possible_value);
        cases.fold(extent.to_owned(), |words, case| format!("{words} {}", case.get_name()))
    }

    /// Where the databases are put.
    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(std::env::temp_dir)
    }
}

/// A process of its own.
#[derive(Args, Debug)]
pub(crate) struct Child {
    /// What it does.
    #[command(subcommand)]
    pub(crate) part: Part,
}

/// A part that is measured in a process of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Makes a space with many device-owned rows.
    Prepare {
        /// The database.
        database: PathBuf,
        /// How many rows.
        rows: usize,
    },
    /// Opens it and gives its rows to whoever dials, until standard input ends.
    Give {
        /// The database.
        database: PathBuf,
    },
    /// Joins, waits until the changes up to the sequence have come, and tells how long it took.
    Take {
        /// The database to make.
        database: PathBuf,
        /// The join code.
        invite: String,
        /// The giver's incarnation.
        incarnation: u32,
        /// The giver's device.
        device: String,
        /// Its head.
        head: u64,
    },
}
