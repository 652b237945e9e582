//! The join code: all that another device needs to become a member. It holds the space's key, so it is a secret.

use std::{fmt, str::FromStr};

use sync_core::{authorship::SpaceKey, ids::SpaceId};
use sync_plugin::Url;

use super::base32::{self, Base32Error};
use crate::{Error, ErrorKind};

/// Form of the code.
const VERSION: u8 = 1;
/// Bytes of BLAKE3 at the end.
const CHECKSUM: usize = 5;
/// Most addresses in a code.
pub(super) const MAX_ADDRESSES: usize = 8;
/// Longest text that is read, in bytes.
const MAX_TEXT: usize = 8192;

/// A join code: where the space is, which one it is, and its key. `Display` writes the code and `FromStr` reads it;
/// `Debug` hides the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    addresses: Vec<Url>,
    space: SpaceId,
    key: SpaceKey,
}

/// Why a text is not a join code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// A character that no code has.
    #[error("not a join code: {0:?} is in none")]
    Character(char),
    /// Something is missing, or too much.
    #[error("not a join code: it is cut off or too long; copy all of it")]
    Length,
    /// It was changed on the way.
    #[error("not a join code: its checksum is wrong; copy it again")]
    Checksum,
    /// Made by a later version.
    #[error("the join code has form {0}; this version reads form 1, update the program")]
    Version(u8),
    /// An address in it is none.
    #[error("the join code holds an address that is none: {0}")]
    Address(String),
}

impl Invite {
    pub(super) fn new(addresses: Vec<Url>, space: SpaceId, key: SpaceKey) -> Self {
        Self { addresses: addresses.into_iter().take(MAX_ADDRESSES).collect(), space, key }
    }

    /// Where the device that made it can be reached; none when it does not listen.
    pub fn addresses(&self) -> &[Url] {
        &self.addresses
    }

    /// The space.
    pub fn space(&self) -> SpaceId {
        self.space
    }

    pub(super) fn key(&self) -> &SpaceKey {
        &self.key
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite")
            .field("addresses", &self.addresses)
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.space.as_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        for address in &self.addresses {
            let text = address.expose();
            bytes.extend_from_slice(&u16::try_from(text.len()).map_err(|_| fmt::Error)?.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        let sum = blake3::hash(&bytes);
        bytes.extend(sum.as_bytes().iter().take(CHECKSUM));
        f.write_str(&base32::encode(&bytes))
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        if text.len() > MAX_TEXT {
            return Err(InviteError::Length);
        }
        let bytes = base32::decode(text).map_err(|error| match error {
            Base32Error::Character(c) => InviteError::Character(c),
            Base32Error::Length => InviteError::Length,
        })?;
        let content = bytes.len().checked_sub(CHECKSUM).ok_or(InviteError::Length)?;
        let (content, sum) = bytes.split_at(content);
        if !blake3::hash(content).as_bytes().starts_with(sum) {
            return Err(InviteError::Checksum);
        }
        let (version, rest) = content.split_first().ok_or(InviteError::Length)?;
        if *version != VERSION {
            return Err(InviteError::Version(*version));
        }
        let (space, rest) = rest.split_first_chunk::<16>().ok_or(InviteError::Length)?;
        let (key, rest) = rest.split_first_chunk::<32>().ok_or(InviteError::Length)?;
        let addresses = read_addresses(rest)?;
        Ok(Self { addresses, space: SpaceId::from_bytes(*space), key: SpaceKey::from_bytes(*key) })
    }
}

fn read_addresses(mut rest: &[u8]) -> Result<Vec<Url>, InviteError> {
    let mut addresses = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(InviteError::Length)?;
        let (text, after) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(InviteError::Length)?;
        let text = std::str::from_utf8(text).map_err(|_| InviteError::Address("not text".to_owned()))?;
        addresses.push(Url::parse(text).map_err(|error| InviteError::Address(error.to_string()))?);
        if addresses.len() > MAX_ADDRESSES {
            return Err(InviteError::Length);
        }
        rest = after;
    }
    Ok(addresses)
}

impl From<InviteError> for Error {
    fn from(error: InviteError) -> Self {
        Self::new(ErrorKind::Configuration, "read join code", error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn invite(addresses: &[&str]) -> Invite {
        let addresses = addresses.iter().filter_map(|text| Url::parse(text).ok()).collect();
        Invite::new(addresses, SpaceId::from_bytes([7; 16]), SpaceKey::from_bytes([9; 32]))
    }

    #[test]
    fn code_is_read_back_and_hides_its_key() {
        for addresses in
            [&[][..], &["ws://127.0.0.1:4000"], &["memory://a?window=9", "ws://[::1]:1/x?token=t"]]
        {
            let invite = invite(addresses);
            assert_eq!(invite.addresses().len(), addresses.len());
            let code = invite.to_string();
            assert_eq!(code.parse(), Ok(invite.clone()));
            assert_eq!(code.to_uppercase().parse(), Ok(invite.clone()));
            let shown = format!("{invite:?}");
            assert!(
                !shown.contains("9, 9") && !shown.contains("0909") && !shown.contains("token=t"),
                "{shown}"
            );
        }
    }

    #[test]
    fn form_of_the_code_does_not_change() {
        let code = invite(&["ws://h:1"]).to_string();
        assert_eq!(code.len(), 103);
        let bytes = base32::decode(&code).unwrap_or_default();
        assert!(bytes.starts_with(&[1, 7, 7]), "version, space");
        assert_eq!(bytes.get(17..49), Some(&[9; 32][..]));
        assert_eq!(bytes.get(49..59), Some(&b"\0\x08ws://h:1"[..]));
    }

    proptest! {
        #[test]
        fn a_changed_code_is_refused(at in 0_usize..103, letter in "[a-z2-7]") {
            let code = invite(&["ws://h:1"]).to_string();
            let mut changed = code.clone();
            changed.replace_range(at..=at, &letter);
            prop_assert_eq!(changed.parse::<Invite>().is_ok(), changed == code);
        }

        #[test]
        fn any_text_is_an_invite_or_a_typed_error(text in "\\PC{0,200}") {
            prop_assert!(text.parse::<Invite>().is_err());
        }
    }

    #[test]
    fn each_mistake_has_its_error() {
        let code = invite(&[]).to_string();
        assert_eq!("no code!".parse::<Invite>(), Err(InviteError::Character('!')));
        assert_eq!("".parse::<Invite>(), Err(InviteError::Length));
        assert_eq!("a".repeat(MAX_TEXT + 1).parse::<Invite>(), Err(InviteError::Length));
        for length in 1..code.len() {
            let cut: String = code.chars().take(length).collect();
            assert!(
                matches!(cut.parse::<Invite>(), Err(InviteError::Length | InviteError::Checksum)),
                "{length}"
            );
        }
        let mut newer = vec![2];
        newer.extend_from_slice(blake3::hash(&[2]).as_bytes().split_at(CHECKSUM).0);
        assert_eq!(base32::encode(&newer).parse::<Invite>(), Err(InviteError::Version(2)));
        assert_eq!(Error::from(InviteError::Checksum).kind(), ErrorKind::Configuration);
    }
}
