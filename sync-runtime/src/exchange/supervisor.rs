//! Owns every task of the exchange: dialers, listeners, sessions. Dropping it stops them all.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use sync_core::{
    ids::{DeviceId, Origin},
    session::{PullRequest, SessionError},
    vector::SeqRange,
    wire::{ErrorCode, ErrorMessage, MAX_FRAME, Role},
};
use sync_plugin::{BoxLink, Context, Listener, Registry, SharedTransport, TaskHandle, Url};
use tokio::sync::{Notify, mpsc};

use super::{
    ExchangeEvent, PeerStatus, Replica, dialer,
    driver::{Command, drive},
    listener,
    status::{PeerState, Status},
};
use crate::error::{Error, ErrorKind, Result};

/// Commands that wait for a session.
const COMMANDS: usize = 32;
/// How long sessions may take to say goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// The exchange of one replica with its peers.
pub(crate) struct Exchange<R: Replica> {
    shared: Arc<Shared<R>>,
}

/// What all tasks of an exchange know.
pub(super) struct Shared<R: Replica> {
    pub(super) replica: Arc<R>,
    pub(super) context: Context,
    registry: Registry,
    state: Mutex<State>,
    /// Whenever a session begins to be live or ends.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    next_pull: u64,
    sessions: BTreeMap<u64, SessionSlot>,
    dialers: BTreeMap<String, (Arc<Status>, TaskHandle)>,
    listeners: BTreeMap<String, TaskHandle>,
}

/// A running session.
struct SessionSlot {
    status: Arc<Status>,
    commands: mpsc::Sender<Command>,
    role: Role,
    device: Option<DeviceId>,
    /// Of an accepted link; a dialled one runs in its dialer's task.
    task: Option<TaskHandle>,
}

impl<R: Replica> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is a single insertion or removal, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transport for `url`, if it carries whole frames.
    fn transport(&self, operation: &'static str, url: &Url) -> Result<SharedTransport> {
        let transport = self.registry.transport(url).map_err(|error| {
            Error::new(ErrorKind::Configuration, operation, error.to_string()).with_source(error)
        })?;
        let most = transport.info().max_frame;
        if most < MAX_FRAME {
            let message = format!("{url} carries frames of {most} bytes, {MAX_FRAME} are needed");
            return Err(Error::new(ErrorKind::Configuration, operation, message));
        }
        Ok(transport)
    }

    /// Runs a session over `link` to its end and tells about it.
    pub(super) async fn converse(
        self: &Arc<Self>,
        link: BoxLink,
        role: Role,
        status: Arc<Status>,
    ) -> SessionError {
        let (id, commands) = self.enter(role, &status, None);
        self.converse_as(id, link, role, status, commands).await
    }

    fn enter(
        &self,
        role: Role,
        status: &Arc<Status>,
        task: Option<TaskHandle>,
    ) -> (u64, mpsc::Receiver<Command>) {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let status = Arc::clone(status);
        state.sessions.insert(id, SessionSlot { status, commands, role, device: None, task });
        (id, inbox)
    }

    async fn converse_as(
        self: &Arc<Self>,
        id: u64,
        link: BoxLink,
        role: Role,
        status: Arc<Status>,
        commands: mpsc::Receiver<Command>,
    ) -> SessionError {
        let mut leaving =
            Leaving { shared: self, id, status: Arc::clone(&status), error: SessionError::Closed };
        status.known().state = PeerState::Greeting;
        let talk = drive(Arc::clone(self), id, status, link, role, commands);
        leaving.error = match AssertUnwindSafe(talk).catch_unwind().await {
            Ok(error) => error,
            Err(_) => {
                self.replica.event(ExchangeEvent::Panicked { task: "session" });
                SessionError::LinkClosed
            }
        };
        leaving.error.clone()
    }

    /// Starts a session over a link that came in; whether there was room for it.
    pub(super) fn welcome(self: &Arc<Self>, link: BoxLink, status: Arc<Status>, most: usize) -> bool {
        if self.state().sessions.values().filter(|slot| slot.role == Role::Responder).count() >= most {
            return false;
        }
        let (id, commands) = self.enter(Role::Responder, &status, None);
        let shared = Arc::clone(self);
        let task = self.context.spawn("session", async move {
            shared.converse_as(id, link, Role::Responder, status, commands).await;
        });
        // A session that is over already has left; its handle goes with it.
        match self.state().sessions.get_mut(&id) {
            Some(slot) => slot.task = Some(task),
            None => drop(task),
        }
        true
    }

    /// A peer proved itself. Of two sessions with one device, one dialled by each side, both sides keep the one that
    /// the smaller device dialled; of two that this side dialled, the older.
    pub(super) fn peer_up(&self, id: u64, role: Role, device: DeviceId) {
        let own = self.replica.profile().origin.device;
        let mut state = self.state();
        let others =
            state.sessions.iter().filter(|(other, slot)| **other != id && slot.device == Some(device));
        let mut surplus = Vec::new();
        for (other, slot) in others {
            match (role, slot.role) {
                (Role::Initiator, Role::Initiator) => surplus.push(id),
                // The peer sees both and decides; one that is dead falls silent.
                (Role::Responder, Role::Responder) => {}
                (Role::Initiator, Role::Responder) => surplus.push(if own < device { *other } else { id }),
                (Role::Responder, Role::Initiator) => surplus.push(if own < device { id } else { *other }),
            }
        }
        if let Some(slot) = state.sessions.get_mut(&id) {
            slot.device = Some(device);
        }
        for id in surplus {
            if let Some(slot) = state.sessions.get(&id)
                && slot.commands.try_send(Command::Close(SessionError::Duplicate)).is_err()
            {
                tracing::debug!("a surplus session takes no commands");
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether there is a live session with this device.
    pub(super) fn is_live(&self, device: DeviceId) -> bool {
        self.state().sessions.values().any(|slot| slot.device == Some(device))
    }
}

/// Whether a session ended because there is another one with the same device.
pub(super) fn is_duplicate(error: &SessionError) -> bool {
    matches!(
        error,
        SessionError::Duplicate | SessionError::Refused(ErrorMessage { code: ErrorCode::Duplicate, .. })
    )
}

/// Takes a session off the list and tells about it when it ends, however it ends: a task that is stopped too.
struct Leaving<'a, R: Replica> {
    shared: &'a Shared<R>,
    id: u64,
    status: Arc<Status>,
    error: SessionError,
}

impl<R: Replica> Drop for Leaving<'_, R> {
    fn drop(&mut self) {
        let slot = self.shared.state().sessions.remove(&self.id);
        let (device, address) = {
            let mut known = self.status.known();
            known.state = PeerState::Waiting;
            // The link's own words say more than that it ended.
            if self.error != SessionError::LinkClosed || known.last_error.is_none() {
                known.last_error = Some(self.error.to_string());
            }
            (known.device, known.address.clone())
        };
        self.shared.changed.notify_waiters();
        self.shared.replica.event(ExchangeEvent::PeerDown { device, address, error: self.error.clone() });
        drop(slot);
    }
}

impl<R: Replica> Exchange<R> {
    /// An exchange without links. The registry says which URLs it understands.
    pub(crate) fn new(replica: Arc<R>, registry: Registry, context: Context) -> Self {
        let state = Mutex::default();
        Self { shared: Arc::new(Shared { replica, context, registry, state, changed: Notify::new() }) }
    }

    /// Listens at `url`; returns the address under which this device can be dialled.
    pub(crate) async fn listen(&self, url: &Url) -> Result<Url> {
        let transport = self.shared.transport("listen", url)?;
        let listener = transport.listen(&self.shared.context, url).await.map_err(|error| {
            Error::new(ErrorKind::Transport, "listen", error.to_string()).with_source(error)
        })?;
        let address = listener.address();
        let task = self.shared.context.spawn("listener", listener::run(Arc::clone(&self.shared), listener));
        let before = self.shared.state().listeners.insert(address.expose(), task);
        drop(before);
        Ok(address)
    }

    /// Stops listening everywhere; sessions go on.
    pub(crate) fn stop_listening(&self) {
        let listeners = std::mem::take(&mut self.shared.state().listeners);
        drop(listeners);
    }

    /// Dials `url`, again and again until [`Self::disconnect`]. Doing so twice changes nothing.
    pub(crate) fn connect(&self, url: &Url) -> Result<()> {
        let transport = self.shared.transport("connect", url)?;
        let name = url.expose();
        if self.shared.state().dialers.contains_key(&name) {
            return Ok(());
        }
        let status = dialer::status(url);
        let dial = dialer::run(Arc::clone(&self.shared), transport, url.clone(), Arc::clone(&status));
        let task = self.shared.context.spawn("dialer", dial);
        let before = self.shared.state().dialers.insert(name, (status, task));
        drop(before);
        Ok(())
    }

    /// Stops dialling `url` and cuts its session; whether it was dialled.
    #[cfg_attr(not(test), expect(dead_code, reason = "the space can only disconnect from all yet"))]
    pub(crate) fn disconnect(&self, url: &Url) -> bool {
        let dialer = self.shared.state().dialers.remove(&url.expose());
        dialer.is_some()
    }

    /// Stops dialling and cuts every session, those that came in too. Listeners stay.
    pub(crate) fn disconnect_all(&self) {
        let (dialers, tasks): (_, Vec<_>) = {
            let mut state = self.shared.state();
            let tasks = state.sessions.values_mut().filter_map(|slot| slot.task.take()).collect();
            (std::mem::take(&mut state.dialers), tasks)
        };
        // Handles are dropped without the lock: a host may drop a task, which takes the lock to leave, right here.
        drop(dialers);
        drop(tasks);
    }

    /// Every address that is dialled and every link that came in.
    pub(crate) fn peers(&self) -> Vec<PeerStatus> {
        let state = self.shared.state();
        let dialled = state.dialers.values().map(|(status, _)| status);
        let accepted =
            state.sessions.values().filter(|slot| slot.role == Role::Responder).map(|slot| &slot.status);
        dialled.chain(accepted).map(|status| status.read()).collect()
    }

    /// Asks a live session with `device` for ranges; the number comes back in [`ExchangeEvent::Pulled`].
    #[cfg_attr(not(test), expect(dead_code, reason = "backfill will pull; nothing does yet"))]
    pub(crate) fn pull(
        &self,
        device: DeviceId,
        ranges: Vec<(Origin, SeqRange)>,
        of_state: bool,
    ) -> Result<u64> {
        let mut state = self.shared.state();
        state.next_pull += 1;
        let ticket = state.next_pull;
        let request = PullRequest { ticket, ranges, state: of_state };
        let slot = state.sessions.values().find(|slot| slot.device == Some(device));
        let sent = slot.is_some_and(|slot| slot.commands.try_send(Command::Pull(request)).is_ok());
        if sent {
            return Ok(ticket);
        }
        let message = format!("there is no session with device {device} that can be asked now");
        Err(Error::new(ErrorKind::Transport, "pull", message).retryable())
    }

    /// Ends every session in good order and stops everything.
    pub(crate) async fn shutdown(&self) {
        self.stop_listening();
        let commands: Vec<_> =
            self.shared.state().sessions.values().map(|slot| slot.commands.clone()).collect();
        for session in commands {
            if session.try_send(Command::Close(SessionError::Closed)).is_err() {
                tracing::debug!("a session takes no commands");
            }
        }
        // A dialer would dial again: it is stopped as soon as its session has ended, or now when it has none.
        let shared = &self.shared;
        let all_gone = async {
            loop {
                let mut change = std::pin::pin!(shared.changed.notified());
                // ORDER: registered before the look, so that a change in between is not missed.
                change.as_mut().enable();
                if shared.state().sessions.is_empty() {
                    return;
                }
                change.await;
            }
        };
        if shared.context.deadline(GOODBYE_LIMIT, "shutdown", all_gone).await.is_err() {
            tracing::debug!("some sessions did not end in time and are cut");
        }
        self.disconnect_all();
    }
}

impl<R: Replica> Drop for Exchange<R> {
    fn drop(&mut self) {
        self.stop_listening();
        self.disconnect_all();
    }
}
