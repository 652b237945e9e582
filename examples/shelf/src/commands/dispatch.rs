//! From the command line to the command.

use super::{collect, doctor, find, index, ls, serve, status, tag};
use crate::{
    cli::{Cli, Command},
    demo,
    error::Failure,
    output::Output,
};

/// Runs what the command line asks for.
pub(crate) async fn run(cli: &Cli, output: Output) -> Result<(), Failure> {
    let library = cli.library.as_path();
    match &cli.command {
        Command::Index(arguments) => index::run(library, arguments, output).await,
        Command::Tag(arguments) => tag::run(library, arguments, output).await,
        Command::Collect(arguments) => collect::run(library, arguments, output).await,
        Command::Ls(arguments) => ls::run(library, arguments, output).await,
        Command::Find(arguments) => find::run(library, arguments, output).await,
        Command::Status => status::run(library, output).await,
        Command::Doctor(arguments) => doctor::run(library, arguments, output).await,
        Command::Serve(arguments) => serve::serve(library, arguments, output).await,
        Command::Join(arguments) => serve::join(library, arguments, output).await,
        Command::Demo(arguments) => demo::run(arguments, output).await,
        Command::Node(arguments) => demo::node(library, arguments).await,
    }
}
