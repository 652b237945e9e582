//! Bytes put together by hand, past the encoders that would not write them.

pub(super) use crate::mutate::varint;

/// One after the other.
pub(super) fn join(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// `bytes` with one more behind.
pub(super) fn trailing(bytes: &[u8]) -> Vec<u8> {
    join(&[bytes, &[0]])
}

/// `bytes` with the bits of `mask` flipped at `at`.
pub(super) fn flipped(bytes: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if let Some(byte) = out.get_mut(at) {
        *byte ^= mask;
    }
    out
}

/// `bytes` with another piece from `at` on, as long as `piece`.
pub(super) fn patched(bytes: &[u8], at: usize, piece: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let end = (at + piece.len()).min(out.len());
    out.splice(at..end, piece.iter().copied());
    out
}

/// A text behind its length.
pub(super) fn text(text: &[u8]) -> Vec<u8> {
    join(&[&varint(text.len() as u64), text])
}

/// A number in one byte more than it needs.
pub(super) fn overlong(value: u64) -> Vec<u8> {
    let mut bytes = varint(value);
    if let Some(last) = bytes.last_mut() {
        *last |= 0x80;
    }
    bytes.push(0);
    bytes
}
