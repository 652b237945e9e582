//! The object-safe mirrors of the contract: what the engine holds. Blanket implementations box once, here; authors
//! never write these types.

use crate::transport::{Link, LinkReceiver, LinkSender, Listener, Transport, TransportInfo};
use crate::{Context, Result, Url};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any transport, shared.
pub type SharedTransport = Arc<dyn DynTransport>;

/// [`Transport`] without associated types. Every transport is one.
pub trait DynTransport: Send + Sync + 'static {
    /// See [`Transport::info`].
    fn info(&self) -> TransportInfo;
    /// See [`Transport::dial`].
    fn dial<'a>(&'a self, ctx: &'a Context, address: &'a Url) -> BoxFuture<'a, Result<BoxLink>>;
    /// See [`Transport::listen`].
    fn listen<'a>(&'a self, ctx: &'a Context, address: &'a Url) -> BoxFuture<'a, Result<BoxListener>>;
}

impl<T: Transport> DynTransport for T {
    fn info(&self) -> TransportInfo {
        Transport::info(self)
    }

    fn dial<'a>(&'a self, ctx: &'a Context, address: &'a Url) -> BoxFuture<'a, Result<BoxLink>> {
        Box::pin(async move { Ok(BoxLink::new(Transport::dial(self, ctx, address).await?)) })
    }

    fn listen<'a>(&'a self, ctx: &'a Context, address: &'a Url) -> BoxFuture<'a, Result<BoxListener>> {
        Box::pin(async move { Ok(BoxListener::new(Transport::listen(self, ctx, address).await?)) })
    }
}

/// Turns a transport into the form in which the engine holds it.
pub fn share(transport: impl Transport) -> SharedTransport {
    Arc::new(transport)
}

trait DynListener: Send {
    fn address(&self) -> Url;
    fn accept(&mut self) -> BoxFuture<'_, Result<BoxLink>>;
}

impl<T: Listener> DynListener for T {
    fn address(&self) -> Url {
        Listener::address(self)
    }

    fn accept(&mut self) -> BoxFuture<'_, Result<BoxLink>> {
        Box::pin(async move { Ok(BoxLink::new(Listener::accept(self).await?)) })
    }
}

trait DynSender: Send {
    fn send(&mut self, frame: Vec<u8>) -> BoxFuture<'_, Result<()>>;
    fn close(&mut self) -> BoxFuture<'_, Result<()>>;
}

impl<T: LinkSender> DynSender for T {
    fn send(&mut self, frame: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        Box::pin(LinkSender::send(self, frame))
    }

    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(LinkSender::close(self))
    }
}

trait DynReceiver: Send {
    fn receive(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>>>;
}

impl<T: LinkReceiver> DynReceiver for T {
    fn receive(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        Box::pin(LinkReceiver::receive(self))
    }
}

/// Any [`Listener`].
pub struct BoxListener(Box<dyn DynListener>);

impl BoxListener {
    /// Boxes a listener.
    pub fn new(listener: impl Listener) -> Self {
        Self(Box::new(listener))
    }
}

impl Listener for BoxListener {
    type Link = BoxLink;

    fn address(&self) -> Url {
        self.0.address()
    }

    async fn accept(&mut self) -> Result<BoxLink> {
        self.0.accept().await
    }
}

/// Any [`LinkSender`].
pub struct BoxSender(Box<dyn DynSender>);

impl BoxSender {
    /// Boxes a sender.
    pub fn new(sender: impl LinkSender) -> Self {
        Self(Box::new(sender))
    }
}

impl LinkSender for BoxSender {
    async fn send(&mut self, frame: Vec<u8>) -> Result<()> {
        self.0.send(frame).await
    }

    async fn close(&mut self) -> Result<()> {
        self.0.close().await
    }
}

/// Any [`LinkReceiver`].
pub struct BoxReceiver(Box<dyn DynReceiver>);

impl BoxReceiver {
    /// Boxes a receiver.
    pub fn new(receiver: impl LinkReceiver) -> Self {
        Self(Box::new(receiver))
    }
}

impl LinkReceiver for BoxReceiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        self.0.receive().await
    }
}

/// Any [`Link`], already taken apart.
pub struct BoxLink {
    peer: String,
    sender: BoxSender,
    receiver: BoxReceiver,
}

impl BoxLink {
    /// Boxes a link.
    pub fn new(link: impl Link) -> Self {
        let peer = link.peer();
        let (sender, receiver) = link.split();
        Self { peer, sender: BoxSender::new(sender), receiver: BoxReceiver::new(receiver) }
    }
}

impl Link for BoxLink {
    type Sender = BoxSender;
    type Receiver = BoxReceiver;

    fn split(self) -> (BoxSender, BoxReceiver) {
        (self.sender, self.receiver)
    }

    fn peer(&self) -> String {
        self.peer.clone()
    }
}

impl fmt::Debug for BoxListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("BoxListener").field(&self.0.address()).finish()
    }
}

impl fmt::Debug for BoxLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BoxLink").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for BoxSender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BoxSender")
    }
}

impl fmt::Debug for BoxReceiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BoxReceiver")
    }
}

impl fmt::Debug for dyn DynTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(formatter)
    }
}
