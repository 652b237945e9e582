//! Names of the typed errors, as outcomes.

use sync_core::{
    authorship::{StatementError, Violation},
    changeset::{BodyError, HeaderError},
    merge::RecordError,
    session::SessionError,
    wire::{AssembleError, FrameError, MessageError, SealError},
};

use crate::outcome::Outcome;

/// Of a frame.
pub const fn frame_error(error: &FrameError) -> Outcome {
    Outcome::error(
        match error {
            FrameError::Magic => "frame magic",
            FrameError::Version(_) => "frame version",
            FrameError::Kind(_) => "frame kind",
            FrameError::Length => "frame length",
            FrameError::TooLong(_) => "frame too long",
            FrameError::Ratio => "frame ratio",
            FrameError::Compression => "frame compression",
        },
        "",
    )
}

/// Of a seal.
pub const fn seal_error(error: SealError) -> Outcome {
    Outcome::error(
        match error {
            SealError::Key => "seal key",
            SealError::Handshake => "seal handshake",
            SealError::Record => "seal record",
            SealError::Setup => "seal setup",
        },
        "",
    )
}

/// Of a message body.
pub const fn message_error(error: MessageError) -> Outcome {
    Outcome::error(
        match error {
            MessageError::Malformed(_) => "message malformed",
            MessageError::WrongKind(_) => "message of the wrong kind",
        },
        "",
    )
}

/// Of a changeset header.
pub const fn header_error(error: &HeaderError) -> Outcome {
    match error {
        HeaderError::Malformed => Outcome::error("header malformed", ""),
        HeaderError::UnknownVersion(_) => Outcome::error("header version", ""),
        HeaderError::Impossible(what) => Outcome::error("header impossible", what),
    }
}

/// Of a changeset body or page of state.
pub const fn body_error(error: BodyError) -> Outcome {
    match error {
        BodyError::Length => Outcome::error("body length", ""),
        BodyError::UnknownVersion(_) => Outcome::error("body version", ""),
        BodyError::Limit(what) => Outcome::error("body limit", what),
        BodyError::Malformed(what) => Outcome::error("body malformed", what),
    }
}

/// Of a record's state.
pub const fn record_error(error: RecordError) -> Outcome {
    match error {
        RecordError::Length => Outcome::error("record length", ""),
        RecordError::UnknownVersion(_) => Outcome::error("record version", ""),
        RecordError::Malformed(what) => Outcome::error("record malformed", what),
    }
}

/// Of messages that do not make a run.
pub const fn assemble_error(error: AssembleError) -> Outcome {
    match error {
        AssembleError::Limit(what) => Outcome::error("run limit", what),
        AssembleError::Contradiction(what) => Outcome::error("run contradiction", what),
    }
}

/// Of a run that its origin did not sign.
pub const fn violation(error: &Violation) -> Outcome {
    let kind = match error {
        Violation::Shape => "violation shape",
        Violation::Key(_) => "violation key",
        Violation::Header(error) => {
            return Outcome { kind: "violation header", detail: header_error(error).kind, depth: 0 };
        }
        Violation::Foreign(_) => "violation foreign",
        Violation::Chain(_) => "violation chain",
        Violation::Signature => "violation signature",
        Violation::Body(_) => "violation body",
        Violation::Page(error) => {
            return Outcome { kind: "violation page", detail: body_error(*error).kind, depth: 0 };
        }
        Violation::Row(_) => "violation row",
        Violation::Owned(_) => "violation owned",
    };
    Outcome::error(kind, "")
}

/// Of a statement.
pub const fn statement_error(error: StatementError) -> Outcome {
    Outcome::error(
        match error {
            StatementError::Malformed => "statement malformed",
            StatementError::Signature => "statement signature",
            StatementError::Space => "statement space",
        },
        "",
    )
}

/// Why a session ended; the detail is the error below.
pub const fn session_error(error: &SessionError) -> Outcome {
    let (kind, detail) = match error {
        SessionError::LinkClosed => ("link closed", ""),
        SessionError::Closed => ("closed", ""),
        SessionError::Duplicate => ("duplicate", ""),
        SessionError::Seal(error) => ("session", seal_error(*error).kind),
        SessionError::Frame(error) => ("session", frame_error(error).kind),
        SessionError::Message(error) => ("session", message_error(*error).kind),
        SessionError::Assemble(error) => ("session", assemble_error(*error).kind),
        SessionError::Violation(error) => ("session", violation(error).kind),
        SessionError::Statement(error) => ("session", statement_error(*error).kind),
        SessionError::OutOfPlace(_) => ("out of place", ""),
        SessionError::WrongSpace => ("wrong space", ""),
        SessionError::NoCommonProtocol(_) => ("no common protocol", ""),
        SessionError::OwnDevice(_) => ("own device", ""),
        SessionError::BadSignature(_) => ("bad signature", ""),
        SessionError::Limit(what) => ("session limit", *what),
        SessionError::ImpossibleVector => ("impossible vector", ""),
        SessionError::Timeout => ("timeout", ""),
        SessionError::Refused(_) => ("refused", ""),
        _ => ("unnamed", ""),
    };
    Outcome::error(kind, detail)
}
