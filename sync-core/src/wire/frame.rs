//! The two envelopes. Outside, as a link carries it:
//! `magic(4) version(1) kind(1) length(4, little endian) body`.
//! Inside, after the seal is opened: `kind(1) encoding(1) length(4, little endian) body`, where the length is that
//! of the body before compression, so that a frame cut at a record boundary is noticed.

use super::{Compression, Kind};

/// Largest frame in bytes, its own header included: what every transport carries.
pub const MAX_FRAME: usize = 4 << 20;
/// Largest message body that is sent in one frame: a frame less room for headers and record tags.
pub const MAX_MESSAGE: usize = MAX_FRAME - (64 << 10);
/// Largest message body after decompression.
pub const MAX_DECOMPRESSED: usize = 16 << 20;
/// Largest ratio of a decompressed to a compressed body.
pub const MAX_RATIO: usize = 100;

const MAGIC: [u8; 4] = *b"SynK";
const VERSION: u8 = 1;
const OUTER_HEADER: usize = 10;
const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// What a frame on a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// A message of the Noise handshake.
    Handshake,
    /// Sealed records with one message inside.
    Sealed,
    /// An unsealed error, where no seal exists: a hint, proves nothing.
    Refusal,
}

/// A frame cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// Not a frame of this protocol.
    #[error("not a frame of this protocol")]
    Magic,
    /// A frame format that this version does not know.
    #[error("frame of unknown format version {0}")]
    Version(u8),
    /// A kind of frame or message that this version does not know.
    #[error("frame of unknown kind {0}")]
    Kind(u8),
    /// The announced length is not the length.
    #[error("frame is cut short or has trailing bytes")]
    Length,
    /// A length beyond its bound.
    #[error("frame announces {0} bytes, which is beyond the limit")]
    TooLong(u64),
    /// Compressed by more than [`MAX_RATIO`].
    #[error("frame announces a body more than {MAX_RATIO} times its compressed size")]
    Ratio,
    /// An encoding that was not agreed on, or bytes that do not decompress.
    #[error("frame has a compressed body that cannot be restored")]
    Compression,
}

/// Wraps `body` for the link.
pub fn encode_frame(kind: FrameKind, body: &[u8]) -> Result<Vec<u8>, FrameError> {
    let total = body.len().saturating_add(OUTER_HEADER);
    let too_long = FrameError::TooLong(total as u64);
    if total > MAX_FRAME {
        return Err(too_long);
    }
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&MAGIC);
    out.push(VERSION);
    out.push(match kind {
        FrameKind::Handshake => 1,
        FrameKind::Sealed => 2,
        FrameKind::Refusal => 3,
    });
    out.extend_from_slice(&u32::try_from(body.len()).map_err(|_| too_long)?.to_le_bytes());
    out.extend_from_slice(body);
    Ok(out)
}

/// Takes a link frame apart.
pub fn decode_frame(bytes: &[u8]) -> Result<(FrameKind, &[u8]), FrameError> {
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(FrameError::Length)?;
    if *magic != MAGIC {
        return Err(FrameError::Magic);
    }
    let ([version, kind], rest) = rest.split_first_chunk::<2>().ok_or(FrameError::Length)?;
    if *version != VERSION {
        return Err(FrameError::Version(*version));
    }
    let kind = match kind {
        1 => FrameKind::Handshake,
        2 => FrameKind::Sealed,
        3 => FrameKind::Refusal,
        other => return Err(FrameError::Kind(*other)),
    };
    let (length, body) = rest.split_first_chunk::<4>().ok_or(FrameError::Length)?;
    let length = u32::from_le_bytes(*length);
    if length as usize > MAX_FRAME - OUTER_HEADER {
        return Err(FrameError::TooLong(u64::from(length)));
    }
    if body.len() != length as usize {
        return Err(FrameError::Length);
    }
    Ok((kind, body))
}

/// A message as it is sealed: its kind and its encoded body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// What the body is.
    pub kind: Kind,
    /// The encoded message, decompressed.
    pub body: Vec<u8>,
}

/// Puts a message into the form that is sealed, compressed when `compression` is given and it helps.
pub fn encode_inner(
    kind: Kind,
    body: &[u8],
    compression: Option<&mut dyn Compression>,
) -> Result<Vec<u8>, FrameError> {
    let too_long = FrameError::TooLong(body.len() as u64);
    if body.len() > MAX_DECOMPRESSED {
        return Err(too_long);
    }
    let length = u32::try_from(body.len()).map_err(|_| too_long)?;
    // A body that shrinks beyond the ratio would be refused by the peer.
    let packed = compression
        .and_then(|means| means.compress(kind, body))
        .filter(|packed| packed.len() < body.len() && packed.len().saturating_mul(MAX_RATIO) >= body.len());
    let (encoding, payload) = match &packed {
        Some(packed) => (COMPRESSED, packed.as_slice()),
        None => (PLAIN, body),
    };
    if payload.len() > MAX_MESSAGE {
        return Err(too_long);
    }
    let mut out = Vec::with_capacity(payload.len() + 6);
    out.push(kind as u8);
    out.push(encoding);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(payload);
    Ok(out)
}

/// Reads what [`encode_inner`] wrote; limits are checked before anything is decompressed.
pub fn decode_inner(bytes: &[u8], compression: &mut dyn Compression) -> Result<Envelope, FrameError> {
    let ([kind, encoding], rest) = bytes.split_first_chunk::<2>().ok_or(FrameError::Length)?;
    let kind = Kind::from_u8(*kind).ok_or(FrameError::Kind(*kind))?;
    let (length, payload) = rest.split_first_chunk::<4>().ok_or(FrameError::Length)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_DECOMPRESSED {
        return Err(FrameError::TooLong(length as u64));
    }
    let body = match *encoding {
        PLAIN if payload.len() == length => payload.to_vec(),
        PLAIN => return Err(FrameError::Length),
        COMPRESSED if length > payload.len().saturating_mul(MAX_RATIO) => return Err(FrameError::Ratio),
        COMPRESSED => {
            let body = compression.restore(payload, length).map_err(|_| FrameError::Compression)?;
            if body.len() != length {
                return Err(FrameError::Compression);
            }
            body
        }
        _ => return Err(FrameError::Compression),
    };
    Ok(Envelope { kind, body })
}
