//! The hub of names and the queues of frames: everything that is shared or waits. Must not know URLs.

use crate::backend::MemoryLink;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use sync_plugin::{
    ErrorKind, LinkReceiver, LinkSender, MAX_FRAME, PluginError, Result, Tether, check_frame, tether,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Frames that one direction holds at most, besides the bound in bytes: empty ones weigh something too.
const QUEUE_FRAMES: usize = 256;

static HUB: LazyLock<Hub> = LazyLock::new(Hub::default);

/// Who listens under which name in this process.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<HubState>,
}

#[derive(Debug, Default)]
struct HubState {
    listeners: BTreeMap<String, mpsc::Sender<MemoryLink>>,
    drawn: u64,
    dialled: u64,
}

impl Hub {
    pub(crate) fn shared() -> &'static Self {
        &HUB
    }

    fn state(&self) -> MutexGuard<'_, HubState> {
        // Every change under the lock is a single insertion or removal, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `name`, or draws a free one when it is empty.
    pub(crate) fn listen(&self, name: &str, backlog: usize) -> Result<(String, mpsc::Receiver<MemoryLink>)> {
        let mut state = self.state();
        let name = if name.is_empty() { state.draw_name() } else { name.to_owned() };
        match state.listeners.entry(name.clone()) {
            Entry::Occupied(_) => {
                let message = format!("memory://{name} is in use in this process");
                Err(PluginError::new(ErrorKind::Refused, "listen", message))
            }
            Entry::Vacant(place) => {
                let (arrive, arrivals) = mpsc::channel(backlog);
                place.insert(arrive);
                Ok((name, arrivals))
            }
        }
    }

    /// Frees `name`.
    pub(crate) fn leave(&self, name: &str) {
        self.state().listeners.remove(name);
    }

    /// Hands one end of a new link to whoever has `name`.
    pub(crate) fn dial(&self, name: &str, window: u32) -> Result<MemoryLink> {
        let mut state = self.state();
        state.dialled += 1;
        let caller = format!("memory:dialler-{}", state.dialled);
        let Some(arrive) = state.listeners.get(name) else {
            let message = format!("nobody listens at memory://{name} in this process");
            return Err(PluginError::new(ErrorKind::Unreachable, "dial", message));
        };
        let (here, there) = pair(caller, format!("memory://{name}"), window);
        arrive.try_send(there).map_err(|full| {
            let message = format!("memory://{name} does not accept: {full}");
            PluginError::new(ErrorKind::Refused, "dial", message).with_retryable(true)
        })?;
        Ok(here)
    }
}

impl HubState {
    fn draw_name(&mut self) -> String {
        loop {
            self.drawn += 1;
            let name = format!("drawn-{}", self.drawn);
            if !self.listeners.contains_key(&name) {
                return name;
            }
        }
    }
}

/// The two ends of a link between `left` and `right`, as each sees the other.
pub(crate) fn pair(left: String, right: String, window: u32) -> (MemoryLink, MemoryLink) {
    let (left_sender, right_receiver) = direction(window);
    let (right_sender, left_receiver) = direction(window);
    (end(right, left_sender, left_receiver), end(left, right_sender, right_receiver))
}

fn end(peer: String, outgoing: Outgoing, incoming: mpsc::Receiver<Item>) -> MemoryLink {
    let (sender_tether, receiver_tether) = tether();
    MemoryLink {
        peer,
        sender: MemorySender { outgoing, tether: sender_tether, closed: false },
        receiver: MemoryReceiver { incoming, tether: receiver_tether, ended: false },
    }
}

fn direction(window: u32) -> (Outgoing, mpsc::Receiver<Item>) {
    let (queue, incoming) = mpsc::channel(QUEUE_FRAMES);
    // `number` keeps the window far below what a semaphore counts to; usize is at least 32 bits wherever tokio runs.
    let room = Arc::new(Semaphore::new(usize::try_from(window).unwrap_or(MAX_FRAME)));
    (Outgoing { queue, room, window }, incoming)
}

/// What travels through a queue.
#[derive(Debug)]
enum Item {
    /// A frame with the room that it takes, given back when the receiver has it.
    Frame(Vec<u8>, OwnedSemaphorePermit),
    /// The orderly end; a queue that stops without it was cut.
    End,
}

#[derive(Debug)]
struct Outgoing {
    queue: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
    window: u32,
}

impl Outgoing {
    /// Waits for room, then queues the frame in one step that cannot be cancelled.
    async fn push(&self, frame: Vec<u8>) -> Result<()> {
        let weight = u32::try_from(frame.len()).unwrap_or(u32::MAX).min(self.window);
        let waiting = Arc::clone(&self.room).acquire_many_owned(weight);
        let room = tokio::select! {
            room = waiting => room.map_err(|_| gone("send"))?,
            () = self.queue.closed() => return Err(gone("send")),
        };
        let place = self.queue.reserve().await.map_err(|_| gone("send"))?;
        place.send(Item::Frame(frame, room));
        Ok(())
    }
}

fn gone(operation: &'static str) -> PluginError {
    PluginError::new(ErrorKind::Closed, operation, "the peer dropped the link")
}

/// The sending half.
#[derive(Debug)]
pub struct MemorySender {
    outgoing: Outgoing,
    tether: Tether,
    closed: bool,
}

impl LinkSender for MemorySender {
    async fn send(&mut self, frame: Vec<u8>) -> Result<()> {
        check_frame(&frame, MAX_FRAME)?;
        if self.closed {
            return Err(PluginError::new(ErrorKind::Closed, "send", "this side closed the link before"));
        }
        self.tether.run("send", self.outgoing.push(frame)).await
    }

    async fn close(&mut self) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let queue = &self.outgoing.queue;
        self.tether.run("close", async { queue.send(Item::End).await.map_err(|_| gone("close")) }).await?;
        self.closed = true;
        self.tether.finish();
        Ok(())
    }
}

/// The receiving half.
#[derive(Debug)]
pub struct MemoryReceiver {
    incoming: mpsc::Receiver<Item>,
    tether: Tether,
    ended: bool,
}

impl LinkReceiver for MemoryReceiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        if self.ended {
            return Ok(None);
        }
        let incoming = &mut self.incoming;
        match self
            .tether
            .run("receive", async { incoming.recv().await.ok_or_else(|| gone("receive")) })
            .await?
        {
            Item::Frame(frame, _room) => Ok(Some(frame)),
            Item::End => {
                self.ended = true;
                self.tether.finish();
                Ok(None)
            }
        }
    }
}
