//! What can go wrong, in words for the person at the terminal, and the exit code of each kind.

use std::{io, path::PathBuf};

use sea_orm::DbErr;

/// Every way in which a command fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked for is not in the library or on the disk.
    #[error("{0}")]
    NotFound(String),
    /// The request itself makes no sense.
    #[error("{0}")]
    Usage(String),
    /// After syncing, something is not as it must be.
    #[error("{0}")]
    Differs(String),
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Talking to the terminal or to another process.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The database.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// The sync engine.
    #[error("{0}")]
    Sync(#[from] sync_kit::Error),
    /// A node of the demo.
    #[error("{0}")]
    Node(String),
}

impl Failure {
    /// 1 for a failure, 3 for something that is not there, 4 when synced data differs; clap itself uses 2 for a
    /// command line that it cannot read, and so does [`Failure::Usage`].
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Differs(_) => 4,
            _ => 1,
        }
    }

    /// Names the file in an error of the system.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Names the activity in an error of the system.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
