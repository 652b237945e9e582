//! The one error type of the plugin contract. It must not know what any particular plugin does.

use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible call in the contract.
pub type Result<T, E = PluginError> = std::result::Result<T, E>;

/// What went wrong, by what a caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nobody answers at the address. Waiting and trying again is right.
    Unreachable,
    /// Somebody answers and does not want this link: wrong path, wrong protocol, queue full.
    Refused,
    /// The link or listener is over: cut, dropped or already closed. Dial again.
    Closed,
    /// A bound was reached, such as the frame size. The same input fails again.
    Limit,
    /// The peer sent what the protocol does not allow.
    Malformed,
    /// A deadline passed.
    Timeout,
    /// The URL or its parameters say something that the plugin cannot do.
    Configuration,
    /// No plugin is registered for the URL's scheme.
    UnknownScheme,
    /// Two plugins claim one scheme.
    DuplicateScheme,
    /// The plugin declares that it lacks this capability.
    Unsupported,
    /// The operating system reported an error of another sort.
    Io,
}

impl ErrorKind {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::Closed | Self::Timeout | Self::Io)
    }

    /// The kind in words, as it stands in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Limit => "limit reached",
            Self::Malformed => "malformed input",
            Self::Timeout => "timed out",
            Self::Configuration => "wrong configuration",
            Self::UnknownScheme => "unknown scheme",
            Self::DuplicateScheme => "duplicate scheme",
            Self::Unsupported => "unsupported",
            Self::Io => "input/output error",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An error of a plugin: what kind, in which operation, about what, and why.
///
/// `Display` is one line; the cause is reached through [`StdError::source`].
#[derive(Debug)]
pub struct PluginError {
    kind: ErrorKind,
    retryable: bool,
    operation: &'static str,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl PluginError {
    /// An error of `kind` in `operation` (a verb such as `"dial"`), about `context` (an address, a number, a rule).
    pub fn new(kind: ErrorKind, operation: &'static str, context: impl Into<String>) -> Self {
        Self { kind, retryable: kind.is_retryable(), operation, context: context.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error with another answer to "may it succeed later?" than its kind gives.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// What a caller can do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The operation that failed.
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// What the operation was about.
    pub fn context(&self) -> &str {
        &self.context
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.operation, self.kind)?;
        if !self.context.is_empty() {
            write!(formatter, ": {}", one_line(&self.context))?;
        }
        match &self.source {
            Some(source) => write!(formatter, " ({})", one_line(&source.to_string())),
            None => Ok(()),
        }
    }
}

impl StdError for PluginError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| {
            let source: &(dyn StdError + 'static) = source.as_ref();
            source
        })
    }
}

/// The text without control characters, which a peer could use to forge lines in a log.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_and_names_kind_operation_context_and_cause() {
        let error = PluginError::new(ErrorKind::Unreachable, "dial", "ws://a\nb")
            .with_source(std::io::Error::other("no\r\nroute"));
        assert_eq!(error.to_string(), "dial: unreachable: ws://a b (no  route)");
        assert!(StdError::source(&error).is_some(), "the cause stays reachable");
    }

    #[test]
    fn retryable_follows_the_kind_unless_told_otherwise() {
        assert!(PluginError::new(ErrorKind::Timeout, "dial", "").is_retryable());
        assert!(!PluginError::new(ErrorKind::Limit, "send", "").is_retryable());
        assert!(PluginError::new(ErrorKind::Refused, "dial", "").with_retryable(true).is_retryable());
    }
}
