//! Noise (revision 34, pattern NNpsk0 with Curve25519, ChaChaPoly and BLAKE2s) with the space key as pre-shared key.
//!
//! Randomness comes in as bytes: the ephemeral key is derived from the seed that the caller passes, nothing is asked
//! of the operating system. A frame spans as many records of at most 65,535 bytes as it needs; records carry no
//! length of their own, all but the last are full.

use std::cell::Cell;
use std::fmt;

use snow::{
    Builder, HandshakeState, TransportState,
    params::{CipherChoice, DHChoice, HashChoice, NoiseParams},
    resolvers::{CryptoResolver, DefaultResolver},
    types::{Cipher, Dh, Hash, Random},
};

use crate::authorship::SpaceKey;

/// Largest Noise record in bytes, its tag included.
pub const MAX_RECORD: usize = 65_535;
const TAG: usize = 16;
const MAX_PLAIN: usize = MAX_RECORD - TAG;
const PATTERN: &str = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";
const PROLOGUE: &[u8] = b"sync-kit link 1";
/// An ephemeral public key and the tag of an empty payload.
const HANDSHAKE_MESSAGE: usize = 32 + TAG;

/// Who began.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    /// The side that dialled.
    Initiator,
    /// The side that listened.
    Responder,
}

impl Role {
    /// The other side's.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// A seal cannot be made or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealError {
    /// The handshake does not fit: the peer has another space key.
    #[error("the peer does not have this space's key")]
    Key,
    /// A handshake message that has not the right form.
    #[error("malformed handshake")]
    Handshake,
    /// A record was altered, repeated, reordered or is not one.
    #[error("sealed record was altered, repeated or reordered")]
    Record,
    /// The cipher could not be set up.
    #[error("the cipher could not be set up")]
    Setup,
}

/// Randomness drawn from a seed: BLAKE3 in extended output mode.
struct SeededRandom(blake3::OutputReader);

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill(dest);
        Ok(())
    }
}

struct SeededResolver {
    seed: [u8; 32],
    drawn: Cell<u64>,
}

impl CryptoResolver for SeededResolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        let number = self.drawn.get();
        self.drawn.set(number + 1);
        let mut hasher = blake3::Hasher::new_derive_key("sync-kit 2026 noise ephemeral keys");
        hasher.update(&self.seed);
        hasher.update(&number.to_le_bytes());
        Some(Box::new(SeededRandom(hasher.finalize_xof())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// A handshake under way.
pub struct Handshake {
    state: HandshakeState,
}

impl Handshake {
    /// Begins. `seed` must be fresh randomness for each handshake.
    pub fn new(role: Role, key: &SpaceKey, seed: [u8; 32]) -> Result<Self, SealError> {
        let params: NoiseParams = PATTERN.parse().map_err(|_| SealError::Setup)?;
        let resolver = SeededResolver { seed, drawn: Cell::new(0) };
        let builder = Builder::with_resolver(params, Box::new(resolver));
        let builder = builder.psk(0, key.as_bytes()).map_err(|_| SealError::Setup)?;
        let builder = builder.prologue(PROLOGUE).map_err(|_| SealError::Setup)?;
        let state = match role {
            Role::Initiator => builder.build_initiator(),
            Role::Responder => builder.build_responder(),
        };
        state.map(|state| Self { state }).map_err(|_| SealError::Setup)
    }

    /// The next message to the peer.
    pub fn write(&mut self) -> Result<Vec<u8>, SealError> {
        let mut out = vec![0; HANDSHAKE_MESSAGE];
        let length = self.state.write_message(&[], &mut out).map_err(|_| SealError::Handshake)?;
        out.truncate(length);
        Ok(out)
    }

    /// Takes the peer's message. A message of the right form that does not open means another key.
    pub fn read(&mut self, message: &[u8]) -> Result<(), SealError> {
        if message.len() != HANDSHAKE_MESSAGE || self.state.is_my_turn() {
            return Err(SealError::Handshake);
        }
        let mut payload = [0; HANDSHAKE_MESSAGE];
        self.state.read_message(message, &mut payload).map(|_| ()).map_err(|_| SealError::Key)
    }

    /// Whether both messages went.
    pub fn is_finished(&self) -> bool {
        self.state.is_handshake_finished()
    }

    /// The channel that both sides agreed on.
    pub fn finish(self) -> Result<Channel, SealError> {
        let mut hash = [0; 32];
        let own = self.state.get_handshake_hash();
        hash.copy_from_slice(own.get(..32).ok_or(SealError::Setup)?);
        let state = self.state.into_transport_mode().map_err(|_| SealError::Handshake)?;
        Ok(Channel { state, hash })
    }
}

/// Seals and opens the frames of one session, each once and in order.
pub struct Channel {
    state: TransportState,
    hash: [u8; 32],
}

impl Channel {
    /// What both sides of this session share and no other session has; what devices sign in their Hello.
    pub const fn handshake_hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Seals `plain` into records.
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let records = plain.len().div_ceil(MAX_PLAIN).max(1);
        let mut out = vec![0; plain.len() + records * TAG];
        let mut rest = out.as_mut_slice();
        let mut chunks = plain.chunks(MAX_PLAIN);
        for _ in 0..records {
            let chunk = chunks.next().unwrap_or_default();
            let (record, after) = rest.split_at_mut_checked(chunk.len() + TAG).ok_or(SealError::Record)?;
            self.state.write_message(chunk, record).map_err(|_| SealError::Record)?;
            rest = after;
        }
        Ok(out)
    }

    /// Opens what the peer sealed; any fault ends the channel, since the counters no longer agree.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut out = vec![0; sealed.len()];
        let mut length = 0;
        if sealed.is_empty() {
            return Err(SealError::Record);
        }
        for record in sealed.chunks(MAX_RECORD) {
            let into = out.get_mut(length..).ok_or(SealError::Record)?;
            length += self.state.read_message(record, into).map_err(|_| SealError::Record)?;
        }
        out.truncate(length);
        Ok(out)
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake")
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}
