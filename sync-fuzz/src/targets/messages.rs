//! The body of every message.

use sync_core::wire::{Kind, Message, MessageError};

use super::message_error;
use crate::{allocation::bounded, outcome::Outcome};

fn message(kind: Kind, body: &[u8]) -> Outcome {
    match bounded("message", body.len(), || Message::decode(kind, body)) {
        Err(error) => {
            let (MessageError::Malformed(named) | MessageError::WrongKind(named)) = error;
            assert_eq!(named, kind, "an error names the message's kind");
            message_error(error)
        }
        Ok(message) => {
            assert_eq!(message.kind(), kind, "a message has the kind under which it came");
            let again = message.encode();
            assert_eq!(Message::decode(kind, &again).as_ref(), Ok(&message), "survives");
            Outcome::ok(again.len())
        }
    }
}

/// Hello.
pub fn hello(input: &[u8]) -> Outcome {
    message(Kind::Hello, input)
}

/// A part of a run; the first byte chooses among the four kinds.
pub fn run_part(input: &[u8]) -> Outcome {
    let Some((first, body)) = input.split_first() else { return Outcome::error("no input", "") };
    let kind = match first % 4 {
        0 => Kind::SharedChange,
        1 => Kind::SharedChangeBatch,
        2 => Kind::StateChange,
        _ => Kind::StateBatch,
    };
    message(kind, body)
}

/// A pull.
pub fn range_request(input: &[u8]) -> Outcome {
    message(Kind::SharedChangeRequest, input)
}

/// An answer to a pull.
pub fn range_response(input: &[u8]) -> Outcome {
    message(Kind::StateResponse, input)
}

/// An acknowledgement with statements.
pub fn ack(input: &[u8]) -> Outcome {
    message(Kind::Ack, input)
}

/// A heartbeat with entries of a vector.
pub fn heartbeat(input: &[u8]) -> Outcome {
    message(Kind::Heartbeat, input)
}

/// An error.
pub fn error_message(input: &[u8]) -> Outcome {
    message(Kind::Error, input)
}
