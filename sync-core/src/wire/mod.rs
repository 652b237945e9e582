//! What travels between two sessions: link frames, the seal around them, and the messages inside.
//!
//! Nothing here knows sessions, databases or transports. Everything that is read comes from a peer that may be
//! hostile: every count, length and ratio is checked before anything of that size is reserved.

mod assemble;
mod bounded;
mod compression;
mod frame;
mod message;
mod opaque;
mod run;
mod seal;

pub use assemble::{Accepted, AssembleError, MAX_RUN_BYTES, RunAssembler};
pub use compression::{Compression, CompressionError, NoCompression};
pub use frame::{
    Envelope, FrameError, FrameKind, MAX_DECOMPRESSED, MAX_FRAME, MAX_MESSAGE, MAX_RATIO, decode_frame,
    decode_inner, encode_frame, encode_inner,
};
pub use message::{
    About, Ack, Capabilities, ErrorCode, ErrorMessage, Heartbeat, Hello, Kind, Message, MessageError,
    ModelEntry, PartitionVector, ProtocolRange, RangeRequest, RangeResponse, Schema, VectorEntry,
    WantedRange,
};
pub use opaque::{Opaque, Signature};
pub use run::{BodyPart, HeadProof, Run, RunPart, SplitError, WireChangeset, WireShared, split_run};
pub use seal::{Channel, Handshake, MAX_RECORD, Role, SealError};
