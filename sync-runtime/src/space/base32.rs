//! Base32 (RFC 4648, lower case, without padding): what people can read aloud and paste anywhere.

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A text is not base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base32Error {
    /// A character that is not in the alphabet.
    Character(char),
    /// The last character says more than there is room for: something is cut off.
    Length,
}

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(&mut out, held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(&mut out, held << (5 - bits));
    }
    out
}

fn push(out: &mut String, value: u32) {
    out.extend(ALPHABET.get((value & 31) as usize).map(|c| char::from(*c)));
}

/// Reads it back. Case, white space and dashes do not matter.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Base32Error> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for c in text.chars().filter(|c| !c.is_ascii_whitespace() && *c != '-') {
        let value = match c.to_ascii_lowercase() {
            letter @ 'a'..='z' => u32::from(letter) - u32::from('a'),
            digit @ '2'..='7' => u32::from(digit) - u32::from('2') + 26,
            _ => return Err(Base32Error::Character(c)),
        };
        held = (held << 5) | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits).map_err(|_| Base32Error::Length)?);
            held &= (1 << bits) - 1;
        }
    }
    if bits >= 5 || held != 0 { Err(Base32Error::Length) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn any_text_ends(text: String) {
            if let Ok(bytes) = decode(&text) {
                let plain: String =
                    text.chars().filter(|c| !c.is_ascii_whitespace() && *c != '-').collect();
                prop_assert_eq!(encode(&bytes), plain.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn rfc_4648_examples() {
        for (plain, text) in [("", ""), ("f", "my"), ("foob", "mzxw6yq"), ("foobar", "mzxw6ytboi")] {
            assert_eq!(encode(plain.as_bytes()), text);
        }
        assert_eq!(decode("MZ-XW 6YQ"), Ok(b"foob".to_vec()));
        assert_eq!(decode("m1"), Err(Base32Error::Character('1')));
        assert_eq!(decode("mzx"), Err(Base32Error::Length));
    }
}
