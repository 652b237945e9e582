//! The messages and their bodies, encoded with postcard. The kind stands outside the body. Every list has a bound.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Opaque, RunPart, Signature, bounded};
use crate::{
    authorship::{PublicKey, SignedStatement},
    changeset::Name,
    ids::{Hash, Origin, PartitionId, Seq, SpaceId},
    vector::{Held, MAX_RANGES, SeqRange, VersionVector},
};

/// What a message is; the first byte inside the seal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Kind {
    /// [`Hello`].
    Hello = 1,
    /// One changeset of shared records.
    SharedChange = 2,
    /// Several of them, or a part of a large one.
    SharedChangeBatch = 3,
    /// One changeset with device-owned rows.
    StateChange = 4,
    /// Device-owned rows of a range.
    StateBatch = 5,
    /// A pull of shared changes.
    SharedChangeRequest = 6,
    /// Its answer.
    SharedChangeResponse = 7,
    /// A pull of state.
    StateRequest = 8,
    /// Its answer.
    StateResponse = 9,
    /// [`Ack`].
    Ack = 10,
    /// [`Heartbeat`].
    Heartbeat = 11,
    /// [`ErrorMessage`].
    Error = 12,
}

impl Kind {
    /// The kind with this number.
    pub const fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Hello,
            2 => Self::SharedChange,
            3 => Self::SharedChangeBatch,
            4 => Self::StateChange,
            5 => Self::StateBatch,
            6 => Self::SharedChangeRequest,
            7 => Self::SharedChangeResponse,
            8 => Self::StateRequest,
            9 => Self::StateResponse,
            10 => Self::Ack,
            11 => Self::Heartbeat,
            12 => Self::Error,
            _ => return None,
        })
    }
}

/// The versions of the message protocol that a device speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProtocolRange {
    /// Lowest.
    pub min: u8,
    /// Highest.
    pub max: u8,
}

impl ProtocolRange {
    /// What this program speaks.
    pub const OWN: Self = Self { min: 1, max: 1 };

    /// The highest version that both speak.
    pub fn common(self, other: Self) -> Option<u8> {
        let highest = self.max.min(other.max);
        (highest >= self.min.max(other.min)).then_some(highest)
    }
}

/// What a device can do, as bits; unknown ones are ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// Reads compressed (zstd) bodies.
    pub const ZSTD: Self = Self(1);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A model in a schema's dictionary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelEntry {
    /// Wire name.
    #[serde(deserialize_with = "bounded::name")]
    pub name: Name,
    /// Fingerprint of its fields and their kinds.
    pub fingerprint: [u8; 16],
}

/// What a device knows of the application's models.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Schema {
    /// Equal for equal sets of models.
    pub fingerprint: [u8; 16],
    /// The models.
    #[serde(deserialize_with = "bounded::list::<_, _, 4096>")]
    pub models: Vec<ModelEntry>,
}

/// What is held of one origin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VectorEntry {
    /// The origin.
    pub origin: Origin,
    /// All of 1 to this are held.
    pub head: Seq,
    /// Held beyond the head.
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_RANGES>")]
    pub ranges: Vec<SeqRange>,
    /// Hash of the header at the head, where the sender knows it; a fork shows here.
    pub hash: Option<Hash>,
}

impl VectorEntry {
    /// The entry for `held`.
    pub fn new(origin: Origin, held: &Held, hash: Option<Hash>) -> Self {
        Self { origin, head: held.head, ranges: held.ranges.clone(), hash }
    }

    /// The vector that has all of `entries`, or `None` when one is not canonical.
    pub fn to_vector(entries: &[Self]) -> Option<VersionVector> {
        let mut vector = VersionVector::new();
        for entry in entries {
            let mut above = entry.head.0;
            for range in &entry.ranges {
                if range.first.0 <= above.saturating_add(1) || range.last < range.first {
                    return None;
                }
                above = range.last.0;
            }
            if above == u64::MAX {
                return None;
            }
            let head = SeqRange { first: Seq(1), last: entry.head };
            for range in std::iter::once(head).chain(entry.ranges.iter().copied()) {
                vector.insert(entry.origin, range);
            }
        }
        Some(vector)
    }
}

/// What is held in one partition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartitionVector {
    /// The partition.
    pub partition: PartitionId,
    /// Per origin.
    #[serde(deserialize_with = "bounded::list::<_, _, 65536>")]
    pub entries: Vec<VectorEntry>,
}

/// The first message of each side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Versions that the sender speaks.
    pub protocol: ProtocolRange,
    /// The space.
    pub space: SpaceId,
    /// The sender.
    pub origin: Origin,
    /// The sender's device key; its hash is the device id.
    pub public_key: PublicKey,
    /// Over role, handshake hash, space and origin.
    pub signature: Signature,
    /// The sender's models.
    pub schema: Schema,
    /// What the sender can do.
    pub capabilities: Capabilities,
    /// What the sender holds.
    #[serde(deserialize_with = "bounded::list::<_, _, 4096>")]
    pub vectors: Vec<PartitionVector>,
}

/// A range that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WantedRange {
    /// Whose changesets.
    pub origin: Origin,
    /// Which.
    pub range: SeqRange,
    /// Hash of the header before the first, where the asker holds it; a fork shows here.
    pub previous: Option<Hash>,
}

/// Asks for ranges; any member may serve any origin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RangeRequest {
    /// Number of the request, chosen by the asker, ascending.
    pub request: u64,
    /// The partition.
    pub partition: PartitionId,
    /// What is wanted.
    #[serde(deserialize_with = "bounded::list::<_, _, 4096>")]
    pub ranges: Vec<WantedRange>,
    /// At most about this many bytes in the answer; the rest is asked for again.
    pub max_bytes: u32,
    /// From an earlier answer; not used yet.
    pub cursor: Option<Opaque>,
}

/// One message of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RangeResponse {
    /// The number that the asker chose.
    pub request: u64,
    /// A part of a run; none when there is nothing to serve.
    pub part: Option<RunPart>,
    /// Whether this answer ends here.
    pub last: bool,
    /// With `last`: the server holds more of what was asked.
    pub more: bool,
    /// To be named in the next request; not used yet.
    pub cursor: Option<Opaque>,
}

/// What became of the peer's transfers, and what members have stated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// Transfers of the peer that are done with, whatever became of them.
    #[serde(deserialize_with = "bounded::list::<_, _, 4096>")]
    pub done: Vec<u64>,
    /// Statements of known members, the sender's own among them, verbatim.
    #[serde(deserialize_with = "bounded::list::<_, _, 1024>")]
    pub statements: Vec<SignedStatement>,
}

/// Goes every 30 seconds, and once more with entries when the digests differ.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The partition.
    pub partition: PartitionId,
    /// Digest of the sender's vector.
    pub digest: [u8; 16],
    /// Whether this answers a heartbeat with another digest; only an answer has entries, and it has no answer.
    pub is_answer: bool,
    /// The entries of it that changed since the sender last told, or all when none did.
    #[serde(deserialize_with = "bounded::list::<_, _, 65536>")]
    pub entries: Vec<VectorEntry>,
}

/// Why something was refused, as a number on the wire; unknown ones survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The handshake did not open: another space key.
    WrongKey,
    /// The same key, but another space.
    WrongSpace,
    /// No protocol version in common.
    NoCommonProtocol,
    /// The peer is this very device.
    OwnDevice,
    /// A signature does not fit.
    BadSignature,
    /// Bytes that the protocol does not allow.
    Malformed,
    /// A bound was reached.
    Limit,
    /// An answer that nobody asked for.
    Unsolicited,
    /// Too many requests at once; ask again later.
    Busy,
    /// A run could not be stored here for now.
    IngestFailed,
    /// What was asked cannot be served for now.
    ServeFailed,
    /// Silence for too long.
    Timeout,
    /// The sender ends the session in good order.
    Goodbye,
    /// There is another session between the same two devices.
    Duplicate,
    /// A code of a later version.
    Unknown(u8),
}

impl ErrorCode {
    const KNOWN: [Self; 14] = [
        Self::WrongKey,
        Self::WrongSpace,
        Self::NoCommonProtocol,
        Self::OwnDevice,
        Self::BadSignature,
        Self::Malformed,
        Self::Limit,
        Self::Unsolicited,
        Self::Busy,
        Self::IngestFailed,
        Self::ServeFailed,
        Self::Timeout,
        Self::Goodbye,
        Self::Duplicate,
    ];

    /// Its number.
    pub const fn to_u8(self) -> u8 {
        match self {
            Self::WrongKey => 1,
            Self::WrongSpace => 2,
            Self::NoCommonProtocol => 3,
            Self::OwnDevice => 4,
            Self::BadSignature => 5,
            Self::Malformed => 6,
            Self::Limit => 7,
            Self::Unsolicited => 8,
            Self::Busy => 9,
            Self::IngestFailed => 10,
            Self::ServeFailed => 11,
            Self::Timeout => 12,
            Self::Goodbye => 13,
            Self::Duplicate => 14,
            Self::Unknown(number) => number,
        }
    }

    /// The code with this number.
    pub fn from_u8(number: u8) -> Self {
        Self::KNOWN.into_iter().find(|code| code.to_u8() == number).unwrap_or(Self::Unknown(number))
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.to_u8())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(Self::from_u8)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey => f.write_str("the space keys differ"),
            Self::WrongSpace => f.write_str("the spaces differ"),
            Self::NoCommonProtocol => f.write_str("no protocol version in common"),
            Self::OwnDevice => f.write_str("both ends are the same device"),
            Self::BadSignature => f.write_str("a signature does not fit"),
            Self::Malformed => f.write_str("malformed message"),
            Self::Limit => f.write_str("limit reached"),
            Self::Unsolicited => f.write_str("answer that nobody asked for"),
            Self::Busy => f.write_str("too many requests at once"),
            Self::IngestFailed => f.write_str("changes could not be stored for now"),
            Self::ServeFailed => f.write_str("changes could not be read for now"),
            Self::Timeout => f.write_str("silence for too long"),
            Self::Goodbye => f.write_str("goodbye"),
            Self::Duplicate => f.write_str("there is another session between these devices"),
            Self::Unknown(number) => write!(f, "error {number} of a later version"),
        }
    }
}

/// What an error is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum About {
    /// The session as a whole.
    Session,
    /// A message of this kind.
    Message(u8),
    /// A transfer of the peer.
    Transfer(u64),
    /// A request of the peer.
    Request(u64),
    /// A changeset.
    Changeset(Origin, Seq),
}

/// An error, typed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// Why.
    pub code: ErrorCode,
    /// About what.
    pub about: About,
    /// Whether the same may succeed later.
    pub retryable: bool,
    /// For people; shown, never interpreted.
    #[serde(deserialize_with = "bounded::text::<_, 256>")]
    pub detail: String,
}

/// Any message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// See [`Hello`].
    Hello(Box<Hello>),
    /// A part of a run; its kind follows from its content.
    Run(RunPart),
    /// A pull of shared changes.
    SharedChangeRequest(RangeRequest),
    /// Its answer.
    SharedChangeResponse(RangeResponse),
    /// A pull of state.
    StateRequest(RangeRequest),
    /// Its answer.
    StateResponse(RangeResponse),
    /// See [`Ack`].
    Ack(Ack),
    /// See [`Heartbeat`].
    Heartbeat(Heartbeat),
    /// See [`ErrorMessage`].
    Error(ErrorMessage),
}

/// A message body is not one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MessageError {
    /// It does not decode, exceeds a bound or has trailing bytes.
    #[error("malformed {0:?} message")]
    Malformed(Kind),
    /// A run part under the wrong kind.
    #[error("{0:?} message with the content of another kind")]
    WrongKind(Kind),
}

/// Bodies that are not runs are small; a larger one is refused before it is decoded.
const MAX_SMALL: usize = 4 << 20;

impl Message {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Run(part) => part.kind(),
            Self::SharedChangeRequest(_) => Kind::SharedChangeRequest,
            Self::SharedChangeResponse(_) => Kind::SharedChangeResponse,
            Self::StateRequest(_) => Kind::StateRequest,
            Self::StateResponse(_) => Kind::StateResponse,
            Self::Ack(_) => Kind::Ack,
            Self::Heartbeat(_) => Kind::Heartbeat,
            Self::Error(_) => Kind::Error,
        }
    }

    /// Its body.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = match self {
            Self::Hello(body) => postcard::to_stdvec(body),
            Self::Run(body) => postcard::to_stdvec(body),
            Self::SharedChangeRequest(body) | Self::StateRequest(body) => postcard::to_stdvec(body),
            Self::SharedChangeResponse(body) | Self::StateResponse(body) => postcard::to_stdvec(body),
            Self::Ack(body) => postcard::to_stdvec(body),
            Self::Heartbeat(body) => postcard::to_stdvec(body),
            Self::Error(body) => postcard::to_stdvec(body),
        };
        // Writing these plain types to a vector has no failure; an empty body would be refused by the peer.
        bytes.unwrap_or_default()
    }

    /// Reads the body of a message of this kind.
    pub fn decode(kind: Kind, body: &[u8]) -> Result<Self, MessageError> {
        let is_run = matches!(
            kind,
            Kind::SharedChange
                | Kind::SharedChangeBatch
                | Kind::StateChange
                | Kind::StateBatch
                | Kind::SharedChangeResponse
                | Kind::StateResponse
        );
        if !is_run && body.len() > MAX_SMALL {
            return Err(MessageError::Malformed(kind));
        }
        Ok(match kind {
            Kind::Hello => Self::Hello(Box::new(read(kind, body)?)),
            Kind::SharedChange | Kind::SharedChangeBatch | Kind::StateChange | Kind::StateBatch => {
                let part: RunPart = read(kind, body)?;
                if part.kind() != kind {
                    return Err(MessageError::WrongKind(kind));
                }
                Self::Run(part)
            }
            Kind::SharedChangeRequest => Self::SharedChangeRequest(read(kind, body)?),
            Kind::SharedChangeResponse => Self::SharedChangeResponse(read(kind, body)?),
            Kind::StateRequest => Self::StateRequest(read(kind, body)?),
            Kind::StateResponse => Self::StateResponse(read(kind, body)?),
            Kind::Ack => Self::Ack(read(kind, body)?),
            Kind::Heartbeat => Self::Heartbeat(read(kind, body)?),
            Kind::Error => Self::Error(read(kind, body)?),
        })
    }
}

fn read<'a, T: Deserialize<'a>>(kind: Kind, body: &'a [u8]) -> Result<T, MessageError> {
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        _ => Err(MessageError::Malformed(kind)),
    }
}
