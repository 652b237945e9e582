//! How a session compresses without knowing how: the runtime passes the means in, so that this crate stays free of
//! C.

use super::Kind;

/// Makes message bodies smaller and restores them.
pub trait Compression: Send {
    /// The smaller form of `body`, or `None` when it is not worth it. `kind` tells live messages from batches.
    fn compress(&mut self, kind: Kind, body: &[u8]) -> Option<Vec<u8>>;

    /// Restores exactly `length` bytes. `length` has been checked against the limits; more output than that is an
    /// error and must not be produced.
    fn restore(&mut self, bytes: &[u8], length: usize) -> Result<Vec<u8>, CompressionError>;

    /// Whether it can compress at all; stated as a capability in the Hello.
    fn is_available(&self) -> bool;
}

/// Compressed bytes are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("compressed body cannot be restored to the announced length")]
pub struct CompressionError;

/// Sends everything as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCompression;

impl Compression for NoCompression {
    fn compress(&mut self, _kind: Kind, _body: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn restore(&mut self, _bytes: &[u8], _length: usize) -> Result<Vec<u8>, CompressionError> {
        Err(CompressionError)
    }

    fn is_available(&self) -> bool {
        false
    }
}
