//! The contract over WebSocket: addresses, the listener and its unfinished handshakes. Must not know messages.

use crate::config::WebSocketConfig;
use crate::handshake::{Socket, connect, welcome};
use crate::io::{WebSocketReceiver, WebSocketSender, halves};
use futures_util::StreamExt;
use futures_util::future::{AbortHandle, Abortable, Aborted};
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use sync_plugin::{
    BoxFuture, Capabilities, Context, ErrorKind, Link, Listener, MAX_FRAME, PluginError, Result, Transport,
    TransportInfo, Url,
};
use tokio::net::{TcpListener, TcpStream};

/// Unfinished handshakes at one listener; one more pushes out the oldest, so that silent strangers cannot fill it.
const MAX_HANDSHAKES: usize = 256;

/// The WebSocket transport.
#[derive(Clone, Debug)]
pub struct WebSocketTransport {
    config: WebSocketConfig,
}

impl WebSocketTransport {
    /// A transport with these deadlines.
    pub fn new(config: WebSocketConfig) -> Self {
        Self { config }
    }
}

impl Transport for WebSocketTransport {
    type Link = WebSocketLink;
    type Listener = WebSocketListener;

    fn info(&self) -> TransportInfo {
        TransportInfo {
            scheme: "ws",
            capabilities: Capabilities { dial: true, listen: true, local_only: false },
            max_frame: MAX_FRAME,
        }
    }

    async fn dial(&self, ctx: &Context, address: &Url) -> Result<WebSocketLink> {
        let place = Place::read("dial", address)?;
        if place.port == 0 {
            let message = format!("{place}: port 0 is nobody's");
            return Err(PluginError::new(ErrorKind::Configuration, "dial", message));
        }
        let (socket, peer) = ctx.deadline(self.config.handshake_timeout, "dial", connect(&place)).await??;
        Ok(WebSocketLink { socket, peer, ctx: ctx.clone(), config: self.config.clone() })
    }

    async fn listen(&self, ctx: &Context, address: &Url) -> Result<WebSocketListener> {
        let place = Place::read("listen", address)?;
        let about = |error: io::Error| {
            let kind = match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => ErrorKind::Refused,
                _ => ErrorKind::Configuration,
            };
            PluginError::new(kind, "listen", place.to_string()).with_source(error)
        };
        let tcp = TcpListener::bind((place.host.as_str(), place.port)).await.map_err(about)?;
        let bound = tcp.local_addr().map_err(about)?;
        Ok(WebSocketListener {
            address: address.clone().without_parameters().with_authority(bound.to_string()),
            path: place.path,
            tcp,
            ctx: ctx.clone(),
            config: self.config.clone(),
            handshakes: FuturesUnordered::new(),
            oldest_first: BTreeMap::new(),
            knocks: 0,
        })
    }
}

/// Where a `ws://` URL points.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
}

impl Place {
    fn read(operation: &'static str, address: &Url) -> Result<Self> {
        let wrong = |reason: &str| {
            PluginError::new(ErrorKind::Configuration, operation, format!("{address}: {reason}"))
        };
        if address.scheme() != "ws" {
            return Err(wrong("not a ws:// URL"));
        }
        if address.userinfo().is_some() {
            return Err(wrong("ws:// carries no user"));
        }
        if address.host().is_empty() {
            return Err(wrong("there is no host"));
        }
        let host_letter = |letter: char| letter.is_ascii_alphanumeric() || "-._:%".contains(letter);
        if !address.host().chars().all(host_letter) {
            return Err(wrong("the host has letters that a host cannot have"));
        }
        let path = match address.path() {
            "" => "/".to_owned(),
            path if path.chars().all(|letter| letter.is_ascii_graphic()) => path.to_owned(),
            _ => return Err(wrong("the path may have ASCII letters only")),
        };
        Ok(Self { host: address.host().to_owned(), port: address.port()?.unwrap_or(80), path })
    }

    /// The address as HTTP clients write it.
    pub(crate) fn url(&self) -> String {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        format!("ws://{open}{}{close}:{}{}", self.host, self.port, self.path)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url())
    }
}

/// How one handshake ended: whose, and with what.
type Knock = (u64, Result<Result<WebSocketLink>, Aborted>);

/// A listening socket and the handshakes of those who knocked; dropping it ends both.
pub struct WebSocketListener {
    address: Url,
    path: String,
    tcp: TcpListener,
    ctx: Context,
    config: WebSocketConfig,
    handshakes: FuturesUnordered<BoxFuture<'static, Knock>>,
    oldest_first: BTreeMap<u64, AbortHandle>,
    knocks: u64,
}

impl Listener for WebSocketListener {
    type Link = WebSocketLink;

    fn address(&self) -> Url {
        self.address.clone()
    }

    async fn accept(&mut self) -> Result<WebSocketLink> {
        // Everything that must survive a dropped future lives in `self`; the awaits below may be dropped at any time.
        loop {
            tokio::select! {
                biased;
                Some((knock, outcome)) = self.handshakes.next(), if !self.handshakes.is_empty() => {
                    self.oldest_first.remove(&knock);
                    match outcome {
                        Ok(Ok(link)) => return Ok(link),
                        Ok(Err(error)) => tracing::debug!(%error, "a stranger's handshake failed"),
                        Err(Aborted) => tracing::warn!(at = %self.address, "too many handshakes: dropped the oldest"),
                    }
                }
                arrival = self.tcp.accept() => match arrival {
                    Ok((stream, peer)) => self.admit(stream, peer.to_string()),
                    Err(error) if is_the_strangers_fault(&error) => {
                        tracing::debug!(%error, "a stranger left before being accepted");
                    }
                    Err(error) => {
                        let about = self.address.to_string();
                        return Err(PluginError::new(ErrorKind::Io, "accept", about).with_source(error));
                    }
                },
            }
        }
    }
}

impl WebSocketListener {
    /// Starts a handshake beside the others.
    fn admit(&mut self, stream: TcpStream, peer: String) {
        if self.oldest_first.len() >= MAX_HANDSHAKES
            && let Some((_, oldest)) = self.oldest_first.pop_first()
        {
            oldest.abort();
        }
        self.knocks += 1;
        let (knock, ctx, config, path) =
            (self.knocks, self.ctx.clone(), self.config.clone(), self.path.clone());
        let handshake = async move {
            let socket = ctx.deadline(config.handshake_timeout, "accept", welcome(stream, &path)).await??;
            Ok(WebSocketLink { socket, peer, ctx, config })
        };
        let (abort, registration) = AbortHandle::new_pair();
        self.oldest_first.insert(knock, abort);
        let handshake = Abortable::new(handshake, registration);
        self.handshakes.push(Box::pin(async move { (knock, handshake.await) }));
    }
}

/// Whether `accept` failed because of who connected, so that the listener may go on at once.
fn is_the_strangers_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

impl fmt::Debug for WebSocketListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebSocketListener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// One WebSocket connection.
pub struct WebSocketLink {
    socket: Socket,
    peer: String,
    ctx: Context,
    config: WebSocketConfig,
}

impl Link for WebSocketLink {
    type Sender = WebSocketSender;
    type Receiver = WebSocketReceiver;

    fn split(self) -> (WebSocketSender, WebSocketReceiver) {
        halves(self.socket, &self.ctx, &self.config)
    }

    fn peer(&self) -> String {
        self.peer.clone()
    }
}

impl fmt::Debug for WebSocketLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebSocketLink").field("peer", &self.peer).finish_non_exhaustive()
    }
}
