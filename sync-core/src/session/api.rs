//! What goes into a session and what comes out of it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    authorship::{DeviceKey, SignedStatement, SpaceKey, Statement, VerifiedRun},
    ids::{DeviceId, Hash, Origin, PartitionId, SpaceId},
    session::SessionError,
    vector::{SeqRange, VersionVector},
    wire::{Capabilities, ErrorMessage, ProtocolRange, Run, Schema},
};

/// Who this device is and what it knows when a session begins.
#[derive(Clone, Debug)]
pub struct LocalProfile {
    /// The space.
    pub space: SpaceId,
    /// The partition that is exchanged.
    pub partition: PartitionId,
    /// This device in its present incarnation.
    pub origin: Origin,
    /// Its signing key.
    pub key: Arc<DeviceKey>,
    /// What all members share.
    pub space_key: SpaceKey,
    /// The models it knows.
    pub schema: Schema,
    /// What it can do besides what a session adds itself.
    pub capabilities: Capabilities,
    /// Protocol versions it speaks.
    pub protocol: ProtocolRange,
    /// Hashes of the headers at the heads of its vector, where known: a fork shows when they are compared.
    pub heads: BTreeMap<Origin, Hash>,
}

/// A trouble of the engine that a session only has to know the outline of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Whether the same may succeed later.
    pub retryable: bool,
    /// One line for people; also told to the peer, so without secrets.
    pub detail: String,
}

/// What is wanted from a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PullRequest {
    /// Number that comes back in [`Output::Pulled`].
    pub ticket: u64,
    /// What is wanted.
    pub ranges: Vec<(Origin, SeqRange)>,
    /// Whether current state is wanted rather than the log.
    pub state: bool,
}

/// What happens to a session.
#[derive(Debug)]
pub enum Input {
    /// A frame came in.
    Frame(Vec<u8>),
    /// Time passed; due at [`super::Session::deadline`].
    Tick,
    /// More is durable here, by a local commit or from another peer.
    LocalAdvanced(Arc<VersionVector>),
    /// The answer to [`Output::Serve`] with this ticket.
    Served {
        /// From the question.
        ticket: u64,
        /// Runs in the order in which they shall go; may be less than what was asked for, the rest is asked again.
        reply: Result<Vec<Run>, Failure>,
    },
    /// What became of the run of [`Output::Ingest`] with this number.
    Ingested {
        /// From the output.
        transfer: u64,
        /// Stored (or refused for good, which counts as stored), or not. A failure is told to the peer, who offers
        /// again with the next heartbeats; who can retry himself does so before he answers.
        outcome: Result<(), Failure>,
        /// What is durable here now.
        vector: Arc<VersionVector>,
        /// The newest statement of every known member, the own one among them.
        statements: Vec<SignedStatement>,
    },
    /// The newest statement of every known member; what the peer was not told yet goes out.
    Statements(Vec<SignedStatement>),
    /// Something is wanted from the peer.
    Pull(PullRequest),
    /// The link is over.
    LinkClosed,
    /// The session shall end in good order, for this reason.
    Shutdown(SessionError),
}

/// For whom something is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServePurpose {
    /// The peer lacks it.
    Push,
    /// The peer asked for changes.
    Changes,
    /// The peer asked for current state.
    State,
}

/// What a session needs from the engine to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServeRequest {
    /// The partition.
    pub partition: PartitionId,
    /// What the peer lacks, by origin, ascending. The answer may leave out the end, but no sequence in between.
    pub lacking: Vec<(Origin, SeqRange)>,
    /// About how many bytes the answer may have; at least one changeset is answered however large it is.
    pub max_bytes: usize,
    /// Why.
    pub purpose: ServePurpose,
}

/// A peer that proved the space key and its own device key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerInfo {
    /// The device.
    pub device: DeviceId,
    /// In its present incarnation.
    pub origin: Origin,
    /// The protocol version that both use now.
    pub protocol: u8,
    /// The models it knows.
    pub schema: Schema,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Hashes of the headers at the heads of its vector, as far as told, with their sequence in the vector.
    pub heads: BTreeMap<Origin, Hash>,
    /// What it holds.
    pub vector: VersionVector,
}

/// Something that whoever watches wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionEvent {
    /// The peer is this very device in the same or another incarnation: a clone, or a loop.
    OwnDeviceSeen(Origin),
    /// The peer reported an error that does not end the session.
    PeerError(ErrorMessage),
    /// The engine could not serve; the session asks again later.
    ServeFailed(Failure),
    /// A run is too large to travel, or otherwise not one.
    Unsendable(String),
    /// The peer answered something that was not asked.
    Unsolicited,
    /// The vectors differed at a heartbeat; what the peer still lacks is offered again.
    Reoffered,
}

/// What a session wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this frame; in order.
    Send(Vec<u8>),
    /// Read runs and answer with [`Input::Served`].
    Serve {
        /// Comes back in the answer.
        ticket: u64,
        /// What is needed.
        request: ServeRequest,
    },
    /// Store a run and answer with [`Input::Ingested`]; in order.
    Ingest {
        /// Comes back in the answer.
        transfer: u64,
        /// What to store.
        run: Box<VerifiedRun>,
    },
    /// The peer proved itself; from here on data flows.
    PeerUp(Box<PeerInfo>),
    /// The peer is known to hold this much.
    PeerVector(Arc<VersionVector>),
    /// Checked statements of members, verbatim and decoded.
    Statements(Vec<(SignedStatement, Statement)>),
    /// A pull is over.
    Pulled {
        /// From the request.
        ticket: u64,
        /// Whether all that was wanted has come.
        complete: bool,
    },
    /// For whoever watches.
    Event(SessionEvent),
    /// The session is over; the last output. Frames before it should still be sent.
    Close(SessionError),
}
