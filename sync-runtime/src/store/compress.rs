//! Compression of changeset bodies at rest.

use crate::error::{Error, ErrorKind, Result};

/// Level 1: the log is written once and read seldom.
const LEVEL: i32 = 1;

/// Compresses a body for the log.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|e| {
        Error::new(ErrorKind::Storage, "log", "a changeset could not be compressed").with_source(e)
    })
}

/// Reads what [`pack`] made.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    std::io::copy(&mut zstd::stream::read::Decoder::new(bytes).map_err(damaged)?, &mut out)
        .map_err(damaged)?;
    Ok(out)
}

fn damaged(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "log", "a changeset in the log is damaged; restore a backup")
        .with_source(error)
}
