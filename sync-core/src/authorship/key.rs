//! Keys, and what is signed with them. Secrets are wiped when dropped and never shown.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::{
    ids::{DeviceId, Origin, SpaceId},
    wire::{Role, Signature},
};

/// A key has not the right form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a key: 32 bytes expected")]
pub struct InvalidKey;

/// The secret that all members of a space share; pre-shared key of every link.
#[derive(Clone, PartialEq, Eq)]
pub struct SpaceKey([u8; 32]);

impl Drop for SpaceKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl SpaceKey {
    /// The key with these bytes; drawn at random by whoever creates the space.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key with these bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidKey)
    }

    /// Its bytes, for the device folder and join codes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SpaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpaceKey(hidden)")
    }
}

/// A device's Ed25519 public key (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The device that has this key.
    pub fn device(&self) -> DeviceId {
        DeviceId::of_public_key(&self.0)
    }

    /// Whether `signature` over `message` was made with this key; weak keys never sign anything.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
        })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey of {}", self.device())
    }
}

/// A device's signing key. Cheap to share behind an `Arc`; its secret is wiped when dropped.
pub struct DeviceKey {
    secret: SigningKey,
    public: PublicKey,
}

impl DeviceKey {
    /// The key that grows from 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let public = PublicKey(secret.verifying_key().to_bytes());
        Self { secret, public }
    }

    /// The 32 bytes that it grew from, for the device folder.
    pub fn seed(&self) -> &[u8; 32] {
        self.secret.as_bytes()
    }

    /// The public half.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The device that has this key.
    pub fn device(&self) -> DeviceId {
        self.public.device()
    }

    /// Signs `message`, which begins with a domain tag.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.secret.sign(message).to_bytes())
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey of {}", self.device())
    }
}

const HELLO_DOMAIN: &[u8] = b"sync-kit hello 1\0";

fn hello_message(role: Role, handshake: &[u8; 32], space: &SpaceId, origin: &Origin) -> Vec<u8> {
    let mut out = Vec::with_capacity(HELLO_DOMAIN.len() + 69);
    out.extend_from_slice(HELLO_DOMAIN);
    // The role keeps a peer from sending our own signature back to us.
    out.push(match role {
        Role::Initiator => 1,
        Role::Responder => 2,
    });
    out.extend_from_slice(handshake);
    out.extend_from_slice(space.as_bytes());
    origin_bytes(&mut out, origin);
    out
}

/// Appends an origin in the form that is signed.
pub(super) fn origin_bytes(out: &mut Vec<u8>, origin: &Origin) {
    out.extend_from_slice(origin.device.as_bytes());
    out.extend_from_slice(&origin.incarnation.0.to_be_bytes());
}

/// Ties the device key to this very session.
pub(crate) fn sign_hello(
    key: &DeviceKey,
    role: Role,
    handshake: &[u8; 32],
    space: &SpaceId,
    origin: &Origin,
) -> Signature {
    key.sign(&hello_message(role, handshake, space, origin))
}

/// Whether the holder of `key` signed this very session as `origin`.
pub(crate) fn verify_hello(
    key: &PublicKey,
    signature: &Signature,
    role: Role,
    handshake: &[u8; 32],
    space: &SpaceId,
    origin: &Origin,
) -> bool {
    key.device() == origin.device && key.verify(&hello_message(role, handshake, space, origin), signature)
}
