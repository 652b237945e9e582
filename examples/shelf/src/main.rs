//! `shelf`: a small file library that syncs with other shelves. It indexes folders, tags files and keeps
//! collections in an ordinary SeaORM database; `sync-kit` makes that database sync. What there is of syncing in
//! this program is the opening of the space in `library.rs` and the commands `serve` and `join`.

mod cli;
mod commands;
mod demo;
mod error;
mod index;
mod library;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, output::Output};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match commands::run(&cli, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
