//! The contract: addresses, dialling, listening. What the bytes look like is in `io.rs`.

use crate::config::TemplateConfig;
use crate::io::{TemplateReceiver, TemplateSender, halves, open};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::fmt;
use std::io;
use sync_plugin::{
    BoxFuture, Capabilities, Context, ErrorKind, Link, Listener, MAX_FRAME, PluginError, Result, Transport,
    TransportInfo, Url,
};
use tokio::net::{TcpListener, TcpStream};

/// Unfinished openings at one listener. While there are as many, newcomers wait in the system's backlog.
const MAX_OPENINGS: usize = 256;

/// The transport: its settings, nothing open.
#[derive(Clone, Debug)]
pub struct TemplateTransport {
    config: TemplateConfig,
}

impl TemplateTransport {
    /// A transport with these settings.
    pub fn new(config: TemplateConfig) -> Self {
        Self { config }
    }
}

impl Transport for TemplateTransport {
    type Link = TemplateLink;
    type Listener = TemplateListener;

    fn info(&self) -> TransportInfo {
        TransportInfo {
            scheme: "template",
            capabilities: Capabilities { dial: true, listen: true, local_only: false },
            max_frame: MAX_FRAME,
        }
    }

    async fn dial(&self, ctx: &Context, address: &Url) -> Result<TemplateLink> {
        let place = read_place("dial", address)?;
        let connecting = async {
            let unreachable = |error| {
                PluginError::new(ErrorKind::Unreachable, "dial", address.to_string()).with_source(error)
            };
            let stream = TcpStream::connect(place).await.map_err(unreachable)?;
            finish_opening("dial", stream, address.to_string()).await
        };
        // Every wait for a peer has a deadline, taken from the context and never from tokio.
        ctx.deadline(self.config.opening_timeout, "dial", connecting).await?
    }

    async fn listen(&self, ctx: &Context, address: &Url) -> Result<TemplateListener> {
        let about = |error: io::Error| {
            let kind = match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => ErrorKind::Refused,
                _ => ErrorKind::Configuration,
            };
            PluginError::new(kind, "listen", address.to_string()).with_source(error)
        };
        let tcp = TcpListener::bind(read_place("listen", address)?).await.map_err(about)?;
        // The listener reports what was bound, which is not what was asked for when the port was 0.
        let bound = tcp.local_addr().map_err(about)?.to_string();
        Ok(TemplateListener {
            address: address.clone().without_parameters().with_authority(bound),
            tcp,
            ctx: ctx.clone(),
            config: self.config.clone(),
            openings: FuturesUnordered::new(),
        })
    }
}

/// Host and port of a `template://` URL.
fn read_place<'a>(operation: &'static str, address: &'a Url) -> Result<(&'a str, u16)> {
    let wrong =
        |reason: &str| PluginError::new(ErrorKind::Configuration, operation, format!("{address}: {reason}"));
    if address.scheme() != "template" {
        return Err(wrong("not a template:// URL"));
    }
    if address.host().is_empty() || !matches!(address.path(), "" | "/") || address.userinfo().is_some() {
        return Err(wrong("a template:// URL is host and port"));
    }
    let port = address.port()?.ok_or_else(|| wrong("there is no port"))?;
    Ok((address.host(), port))
}

/// Exchanges the openings on a fresh connection.
async fn finish_opening(
    operation: &'static str,
    mut stream: TcpStream,
    peer: String,
) -> Result<TemplateLink> {
    // Frames are written whole, so waiting for more bytes only adds latency.
    stream.set_nodelay(true).map_err(|error| crate::io::explain(operation, error))?;
    open(operation, &mut stream).await?;
    Ok(TemplateLink { stream, peer })
}

/// A listening socket and the unfinished openings; dropping it ends both.
pub struct TemplateListener {
    address: Url,
    tcp: TcpListener,
    ctx: Context,
    config: TemplateConfig,
    openings: FuturesUnordered<BoxFuture<'static, Result<TemplateLink>>>,
}

impl Listener for TemplateListener {
    type Link = TemplateLink;

    fn address(&self) -> Url {
        self.address.clone()
    }

    async fn accept(&mut self) -> Result<TemplateLink> {
        // The engine may drop this future at any await. What must survive that lives in `self`; and an opening that
        // is slow waits in `openings`, beside the others, not in front of them.
        loop {
            tokio::select! {
                biased;
                Some(opened) = self.openings.next(), if !self.openings.is_empty() => {
                    // A stranger who fails is no error of the listener.
                    if let Ok(link) = opened {
                        return Ok(link);
                    }
                }
                arrival = self.tcp.accept(), if self.openings.len() < MAX_OPENINGS => {
                    let (stream, peer) = arrival.map_err(|error| {
                        PluginError::new(ErrorKind::Io, "accept", self.address.to_string()).with_source(error)
                    })?;
                    let (ctx, limit) = (self.ctx.clone(), self.config.opening_timeout);
                    self.openings.push(Box::pin(async move {
                        ctx.deadline(limit, "accept", finish_opening("accept", stream, peer.to_string())).await?
                    }));
                }
            }
        }
    }
}

impl fmt::Debug for TemplateListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TemplateListener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// One connection behind its opening.
#[derive(Debug)]
pub struct TemplateLink {
    stream: TcpStream,
    peer: String,
}

impl Link for TemplateLink {
    type Sender = TemplateSender;
    type Receiver = TemplateReceiver;

    fn split(self) -> (TemplateSender, TemplateReceiver) {
        halves(self.stream)
    }

    fn peer(&self) -> String {
        self.peer.clone()
    }
}
