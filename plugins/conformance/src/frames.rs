//! Frames whose content follows from a number, so that a wrong, lost or mixed-up one is seen.

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let mut word = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// The frame number `number` of `length` bytes.
pub(crate) fn frame(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    let mut word = mix(number);
    while bytes.len() < length {
        bytes.extend_from_slice(&word.to_le_bytes());
        word = mix(word);
    }
    bytes.truncate(length);
    bytes
}
