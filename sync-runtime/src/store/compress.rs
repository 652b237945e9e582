//! Compression of changeset bodies at rest.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use crate::error::{Error, ErrorKind, Result};

/// Bodies up to this length are unpacked in one step.
const QUICK: usize = 1 << 20;

thread_local! {
    // Making one takes longer than packing a small body.
    static PACK: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACK: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Level 1: the log is written once and read seldom.
const LEVEL: i32 = 1;

/// Compresses a body for the log.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    PACK.with_borrow_mut(|means| {
        let means = match means {
            Some(means) => means,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        means.compress(bytes)
    })
    .map_err(|e: std::io::Error| {
        Error::new(ErrorKind::Storage, "log", "a changeset could not be compressed").with_source(e)
    })
}

/// Reads what [`pack`] made.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    // `pack` writes the length; a large one is not believed.
    if let Ok(Some(length)) = zstd::zstd_safe::get_frame_content_size(bytes)
        && let Ok(length) = usize::try_from(length)
        && length <= QUICK
    {
        let unpacked = UNPACK.with_borrow_mut(|means| {
            let means = match means {
                Some(means) => means,
                none => none.insert(Decompressor::new()?),
            };
            means.decompress(bytes, length)
        });
        return unpacked.map_err(damaged);
    }
    let mut out = Vec::new();
    std::io::copy(&mut zstd::stream::read::Decoder::new(bytes).map_err(damaged)?, &mut out)
        .map_err(damaged)?;
    Ok(out)
}

fn damaged(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "log", "a changeset in the log is damaged; restore a backup")
        .with_source(error)
}
