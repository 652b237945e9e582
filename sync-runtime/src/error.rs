//! The one error of the runtime: what a caller can do about it, where it happened, and why.

use std::{fmt, sync::Arc};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};
use sqlx::error::DatabaseError;

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

impl Error {
    /// The error of ours that `error` carries, if it does: how a `DbErr` that a space returned is told from one of
    /// the database.
    pub fn within(error: &DbErr) -> Option<&Self> {
        let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
        else {
            return None;
        };
        let SqlxError::Database(error) = error.as_ref() else { return None };
        error.try_downcast_ref::<Passenger>().map(|Passenger(error)| error)
    }
}

/// An error of ours on its way through SeaORM, whose own error type has no other place for one.
#[derive(Debug)]
struct Passenger(Error);

impl fmt::Display for Passenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Passenger {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl DatabaseError for Passenger {
    fn message(&self) -> &str {
        &self.0.message
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> sqlx::error::ErrorKind {
        sqlx::error::ErrorKind::Other
    }
}

impl From<DbErr> for Error {
    /// An error of ours that went through SeaORM comes back as itself, with the `DbErr` as its source.
    fn from(error: DbErr) -> Self {
        if let Some(Self { kind, operation, message, retryable, .. }) = Self::within(&error) {
            let (kind, operation, message, retryable) = (*kind, *operation, message.clone(), *retryable);
            return Self { kind, operation, message, retryable, source: Some(Box::new(error)) };
        }
        let text = error.to_string();
        let timed_out = matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        let retryable =
            timed_out || text.contains("database is locked") || text.contains("database or disk is full");
        Self {
            kind: if timed_out { ErrorKind::Timeout } else { ErrorKind::Database },
            operation: "database",
            message: text,
            retryable,
            source: Some(Box::new(error)),
        }
    }
}

impl From<Error> for DbErr {
    /// What came from SeaORM goes back as it was; the rest travels inside, see [`Error::within`].
    fn from(mut error: Error) -> Self {
        match error.source.take().map(<dyn std::error::Error + Send + Sync>::downcast::<Self>) {
            Some(Ok(original)) if error.kind == ErrorKind::Database || Error::within(&original).is_some() => {
                return *original;
            }
            Some(Ok(original)) => error.source = Some(original),
            Some(Err(source)) => error.source = Some(source),
            None => {}
        }
        Self::Exec(RuntimeErr::SqlxError(Arc::new(SqlxError::Database(Box::new(Passenger(error))))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_kind_on_its_way_through_seaorm() {
        let there: DbErr =
            Error::new(ErrorKind::NotOwner, "commit", "row 7 is another device's").retryable().into();
        assert_eq!(Error::within(&there).map(Error::kind), Some(ErrorKind::NotOwner));
        assert!(there.to_string().contains("row 7 is another device's"), "{there}");
        let back = Error::from(there);
        assert_eq!(
            (back.kind(), back.is_retryable(), back.operation()),
            (ErrorKind::NotOwner, true, "commit")
        );
        let again: DbErr = back.into();
        assert_eq!(Error::within(&again).map(Error::kind), Some(ErrorKind::NotOwner));
    }

    #[test]
    fn an_error_of_the_database_comes_back_as_it_was() {
        let original = DbErr::RecordNotFound("x".to_owned());
        assert_eq!(DbErr::from(Error::from(original.clone())), original);
    }
}
