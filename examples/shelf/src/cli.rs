//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A small file library that syncs with other shelves.
#[derive(Debug, Parser)]
#[command(name = "shelf", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The library's database; made on first use.
    #[arg(long, short, global = true, env = "SHELF_LIBRARY", default_value = "shelf.db")]
    pub(crate) library: PathBuf,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 bad command line, 3 not found, 4 synced data differs";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index a folder, or bring the index of one up to date
    Index(Index),
    /// Make a tag and put it on files
    Tag(Tag),
    /// Make a collection and put files into it
    Collect(Collect),
    /// List locations, or what is in a folder
    Ls(Ls),
    /// Find files by a part of their name, and by tag
    Find(Find),
    /// Show what the library holds and how it syncs
    Status,
    /// Compare the library with the changes that made it, and repair it on request
    Doctor(Doctor),
    /// Keep the library open for other shelves and print the code with which they join
    Serve(Serve),
    /// Join the library of another shelf and keep up with it
    Join(Join),
    /// Let two shelves on this machine diverge and converge, and check every outcome
    Demo(Demo),
    /// One side of the demo
    #[command(hide = true)]
    Node(Node),
}

/// `shelf index`.
#[derive(Debug, Args)]
pub(crate) struct Index {
    /// The folder. Ignored files, `.git` and caches are skipped.
    pub(crate) folder: PathBuf,
    /// Name of the location; the folder's own by default.
    #[arg(long)]
    pub(crate) name: Option<String>,
}

/// `shelf tag`.
#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// Name of the tag.
    pub(crate) name: String,
    /// Files to tag: a path on the disk or `location/path` as `shelf ls` shows it.
    pub(crate) files: Vec<String>,
    /// Colour of the tag, such as `#0a84ff`.
    #[arg(long)]
    pub(crate) colour: Option<String>,
    /// Put the tag under a wider one.
    #[arg(long, value_name = "TAG")]
    pub(crate) under: Option<String>,
    /// Tag this copy only; otherwise the content is tagged, on every device that has it.
    #[arg(long)]
    pub(crate) this_copy: bool,
    /// Take the tag off the files.
    #[arg(long, requires = "files")]
    pub(crate) remove: bool,
}

/// `shelf collect`.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// Name of the collection.
    pub(crate) name: String,
    /// Files to put into it.
    pub(crate) files: Vec<String>,
    /// Take the files out of the collection.
    #[arg(long, requires = "files")]
    pub(crate) remove: bool,
}

/// `shelf ls`.
#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// `location/path`; all locations when left out.
    pub(crate) path: Option<String>,
    /// Everything below the folder.
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// List the tags.
    #[arg(long, conflicts_with_all = ["path", "collections", "collection"])]
    pub(crate) tags: bool,
    /// List the collections.
    #[arg(long, conflicts_with_all = ["path", "collection"])]
    pub(crate) collections: bool,
    /// List what is in a collection.
    #[arg(long, conflicts_with = "path", value_name = "NAME")]
    pub(crate) collection: Option<String>,
}

/// `shelf find`.
#[derive(Debug, Args)]
pub(crate) struct Find {
    /// Part of the name; everything when left out.
    #[arg(default_value = "")]
    pub(crate) text: String,
    /// Only files with this tag or a narrower one.
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit: u64,
}

/// `shelf doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Put right what does not fit, and believe this where a row and its changes differ.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) repair: Option<Trust>,
}

/// What a repair believes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Trust {
    /// The changes: rows are written as they say.
    History,
    /// The tables: what they show is taken up as written here now.
    Tables,
}

/// `shelf serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; port 7070 of this computer's address in its network by default.
    #[arg(long, value_name = "URL")]
    pub(crate) listen: Option<String>,
    /// Shelves to call, again and again until they answer.
    #[arg(long, value_name = "URL")]
    pub(crate) connect: Vec<String>,
}

/// `shelf join`.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The code that `shelf serve` prints.
    pub(crate) code: String,
    /// Where to listen for further shelves; any free port by default.
    #[arg(long, value_name = "URL")]
    pub(crate) listen: Option<String>,
}

/// `shelf demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The folder to index; the repository around the current folder by default.
    pub(crate) folder: Option<PathBuf>,
    /// Index a temporary folder of so many small files instead.
    #[arg(long, value_name = "FILES", conflicts_with = "folder")]
    pub(crate) synthetic: Option<u32>,
    /// Keep both databases in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
    /// Give up when the two have not converged after so many seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub(crate) patience: u64,
}

/// One side of the demo.
#[derive(Debug, Args)]
pub(crate) struct Node {
    /// Name of the device.
    #[arg(long)]
    pub(crate) name: String,
    /// Join by this code instead of making a library.
    #[arg(long)]
    pub(crate) join: Option<String>,
}
