//! Identifiers: fixed length, opaque, ordered by their bytes. They never come from a clock or a counter here;
//! whoever makes one passes the randomness or the key in.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id with these bytes, or `None` when there are not exactly 16.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            /// Reads 32 hexadecimal digits; dashes, as in a UUID, are skipped.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hex16(text).map(Self)
            }
        }
    };
}

/// A text is not the hexadecimal form of a 16-byte id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 32 hexadecimal digits expected")]
pub struct InvalidId;

fn parse_hex16(text: &str) -> Result<[u8; 16], InvalidId> {
    let mut out = [0_u8; 16];
    let mut digits = text.chars().filter(|c| *c != '-');
    for byte in &mut out {
        let high = digits.next().and_then(|c| c.to_digit(16)).ok_or(InvalidId)?;
        let low = digits.next().and_then(|c| c.to_digit(16)).ok_or(InvalidId)?;
        *byte = u8::try_from(high * 16 + low).map_err(|_| InvalidId)?;
    }
    if digits.next().is_some() { Err(InvalidId) } else { Ok(out) }
}

id16! {
    /// A device: the first 16 bytes of BLAKE3 of its Ed25519 public key.
    DeviceId
}
id16! {
    /// The data that syncs as a whole.
    SpaceId
}
id16! {
    /// A part of a space that loads and syncs on its own.
    PartitionId
}
id16! {
    /// A record, the same on every device.
    RecordId
}

impl PartitionId {
    /// The partition that every space has.
    pub const ROOT: Self = Self::from_bytes([0; 16]);
}

impl DeviceId {
    /// The device whose Ed25519 public key this is.
    pub fn of_public_key(key: &[u8; 32]) -> Self {
        let mut id = [0_u8; 16];
        id.copy_from_slice(blake3::hash(key).as_bytes().split_at(16).0);
        Self(id)
    }
}

/// The fixed namespace of the project for derived record ids.
const DERIVED_NAMESPACE: uuid::Uuid = uuid::Uuid::from_bytes([
    0x5d, 0x1e, 0x0c, 0x9a, 0x47, 0x3b, 0x4f, 0x68, 0x9b, 0x21, 0xc6, 0x0f, 0x8e, 0x52, 0xd7, 0x13,
]);

impl RecordId {
    /// The id that a model's natural key or parents give (UUIDv5, RFC 9562 section 5.5): over the wire name of
    /// the model and the canonical bytes of the values in declared order.
    pub fn derived<'a>(model: &str, values: impl IntoIterator<Item = &'a crate::value::Value>) -> Self {
        let mut bytes = Vec::with_capacity(64);
        for value in values {
            value.canonical(&mut bytes);
        }
        let namespace = uuid::Uuid::new_v5(&DERIVED_NAMESPACE, model.as_bytes());
        Self(*uuid::Uuid::new_v5(&namespace, &bytes).as_bytes())
    }
}

/// One life of a device's sequence counter: a restored backup or a cloned device draws a new one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Incarnation(pub u32);

/// Who numbers changesets: a device in one incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The device.
    pub device: DeviceId,
    /// Its incarnation.
    pub incarnation: Incarnation,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:08x}", self.device, self.incarnation.0)
    }
}

/// Number of a changeset of an origin in a partition: from 1, without gaps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first changeset.
    pub const ZERO: Self = Self(0);

    /// The following one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of nothing at all: stands before an origin's first header and for an empty body.
    pub const NONE: Self = Self([0; 32]);

    /// BLAKE3 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
