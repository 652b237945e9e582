//! What the exchange needs of the engine.

use std::sync::Arc;

use sync_core::{
    authorship::{SignedStatement, Statement, VerifiedRun},
    ids::DeviceId,
    session::{LocalProfile, PeerInfo, ServeRequest, SessionError, SessionEvent},
    vector::VersionVector,
    wire::Run,
};
use tokio::sync::watch;

use crate::error::Error;

/// One partition of a space, as sessions see it.
pub(crate) trait Replica: Send + Sync + 'static {
    /// Who this device is; asked once for each session.
    fn profile(&self) -> LocalProfile;

    /// What is durable here. Each change wakes every session; only what is durable may show.
    fn vector(&self) -> watch::Receiver<Arc<VersionVector>>;

    /// Reads runs for a peer: for each range of `lacking`, in order, contiguous runs from its first sequence on, up to
    /// about `max_bytes` in all and at least one changeset. Leaving out the end is fine, a gap in the middle is not.
    /// Runs of about 1 MiB keep the window moving. No run at all means that nothing of it can be served.
    fn serve(&self, request: ServeRequest) -> impl Future<Output = Result<Vec<Run>, Error>> + Send;

    /// Stores a run: checks that it continues the chain held here, records refusals, merges, applies, credits. The
    /// same run may come any number of times and from several sessions at once. A retryable error is tried again with
    /// backoff, any other is reported and the run offered again by the peer later. Whoever waits may give up: what was
    /// begun is finished and told all the same.
    fn ingest(&self, run: Arc<VerifiedRun>) -> impl Future<Output = Result<Ingested, Error>> + Send;

    /// The newest statement of every known member, the own one first. The own one should be signed anew only when
    /// what it says has changed: each new one is sent.
    fn statements(&self) -> Vec<SignedStatement>;

    /// Statements that came in, checked; the newer of each member's is kept (`Statement::is_newer_than`).
    fn take_statements(&self, statements: Vec<(SignedStatement, Statement)>);

    /// Something happened; must not block.
    fn event(&self, event: ExchangeEvent);
}

/// What an ingest led to.
#[derive(Clone, Debug)]
pub(crate) struct Ingested {
    /// What is durable here now.
    pub(crate) vector: Arc<VersionVector>,
}

/// What the exchange tells.
#[derive(Debug)]
pub(crate) enum ExchangeEvent {
    /// A peer proved itself.
    PeerUp {
        /// Who.
        info: Box<PeerInfo>,
        /// Where, without secrets.
        address: String,
    },
    /// A session ended.
    PeerDown {
        /// Who, when it was known.
        device: Option<DeviceId>,
        /// Where, without secrets.
        address: String,
        /// Why.
        error: SessionError,
    },
    /// An address could not be dialled; it is tried again.
    DialFailed {
        /// Where, without secrets.
        address: String,
        /// Why.
        error: String,
    },
    /// A listener ended, or could not accept for now.
    ListenFailed {
        /// Where, without secrets.
        address: String,
        /// Why.
        error: String,
    },
    /// A session reports something.
    Session {
        /// Who, when it is known.
        device: Option<DeviceId>,
        /// What.
        event: SessionEvent,
    },
    /// A run could not be stored and is tried again.
    IngestRetried {
        /// From whom.
        device: Option<DeviceId>,
        /// Why.
        error: String,
    },
    /// A run could not be stored for now; it will be offered again.
    IngestFailed {
        /// From whom.
        device: Option<DeviceId>,
        /// Why.
        error: String,
    },
    /// A pull is over.
    #[cfg_attr(not(test), expect(dead_code, reason = "backfill will pull; nothing does yet"))]
    Pulled {
        /// The number that [`super::Exchange::pull`] returned.
        ticket: u64,
        /// Whether all that was wanted has come.
        complete: bool,
    },
    /// Too many links at once; one was turned away.
    TurnedAway {
        /// Whose, proves nothing.
        address: String,
    },
    /// A task panicked; the rest goes on.
    Panicked {
        /// Which.
        task: &'static str,
    },
}
