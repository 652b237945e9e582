//! What stands in a join code: the space and its key. Whoever has seen one can do all that is done here.

use sync_core::{
    authorship::SpaceKey,
    ids::{Hash, SpaceId},
};
use sync_runtime::Invite;

use crate::device::Device;

/// Version, space, key; addresses and a checksum follow.
const SPACE: std::ops::Range<usize> = 1..17;
const KEY: std::ops::Range<usize> = 17..49;

/// The secrets of a join code.
#[derive(Clone, Debug)]
pub struct JoinCode {
    /// The space.
    pub space: SpaceId,
    /// What all its members share.
    pub key: SpaceKey,
}

impl JoinCode {
    /// Reads the code that `member` gives away.
    pub fn of(member: &Device) -> Self {
        let bytes = base32(&member.invite().unwrap().to_string());
        let space = SpaceId::from_slice(bytes.get(SPACE).unwrap()).unwrap();
        Self { space, key: SpaceKey::from_slice(bytes.get(KEY).unwrap()).unwrap() }
    }

    /// A code for the same space with another key, and without addresses.
    pub fn with_key(&self, key: [u8; 32]) -> Invite {
        let mut bytes = vec![1];
        bytes.extend_from_slice(self.space.as_bytes());
        bytes.extend_from_slice(&key);
        let checksum = Hash::of(&bytes);
        bytes.extend_from_slice(checksum.0.get(..5).unwrap());
        letters(&bytes).parse().unwrap()
    }
}

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// RFC 4648 in lower case.
fn base32(text: &str) -> Vec<u8> {
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.chars().filter_map(|letter| ALPHABET.find(letter)) {
        held = (held << 5) | u32::try_from(letter).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits).to_le_bytes()[0]);
            held &= (1 << bits) - 1;
        }
    }
    out
}

fn letters(bytes: &[u8]) -> String {
    let bit = |n: usize| bytes.get(n / 8).is_some_and(|byte| byte >> (7 - n % 8) & 1 == 1);
    let five = |n: usize| (0..5).fold(0, |value, place| value << 1 | usize::from(bit(n * 5 + place)));
    (0..(bytes.len() * 8).div_ceil(5)).filter_map(|n| ALPHABET.chars().nth(five(n))).collect()
}
