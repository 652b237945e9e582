//! Frames, the envelope inside the seal, the handshake, and sealed records.

use std::cell::RefCell;

use sync_core::wire::{
    Channel, Compression, CompressionError, Handshake, Kind, NoCompression, Role, decode_frame, decode_inner,
    encode_frame, encode_inner,
};

use super::{frame_error, seal_error};
use crate::{allocation::bounded, outcome::Outcome, samples::SPACE_KEY};

/// Zstandard as the engine uses it: the announced length is a hard limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zstd;

impl Compression for Zstd {
    fn compress(&mut self, _kind: Kind, body: &[u8]) -> Option<Vec<u8>> {
        zstd::bulk::compress(body, 1).ok()
    }

    fn restore(&mut self, bytes: &[u8], length: usize) -> Result<Vec<u8>, CompressionError> {
        zstd::bulk::decompress(bytes, length).map_err(|_| CompressionError)
    }

    fn is_available(&self) -> bool {
        true
    }
}

/// A frame of a link.
pub fn frame(input: &[u8]) -> Outcome {
    match bounded("frame", input.len(), || decode_frame(input)) {
        Err(error) => frame_error(&error),
        Ok((kind, body)) => {
            assert_eq!(encode_frame(kind, body).as_deref(), Ok(input), "a frame has one form");
            Outcome::ok(body.len())
        }
    }
}

/// What stands inside the seal, with compressed bodies.
pub fn inner(input: &[u8]) -> Outcome {
    let announced = input.get(2..6).and_then(|length| length.try_into().ok()).map_or(0, u32::from_le_bytes);
    let expanded = usize::try_from(announced).unwrap_or_default().min(input.len().saturating_mul(100));
    let decoded = bounded("inner", input.len().max(expanded), || decode_inner(input, &mut Zstd));
    match decoded {
        Err(error) => frame_error(&error),
        Ok(envelope) => {
            assert_eq!(envelope.body.len(), expanded, "the announced length is the length");
            let again = encode_inner(envelope.kind, &envelope.body, None);
            if let Ok(again) = again {
                assert_eq!(decode_inner(&again, &mut NoCompression), Ok(envelope), "survives");
            }
            Outcome::ok(expanded)
        }
    }
}

/// A handshake message: the first bit of the first byte says to whom.
pub fn handshake(input: &[u8]) -> Outcome {
    let Some((first, message)) = input.split_first() else { return Outcome::error("no input", "") };
    let role = if first & 1 == 0 { Role::Responder } else { Role::Initiator };
    let read = bounded("handshake", message.len(), || {
        let mut handshake = Handshake::new(role, &SPACE_KEY, [7; 32])?;
        if role == Role::Initiator {
            handshake.write()?;
        }
        handshake.read(message)?;
        if role == Role::Responder {
            handshake.write()?;
        }
        handshake.finish()
    });
    match read {
        Err(error) => seal_error(error),
        Ok(_) => Outcome::ok(message.len()),
    }
}

/// Both ends of a link whose handshake is over; always the same one.
fn channels() -> Option<(Channel, Channel)> {
    let mut initiator = Handshake::new(Role::Initiator, &SPACE_KEY, [1; 32]).ok()?;
    let mut responder = Handshake::new(Role::Responder, &SPACE_KEY, [2; 32]).ok()?;
    responder.read(&initiator.write().ok()?).ok()?;
    initiator.read(&responder.write().ok()?).ok()?;
    Some((initiator.finish().ok()?, responder.finish().ok()?))
}

thread_local! {
    /// The receiving end, as long as it has received nothing.
    static FRESH: RefCell<Option<Channel>> = const { RefCell::new(None) };
}

/// Sealed records, opened by the end of a link that has opened none before.
pub fn sealed(input: &[u8]) -> Outcome {
    let fresh = FRESH.take().or_else(|| channels().map(|(_, to)| to));
    let Some(mut channel) = fresh else { return Outcome::error("no channel", "") };
    match bounded("sealed", input.len(), || channel.open(input)) {
        Err(error) => {
            // More than one record may have opened before the one that did not.
            if input.len() <= sync_core::wire::MAX_RECORD {
                FRESH.set(Some(channel));
            }
            seal_error(error)
        }
        Ok(plain) => {
            assert_eq!(sealed_sample(&plain).as_deref(), Some(input), "only what was sealed opens");
            Outcome::ok(plain.len())
        }
    }
}

/// What [`sealed`] opens to `plain`.
pub fn sealed_sample(plain: &[u8]) -> Option<Vec<u8>> {
    channels()?.0.seal(plain).ok()
}
