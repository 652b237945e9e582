//! Frames as WebSocket messages, keep-alive, and the orderly end. Must not know addresses.

use crate::config::WebSocketConfig;
use crate::handshake::{Socket, explain};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use sync_plugin::{
    BoxFuture, Context, ErrorKind, LinkReceiver, LinkSender, MAX_FRAME, PluginError, Result, Tether,
    check_frame, tether,
};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

/// The text message that ends one direction.
const END: &str = "end";

/// What the two halves share.
struct Shared {
    /// Frames come from the sender, pings from the receiver; nobody waits for this lock for longer than for the peer.
    sink: Mutex<SplitSink<Socket, Message>>,
    sent_end: AtomicBool,
    received_end: AtomicBool,
}

/// The sender and the receiver of a connection.
pub(crate) fn halves(
    socket: Socket,
    ctx: &Context,
    config: &WebSocketConfig,
) -> (WebSocketSender, WebSocketReceiver) {
    let (sink, stream) = socket.split();
    let shared = Arc::new(Shared {
        sink: Mutex::new(sink),
        sent_end: AtomicBool::new(false),
        received_end: AtomicBool::new(false),
    });
    let (sender_tether, receiver_tether) = tether();
    let sender = WebSocketSender {
        shared: Arc::clone(&shared),
        tether: sender_tether,
        ctx: ctx.clone(),
        timeout: config.send_timeout,
    };
    let keep_alive = KeepAlive {
        timer: ctx.sleep(config.ping_interval),
        ctx: ctx.clone(),
        config: config.clone(),
        heard: false,
        asked: false,
    };
    (sender, WebSocketReceiver { shared, stream, tether: receiver_tether, keep_alive, over: None })
}

/// The sending half.
pub struct WebSocketSender {
    shared: Arc<Shared>,
    tether: Tether,
    ctx: Context,
    timeout: Duration,
}

impl WebSocketSender {
    /// Writes a message and flushes it, in the caller's task. A timer exists only while the peer makes us wait.
    async fn write(&self, operation: &'static str, message: Message) -> Result<()> {
        let writing = async {
            let mut writing = pin!(async { self.shared.sink.lock().await.send(message).await });
            match writing.as_mut().now_or_never() {
                Some(done) => done.map_err(|error| explain(operation, "", error)),
                None => {
                    let written = self.ctx.deadline(self.timeout, operation, writing).await?;
                    written.map_err(|error| explain(operation, "", error))
                }
            }
        };
        let outcome = self.tether.run(operation, writing).await;
        if outcome.as_ref().is_err_and(|error| error.kind() != ErrorKind::Closed) {
            // A message may be half written, so nothing sensible can follow it. Where the peer closed instead, the
            // receiver may still have something to read and finds the end by itself.
            self.tether.sever();
        }
        outcome
    }
}

impl LinkSender for WebSocketSender {
    async fn send(&mut self, frame: Vec<u8>) -> Result<()> {
        check_frame(&frame, MAX_FRAME)?;
        if self.shared.sent_end.load(Ordering::Acquire) {
            return Err(PluginError::new(ErrorKind::Closed, "send", "this side closed the link before"));
        }
        self.write("send", Message::Binary(frame.into())).await
    }

    async fn close(&mut self) -> Result<()> {
        if self.shared.sent_end.load(Ordering::Acquire) {
            return Ok(());
        }
        self.write("close", Message::Text(END.into())).await?;
        self.shared.sent_end.store(true, Ordering::Release);
        self.tether.finish();
        if self.shared.received_end.load(Ordering::Acquire) {
            // Both directions have ended, so WebSocket's own farewell is only a courtesy to what lies between; the
            // peer may have gone already.
            let farewell = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            if let Err(error) = self.write("close", Message::Close(Some(farewell))).await {
                tracing::debug!(%error, "the peer left before the farewell");
            }
        }
        Ok(())
    }
}

/// The receiving half, which also keeps the connection alive.
pub struct WebSocketReceiver {
    shared: Arc<Shared>,
    stream: SplitStream<Socket>,
    tether: Tether,
    keep_alive: KeepAlive,
    over: Option<Over>,
}

/// How this direction ended.
#[derive(Clone, Copy, Debug)]
enum Over {
    Orderly,
    Failed(ErrorKind),
}

/// What woke the receiver.
enum Event {
    Message(Option<Result<Message, Error>>),
    Silence,
}

impl LinkReceiver for WebSocketReceiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        match self.over {
            Some(Over::Orderly) => return Ok(None),
            Some(Over::Failed(kind)) => {
                return Err(PluginError::new(kind, "receive", "the link ended before"));
            }
            None => {}
        }
        let outcome = self.next_frame().await;
        match &outcome {
            Ok(Some(_)) => {}
            Ok(None) => {
                self.over = Some(Over::Orderly);
                self.shared.received_end.store(true, Ordering::Release);
                self.tether.finish();
            }
            Err(error) => {
                self.over = Some(Over::Failed(error.kind()));
                self.tether.sever();
            }
        }
        outcome
    }
}

impl WebSocketReceiver {
    async fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let (stream, timer) = (&mut self.stream, &mut self.keep_alive.timer);
            let next = async {
                tokio::select! {
                    biased;
                    message = stream.next() => Ok(Event::Message(message)),
                    () = timer => Ok(Event::Silence),
                }
            };
            let message = match self.tether.run("receive", next).await? {
                Event::Silence => {
                    self.keep_alive.silence(&self.shared)?;
                    continue;
                }
                Event::Message(Some(message)) => message.map_err(|error| explain("receive", "", error))?,
                Event::Message(None) => {
                    return Err(PluginError::new(ErrorKind::Closed, "receive", "the connection ended"));
                }
            };
            self.keep_alive.heard();
            match message {
                Message::Binary(frame) => return Ok(Some(frame.into())),
                Message::Text(text) if text.as_str() == END => return Ok(None),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(farewell) => return farewell_means(farewell),
                Message::Text(_) | Message::Frame(_) => {
                    let message = "a message that is neither a frame nor the end";
                    return Err(PluginError::new(ErrorKind::Malformed, "receive", message));
                }
            }
        }
    }
}

/// A close frame without our own end before it: orderly when the peer says so, as foreign clients do.
fn farewell_means(farewell: Option<CloseFrame>) -> Result<Option<Vec<u8>>> {
    match farewell {
        None | Some(CloseFrame { code: CloseCode::Normal, .. }) => Ok(None),
        Some(CloseFrame { code, reason }) => {
            Err(PluginError::new(ErrorKind::Closed, "receive", format!("the peer closed: {code} {reason}")))
        }
    }
}

/// Notices a peer that is gone without a word: asks after a silence, gives up after another.
struct KeepAlive {
    ctx: Context,
    config: WebSocketConfig,
    timer: BoxFuture<'static, ()>,
    /// Something arrived since the timer was set.
    heard: bool,
    /// A ping went out and nothing arrived since.
    asked: bool,
}

impl KeepAlive {
    /// Something arrived. Cheap: the running timer is left as it is and looks at the flag when it fires, unless it is
    /// the one that would give up.
    fn heard(&mut self) {
        self.heard = true;
        if self.asked {
            self.asked = false;
            self.timer = self.ctx.sleep(self.config.ping_interval);
        }
    }

    /// The timer fired.
    fn silence(&mut self, shared: &Shared) -> Result<()> {
        if self.heard {
            self.heard = false;
            self.timer = self.ctx.sleep(self.config.ping_interval);
            return Ok(());
        }
        if self.asked {
            let message = "the peer answers no ping";
            return Err(PluginError::new(ErrorKind::Timeout, "receive", message));
        }
        self.asked = true;
        if shared.sent_end.load(Ordering::Acquire) {
            // A peer that has received our end no longer reads, so it sees no ping; it may still be busy sending.
            self.timer = self.ctx.sleep(self.config.send_timeout);
            return Ok(());
        }
        self.timer = self.ctx.sleep(self.config.ping_timeout);
        ping(shared)
    }
}

/// Sends a ping unless a frame is being written just now, which keeps the connection busy anyway. Never waits: while
/// this side waits to write, it would not read, and two such sides would wait for each other.
fn ping(shared: &Shared) -> Result<()> {
    let Ok(mut sink) = shared.sink.try_lock() else { return Ok(()) };
    match sink.send(Message::Ping(Vec::new().into())).now_or_never() {
        // None: the socket is full; the ping is queued and leaves with whatever is written next.
        Some(Ok(())) | None => Ok(()),
        Some(Err(error)) => Err(explain("receive", "ping", error)),
    }
}

impl fmt::Debug for WebSocketSender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebSocketSender")
    }
}

impl fmt::Debug for WebSocketReceiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebSocketReceiver").field("over", &self.over).finish_non_exhaustive()
    }
}
