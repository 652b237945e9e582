//! A relay between two devices on loopback that counts what goes through, each way, and tells when a batch begins.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use sync_plugin::{Context, TaskHandle};
use sync_runtime::host::RuntimeHost;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    time::Instant,
};

use crate::Outcome;

/// More than this after [`Relay::watch`] is a batch, not a handshake.
const BATCH: u64 = 16 * 1024;

/// Forwards to one address. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    url: String,
    counts: Arc<Counts>,
    _task: TaskHandle,
}

#[derive(Debug, Default)]
struct Counts {
    there: AtomicU64,
    back: AtomicU64,
    batch: Mutex<Watch>,
}

/// Looks for the first bytes of a batch.
#[derive(Debug, Default)]
struct Watch {
    from: Option<u64>,
    begun: Option<Instant>,
}

impl Counts {
    fn note_there(&self, bytes: usize) {
        let before = self.there.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        let mut watch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.begun.is_none() && watch.from.is_some_and(|from| before >= from + BATCH) {
            watch.begun = Some(Instant::now());
        }
    }
}

impl Relay {
    /// A relay to the WebSocket address `url`.
    pub(crate) async fn to(url: &str) -> Outcome<Self> {
        let target: SocketAddr = url.trim_start_matches("ws://").trim_end_matches('/').parse()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}", listener.local_addr()?);
        let counts = Arc::<Counts>::default();
        let context = RuntimeHost::context();
        let task = context.spawn("relay", accept(listener, target, Arc::clone(&counts), context.clone()));
        Ok(Self { url, counts, _task: task })
    }

    /// Where to dial.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Bytes from the dialling device so far: all of TCP's payload.
    pub(crate) fn there(&self) -> u64 {
        self.counts.there.load(Ordering::Relaxed)
    }

    /// Bytes to the dialling device so far.
    pub(crate) fn back(&self) -> u64 {
        self.counts.back.load(Ordering::Relaxed)
    }

    /// Looks for the next batch from the dialling device.
    pub(crate) fn watch(&self) {
        let mut watch = self.counts.batch.lock().unwrap_or_else(PoisonError::into_inner);
        *watch = Watch { from: Some(self.there()), begun: None };
    }

    /// When it began.
    pub(crate) fn begun(&self) -> Option<Instant> {
        self.counts.batch.lock().unwrap_or_else(PoisonError::into_inner).begun
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, counts: Arc<Counts>, context: Context) {
    let mut tasks = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(onward) = TcpStream::connect(target).await else { continue };
        if stream.set_nodelay(true).and_then(|()| onward.set_nodelay(true)).is_err() {
            continue;
        }
        let (from_here, to_here) = stream.into_split();
        let (incoming, outgoing) = onward.into_split();
        let (up, down) = (Arc::clone(&counts), Arc::clone(&counts));
        tasks.push(context.spawn("relay", forward(from_here, outgoing, move |n| up.note_there(n))));
        tasks.push(context.spawn(
            "relay",
            forward(incoming, to_here, move |n| {
                down.back.fetch_add(u64::try_from(n).unwrap_or(0), Ordering::Relaxed);
            }),
        ));
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn(usize) + Send) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return };
        note(read);
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
