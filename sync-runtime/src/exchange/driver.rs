//! One session over one link: inputs from the link, the engine and the clock; outputs to the link and the engine.

use std::{
    collections::VecDeque, future::pending, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration,
};

use futures_util::{
    FutureExt,
    future::{Either, select},
};
use sync_core::{
    authorship::VerifiedRun,
    hlc::Millis,
    ids::DeviceId,
    session::{Failure, Input, Output, PullRequest, Session, SessionError},
    vector::VersionVector,
    wire::{Role, Run},
};
use sync_plugin::{
    Backoff, BoxFuture, BoxLink, BoxReceiver, BoxSender, Context, Link, LinkReceiver, LinkSender,
};
use tokio::sync::{mpsc, watch};

use super::{
    ExchangeEvent, Ingested, Replica,
    compress::Zstd,
    status::{PeerState, Status},
    supervisor::Shared,
};
use crate::error::Error;

/// Frames that wait for the link. The window bounds their bytes; this bounds what a peer that never reads can pile up.
const OUTBOX: usize = 16_384;
/// How long the last frames of a session may take.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
/// How often a run that could not be stored is tried before its sender is told.
const INGEST_ATTEMPTS: u32 = 5;

/// What others want of a running session.
pub(super) enum Command {
    /// An end in good order.
    Close(SessionError),
    /// Something from this peer.
    Pull(PullRequest),
}

/// Runs a session to its end.
pub(super) async fn drive<R: Replica>(
    shared: Arc<Shared<R>>,
    id: u64,
    status: Arc<Status>,
    link: BoxLink,
    role: Role,
    commands: mpsc::Receiver<Command>,
) -> SessionError {
    let (sender, receiver) = link.split();
    let (outbox, frames) = mpsc::channel(OUTBOX);
    let context = shared.context.clone();
    let mut vector = shared.replica.vector();
    let local = Arc::clone(&vector.borrow_and_update());
    let mut seed = [0; 32];
    context.fill_random(&mut seed);
    let profile = Arc::new(shared.replica.profile());
    let (session, first) =
        Session::open(profile, role, seed, Box::new(Zstd::default()), local, now(&context));
    let talk = Conversation {
        shared,
        id,
        status: Arc::clone(&status),
        role,
        session,
        receiver,
        outbox,
        vector,
        commands,
        serve: None,
        ingest: None,
        ingests: VecDeque::new(),
        queued: VecDeque::new(),
        alarm: None,
        device: None,
        closed: None,
    };
    let mut writer = pin!(write(sender, frames, status));
    match select(pin!(talk.run(first)), &mut writer).await {
        Either::Left(((error, mut receiver), _)) => {
            // ORDER: what the session said last leaves, this direction ends, the peer ends his, then the link is
            // dropped: dropping it earlier would cut off the last frames. A peer that takes none of it is cut.
            let farewell = async {
                writer.await;
                while let Ok(Some(_)) = receiver.receive().await {}
            };
            if context.deadline(FLUSH_LIMIT, "close", farewell).await.is_err() {
                tracing::debug!("a link did not end in good order");
            }
            error
        }
        Either::Right(((), _)) => SessionError::LinkClosed,
    }
}

/// Hands frames to the link until there are no more, then ends its direction.
async fn write(mut sender: BoxSender, mut frames: mpsc::Receiver<Vec<u8>>, status: Arc<Status>) {
    while let Some(frame) = frames.recv().await {
        let bytes = frame.len();
        if let Err(error) = sender.send(frame).await {
            status.known().last_error = Some(error.to_string());
            return;
        }
        status.sent(bytes);
    }
    if let Err(error) = sender.close().await {
        tracing::debug!(%error, "a link ended before it was closed");
    }
}

fn now(context: &Context) -> Millis {
    Millis(u64::try_from(context.now().monotonic.as_millis()).unwrap_or(u64::MAX))
}

/// What a run led to.
type Outcome = (u64, Result<(), Failure>, Arc<VersionVector>);
/// What was read for the peer.
type Answer = (u64, Result<Vec<Run>, Failure>);

struct Conversation<R: Replica> {
    shared: Arc<Shared<R>>,
    id: u64,
    status: Arc<Status>,
    role: Role,
    session: Session,
    receiver: BoxReceiver,
    outbox: mpsc::Sender<Vec<u8>>,
    vector: watch::Receiver<Arc<VersionVector>>,
    commands: mpsc::Receiver<Command>,
    serve: Option<BoxFuture<'static, Answer>>,
    ingest: Option<BoxFuture<'static, Outcome>>,
    ingests: VecDeque<(u64, Box<VerifiedRun>)>,
    queued: VecDeque<Input>,
    alarm: Option<(Millis, BoxFuture<'static, ()>)>,
    device: Option<DeviceId>,
    closed: Option<SessionError>,
}

/// The result of the future in `slot`, which is empty then; nothing while there is none.
async fn finished<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    let Some(future) = slot else { return pending().await };
    let result = future.await;
    *slot = None;
    result
}

async fn rung(alarm: &mut Option<(Millis, BoxFuture<'static, ()>)>) {
    let Some((_, sleep)) = alarm else { return pending().await };
    sleep.await;
    *alarm = None;
}

impl<R: Replica> Conversation<R> {
    /// Runs to the end; gives back the receiver, which must outlive the last frames.
    async fn run(mut self, first: Vec<Output>) -> (SessionError, BoxReceiver) {
        self.perform(first);
        loop {
            if let Some(error) = self.closed.take() {
                return (error, self.receiver);
            }
            let input = match self.queued.pop_front() {
                Some(input) => input,
                None => self.next().await,
            };
            let out = self.session.step(now(&self.shared.context), input);
            self.perform(out);
            self.status.in_flight(self.session.in_flight());
        }
    }

    /// Waits for whatever comes first.
    async fn next(&mut self) -> Input {
        self.set_alarm();
        tokio::select! {
            frame = self.receiver.receive() => match frame {
                Ok(Some(frame)) => {
                    self.status.received(frame.len());
                    Input::Frame(frame)
                }
                Ok(None) => Input::LinkClosed,
                Err(error) => {
                    self.status.known().last_error = Some(error.to_string());
                    Input::LinkClosed
                }
            },
            changed = self.vector.changed() => match changed {
                Ok(()) => Input::LocalAdvanced(Arc::clone(&self.vector.borrow_and_update())),
                Err(_) => Input::Shutdown(SessionError::Closed),
            },
            (ticket, reply) = finished(&mut self.serve) => Input::Served { ticket, reply },
            (transfer, outcome, vector) = finished(&mut self.ingest) => {
                self.start_ingest();
                let statements = self.shared.replica.statements();
                Input::Ingested { transfer, outcome, vector, statements }
            }
            Some(command) = self.commands.recv() => match command {
                Command::Close(reason) => Input::Shutdown(reason),
                Command::Pull(request) => Input::Pull(request),
            },
            () = rung(&mut self.alarm) => {
                if self.device.is_some() {
                    self.queued.push_back(Input::Statements(self.shared.replica.statements()));
                }
                Input::Tick
            }
        }
    }

    /// Sleeps no longer than until the session's deadline. One that moved away leaves the alarm as it is: it rings
    /// once for nothing, which is cheaper than a new one for every frame.
    fn set_alarm(&mut self) {
        let due = self.session.deadline();
        if self.alarm.as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        let wait = due.0.saturating_sub(now(&self.shared.context).0);
        self.alarm = Some((due, self.shared.context.sleep(Duration::from_millis(wait.min(3_600_000)))));
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(frame) => {
                    if self.outbox.try_send(frame).is_err() && self.closed.is_none() {
                        self.closed = Some(SessionError::Limit("frames that wait for it to read"));
                    }
                }
                Output::Serve { ticket, request } => {
                    let replica = Arc::clone(&self.shared.replica);
                    self.serve = Some(Box::pin(async move {
                        (ticket, replica.serve(request).await.map_err(|error| failure(&error)))
                    }));
                }
                Output::Ingest { transfer, run } => {
                    self.ingests.push_back((transfer, run));
                    self.start_ingest();
                }
                Output::PeerUp(info) => {
                    self.device = Some(info.device);
                    let address = {
                        let mut known = self.status.known();
                        known.device = Some(info.device);
                        known.state = PeerState::Live;
                        known.last_error = None;
                        known.vector = Arc::new(info.vector.clone());
                        known.address.clone()
                    };
                    self.queued.push_back(Input::Statements(self.shared.replica.statements()));
                    self.shared.peer_up(self.id, self.role, info.device);
                    self.shared.replica.event(ExchangeEvent::PeerUp { info, address });
                }
                Output::PeerVector(vector) => self.status.known().vector = vector,
                Output::Statements(statements) => self.shared.replica.take_statements(statements),
                Output::Pulled { ticket, complete } => {
                    self.shared.replica.event(ExchangeEvent::Pulled { ticket, complete });
                }
                Output::Event(event) => {
                    self.shared.replica.event(ExchangeEvent::Session { device: self.device, event });
                }
                Output::Close(error) => self.closed = Some(error),
            }
        }
    }

    /// Stores the next run that waits, one at a time and in order.
    fn start_ingest(&mut self) {
        if self.ingest.is_some() {
            return;
        }
        let Some((transfer, run)) = self.ingests.pop_front() else { return };
        let run = Arc::new(*run);
        let (shared, device) = (Arc::clone(&self.shared), self.device);
        let before = Arc::clone(&self.vector.borrow());
        self.ingest = Some(Box::pin(async move {
            match store(&shared, device, &run).await {
                Ok(Ingested { vector }) => (transfer, Ok(()), vector),
                Err(failure) => (transfer, Err(failure), before),
            }
        }));
    }
}

fn failure(error: &Error) -> Failure {
    Failure { retryable: error.is_retryable(), detail: format!("{:?}", error.kind()).to_lowercase() }
}

/// Stores a run, trying again what may succeed later. A panic is this run's alone.
async fn store<R: Replica>(
    shared: &Shared<R>,
    device: Option<DeviceId>,
    run: &Arc<VerifiedRun>,
) -> Result<Ingested, Failure> {
    let mut backoff = Backoff::new();
    loop {
        let attempt = AssertUnwindSafe(shared.replica.ingest(Arc::clone(run))).catch_unwind().await;
        let error = match attempt {
            Ok(Ok(ingested)) => return Ok(ingested),
            Ok(Err(error)) => error,
            Err(_) => {
                shared.replica.event(ExchangeEvent::Panicked { task: "ingest" });
                return Err(Failure { retryable: true, detail: "panic".to_owned() });
            }
        };
        let text = error.to_string();
        if !error.is_retryable() || backoff.attempts() >= INGEST_ATTEMPTS {
            shared.replica.event(ExchangeEvent::IngestFailed { device, error: text });
            return Err(failure(&error));
        }
        shared.replica.event(ExchangeEvent::IngestRetried { device, error: text });
        shared.context.sleep(backoff.next_delay(shared.context.random_u64())).await;
    }
}
