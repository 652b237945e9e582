//! Why a session ended.

use crate::{
    authorship::{StatementError, Violation},
    ids::Origin,
    wire::{
        About, AssembleError, ErrorCode, ErrorMessage, FrameError, Kind, MessageError, ProtocolRange,
        SealError,
    },
};

/// Why a session ended.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The link ended.
    #[error("the link ended")]
    LinkClosed,
    /// This side wanted it.
    #[error("closed by this side")]
    Closed,
    /// There is another session with the same device.
    #[error("there is another session with this device")]
    Duplicate,
    /// The handshake failed; [`SealError::Key`] means another space key.
    #[error("{0}")]
    Seal(#[from] SealError),
    /// A frame that is not one.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// A message that is not one.
    #[error("{0}")]
    Message(#[from] MessageError),
    /// Parts that are no run.
    #[error("{0}")]
    Assemble(#[from] AssembleError),
    /// A run that its origin did not sign.
    #[error("{0}")]
    Violation(#[from] Violation),
    /// A statement that its member did not sign.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// A message that has no place here.
    #[error("{0:?} message out of place")]
    OutOfPlace(Kind),
    /// The peer's space is another one.
    #[error("the peer's space is another one")]
    WrongSpace,
    /// No protocol version in common.
    #[error("no protocol version in common: the peer speaks {} to {}", .0.min, .0.max)]
    NoCommonProtocol(ProtocolRange),
    /// The peer is this very device.
    #[error("the peer is this very device, as {0}: a clone, or a link to itself")]
    OwnDevice(Origin),
    /// The peer did not prove the device it claims to be.
    #[error("the peer did not prove to be device {0}")]
    BadSignature(Origin),
    /// More than is kept or answered.
    #[error("the peer exceeds the limit on {0}")]
    Limit(&'static str),
    /// A vector that no device has.
    #[error("the peer states an impossible vector")]
    ImpossibleVector,
    /// The peer was silent.
    #[error("the peer was silent for too long")]
    Timeout,
    /// The peer ended it.
    #[error("the peer ended the session: {}{}", .0.code, detail(&.0.detail))]
    Refused(ErrorMessage),
}

fn detail(text: &str) -> String {
    let shown: String = text.chars().filter(|letter| !letter.is_control()).collect();
    if shown.is_empty() { shown } else { format!(" ({shown})") }
}

impl SessionError {
    /// Whether a new session with the same peer may fare better without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::LinkClosed | Self::Closed | Self::Duplicate | Self::Timeout => true,
            Self::Refused(message) => message.retryable,
            _ => false,
        }
    }

    /// What the peer is told, if there is a point in it.
    pub(crate) fn to_message(&self) -> Option<ErrorMessage> {
        let code = match self {
            Self::LinkClosed | Self::Refused(_) => return None,
            Self::Closed => ErrorCode::Goodbye,
            Self::Duplicate => ErrorCode::Duplicate,
            Self::Seal(SealError::Key) => ErrorCode::WrongKey,
            Self::Seal(_)
            | Self::Frame(_)
            | Self::Message(_)
            | Self::OutOfPlace(_)
            | Self::ImpossibleVector
            | Self::Assemble(AssembleError::Contradiction(_)) => ErrorCode::Malformed,
            Self::Assemble(AssembleError::Limit(_)) | Self::Limit(_) => ErrorCode::Limit,
            Self::Violation(_) | Self::Statement(_) | Self::BadSignature(_) => ErrorCode::BadSignature,
            Self::WrongSpace => ErrorCode::WrongSpace,
            Self::NoCommonProtocol(_) => ErrorCode::NoCommonProtocol,
            Self::OwnDevice(_) => ErrorCode::OwnDevice,
            Self::Timeout => ErrorCode::Timeout,
        };
        let about = match self {
            Self::Message(MessageError::Malformed(kind) | MessageError::WrongKind(kind))
            | Self::OutOfPlace(kind) => About::Message(*kind as u8),
            _ => About::Session,
        };
        // The code says enough: what went wrong in detail is this side's business.
        Some(ErrorMessage { code, about, retryable: self.is_retryable(), detail: String::new() })
    }
}
