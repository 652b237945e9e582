//! The contract on top of the hub: who listens under which name. Does no waiting of its own.

use crate::config::MemoryConfig;
use crate::io::{self, Hub, MemoryReceiver, MemorySender};
use sync_plugin::{
    Capabilities, Context, ErrorKind, Link, Listener, MAX_FRAME, PluginError, Result, Transport,
    TransportInfo, Url,
};
use tokio::sync::mpsc;

/// The memory transport.
#[derive(Clone, Debug)]
pub struct MemoryTransport {
    config: MemoryConfig,
}

impl MemoryTransport {
    /// A transport with these settings. All transports of one process share the hub of names.
    pub fn new(config: MemoryConfig) -> Self {
        Self { config }
    }
}

impl Transport for MemoryTransport {
    type Link = MemoryLink;
    type Listener = MemoryListener;

    fn info(&self) -> TransportInfo {
        TransportInfo {
            scheme: "memory",
            capabilities: Capabilities { dial: true, listen: true, local_only: true },
            max_frame: MAX_FRAME,
        }
    }

    async fn dial(&self, _ctx: &Context, address: &Url) -> Result<MemoryLink> {
        let name = read_name("dial", address)?;
        if name.is_empty() {
            let message = "memory:// names nobody; write memory://name";
            return Err(PluginError::new(ErrorKind::Configuration, "dial", message));
        }
        Hub::shared().dial(name, self.config.window)
    }

    async fn listen(&self, _ctx: &Context, address: &Url) -> Result<MemoryListener> {
        let name = read_name("listen", address)?;
        let (name, arrivals) = Hub::shared().listen(name, self.config.backlog)?;
        Ok(MemoryListener {
            address: address.clone().without_parameters().with_authority(&*name),
            name,
            arrivals,
        })
    }
}

/// The name in a `memory://name` address.
fn read_name<'a>(operation: &'static str, address: &'a Url) -> Result<&'a str> {
    let wrong = |message: String| PluginError::new(ErrorKind::Configuration, operation, message);
    if address.scheme() != "memory" {
        return Err(wrong(format!("{address} is not a memory:// URL")));
    }
    if !matches!(address.path(), "" | "/") || address.userinfo().is_some() {
        return Err(wrong(format!("{address}: a memory:// URL is only a name")));
    }
    Ok(address.authority())
}

/// A name in the hub; free again when this is dropped.
#[derive(Debug)]
pub struct MemoryListener {
    address: Url,
    name: String,
    arrivals: mpsc::Receiver<MemoryLink>,
}

impl Listener for MemoryListener {
    type Link = MemoryLink;

    fn address(&self) -> Url {
        self.address.clone()
    }

    async fn accept(&mut self) -> Result<MemoryLink> {
        self.arrivals
            .recv()
            .await
            .ok_or_else(|| PluginError::new(ErrorKind::Closed, "accept", "the hub let go of this listener"))
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        Hub::shared().leave(&self.name);
    }
}

/// One end of two bounded queues.
#[derive(Debug)]
pub struct MemoryLink {
    pub(crate) peer: String,
    pub(crate) sender: MemorySender,
    pub(crate) receiver: MemoryReceiver,
}

impl MemoryLink {
    /// Two ends of one new link, outside the hub.
    pub fn pair(config: &MemoryConfig) -> (Self, Self) {
        io::pair("memory://left".to_owned(), "memory://right".to_owned(), config.window)
    }
}

impl Link for MemoryLink {
    type Sender = MemorySender;
    type Receiver = MemoryReceiver;

    fn split(self) -> (MemorySender, MemoryReceiver) {
        (self.sender, self.receiver)
    }

    fn peer(&self) -> String {
        self.peer.clone()
    }
}
