//! Zstandard for message bodies: level 3 for batches, level 1 for single changes, nothing for small ones.

use sync_core::wire::{Compression, CompressionError, Kind};
use zstd::bulk::{Compressor, Decompressor};

/// Below this a frame's own overhead outweighs what compression saves.
const LEAST: usize = 512;
const BATCH: i32 = 3;
const SINGLE: i32 = 1;

/// The contexts of one session, made when first needed.
#[derive(Default)]
pub(super) struct Zstd {
    batch: Option<Compressor<'static>>,
    single: Option<Compressor<'static>>,
    restore: Option<Decompressor<'static>>,
}

impl Compression for Zstd {
    fn compress(&mut self, kind: Kind, body: &[u8]) -> Option<Vec<u8>> {
        let (slot, level) = match kind {
            Kind::SharedChange | Kind::StateChange => (&mut self.single, SINGLE),
            Kind::SharedChangeBatch | Kind::StateBatch | Kind::SharedChangeResponse | Kind::StateResponse => {
                (&mut self.batch, BATCH)
            }
            _ => return None,
        };
        if body.len() < LEAST {
            return None;
        }
        if slot.is_none() {
            match Compressor::new(level) {
                Ok(new) => *slot = Some(new),
                // Sending plain is always right.
                Err(error) => tracing::warn!(%error, "no compression"),
            }
        }
        slot.as_mut()?.compress(body).map_err(|error| tracing::warn!(%error, "not compressed")).ok()
    }

    fn restore(&mut self, bytes: &[u8], length: usize) -> Result<Vec<u8>, CompressionError> {
        if self.restore.is_none() {
            self.restore = Some(Decompressor::new().map_err(|_| CompressionError)?);
        }
        let means = self.restore.as_mut().ok_or(CompressionError)?;
        // The capacity is a hard limit: more output is an error, nothing beyond it is produced.
        means.decompress(bytes, length).map_err(|_| CompressionError)
    }

    fn is_available(&self) -> bool {
        true
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_whole_and_nothing_grows_beyond_its_length() {
        let body: Vec<u8> = (0..200_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let mut zstd = Zstd::default();
        for kind in [Kind::SharedChange, Kind::StateBatch] {
            let packed = zstd.compress(kind, &body).unwrap();
            assert!(packed.len() * 2 < body.len());
            assert_eq!(zstd.restore(&packed, body.len()), Ok(body.clone()));
            assert_eq!(zstd.restore(&packed, body.len() - 1), Err(CompressionError));
            assert_eq!(zstd.restore(packed.get(1..).unwrap(), body.len()), Err(CompressionError));
        }
        assert_eq!(zstd.compress(Kind::StateBatch, &[0; 100]), None);
        assert_eq!(zstd.compress(Kind::Hello, &body), None);
    }
}
