//! The one error of the runtime: what a caller can do about it, where it happened, and why.

use std::fmt;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The models or the schema are wrong; every mistake is listed. Change the program.
    Catalog,
    /// A row belongs to another device. Nothing was written.
    NotOwner,
    /// The call is wrong: transaction keywords in raw SQL, an open nested transaction, a fixed column changed.
    Misuse,
    /// A value cannot be synced, or a record id is not one.
    Value,
    /// The application's database failed.
    Database,
    /// The database is not usable: wrong SQLite version, foreign or damaged `_sync_` tables, missing device key.
    Storage,
    /// A join code, URL or option is wrong.
    Configuration,
    /// A transport failed.
    Transport,
    /// A peer sent something wrong.
    Protocol,
    /// The space is closed.
    Closed,
    /// It took too long.
    Timeout,
}

/// An error of the runtime.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    retryable: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Result of the runtime.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` in `operation`; `message` says what to do.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self { kind, operation, message: message.into(), retryable: false, source: None }
    }

    /// With the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// What a caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// What was being done.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

impl From<sea_orm::DbErr> for Error {
    /// An error of ours that went through SeaORM comes back as itself.
    fn from(error: sea_orm::DbErr) -> Self {
        let text = error.to_string();
        let retryable = text.contains("database is locked") || text.contains("database or disk is full");
        Self {
            kind: ErrorKind::Database,
            operation: "database",
            message: text,
            retryable,
            source: Some(Box::new(error)),
        }
    }
}

impl From<Error> for sea_orm::DbErr {
    fn from(error: Error) -> Self {
        match error.source {
            Some(source) if error.kind == ErrorKind::Database => match source.downcast::<Self>() {
                Ok(original) => *original,
                Err(source) => Self::Custom(format!("{}: {} ({source})", error.operation, error.message)),
            },
            _ => Self::Custom(error.to_string()),
        }
    }
}
