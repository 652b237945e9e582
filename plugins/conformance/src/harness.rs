//! What a transport tells the suite about itself, and what every behaviour starts from.

use crate::frames::frame;
use crate::host::TokioHost;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use sync_plugin::{
    BoxFuture, BoxLink, BoxListener, BoxReceiver, BoxSender, Context, ErrorKind, Link, LinkReceiver,
    LinkSender, Listener, PluginError, SharedTransport, Transport, Url, share,
};
use tokio::net::TcpStream;

/// Why a behaviour was not met.
#[derive(Debug)]
pub struct Failure(String);

/// How a behaviour ended.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// A failure with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self(format!("unexpected error: {error}"))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(format!("unexpected error of the raw socket: {error}"))
    }
}

/// Ends the behaviour with a reason unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            return Err($crate::Failure::new(format!($($reason)+)));
        }
    };
}
pub(crate) use ensure;

/// How to speak to a transport that runs over TCP without going through it.
#[derive(Clone, Debug)]
pub struct RawAccess {
    /// The URL that dials a TCP server at this address.
    pub url_of: fn(SocketAddr) -> Url,
    /// Plays the dialler's part of the opening at the listener of this URL, to where frames may follow.
    pub greet: for<'a> fn(&'a mut TcpStream, &'a Url) -> BoxFuture<'a, io::Result<()>>,
    /// After the opening: bytes that no frame starts with.
    pub rubbish: Vec<u8>,
    /// After the opening: the start of a frame that announces more than the largest, 4 GiB if the form can say so.
    pub oversized: Vec<u8>,
    /// After the opening: the start of a valid frame, not all of it.
    pub partial: Vec<u8>,
}

/// A transport under test and the addresses to try it at.
#[derive(Debug)]
pub struct Harness {
    pub(crate) transport: SharedTransport,
    pub(crate) ctx: Context,
    listen: String,
    nobody: String,
    pub(crate) invalid: Vec<String>,
    pub(crate) raw: Option<RawAccess>,
}

impl Harness {
    /// A harness for `transport`. `listen` asks for any free address each time, `nobody` is where nobody listens.
    ///
    /// # Panics
    /// Outside a tokio runtime; the suite calls its factory inside one.
    pub fn new(transport: impl Transport, listen: &str, nobody: &str) -> Self {
        Self {
            transport: share(transport),
            ctx: TokioHost::context(),
            listen: listen.to_owned(),
            nobody: nobody.to_owned(),
            invalid: Vec::new(),
            raw: None,
        }
    }

    /// Adds an address of the transport's scheme that means nothing to it.
    #[must_use]
    pub fn invalid(mut self, address: &str) -> Self {
        self.invalid.push(address.to_owned());
        self
    }

    /// Lets the suite reach below the transport.
    #[must_use]
    pub fn raw(mut self, raw: RawAccess) -> Self {
        self.raw = Some(raw);
        self
    }

    pub(crate) fn free_address(&self) -> Result<Url, Failure> {
        Ok(Url::parse(&self.listen)?)
    }

    pub(crate) fn nobody(&self) -> Result<Url, Failure> {
        Ok(Url::parse(&self.nobody)?)
    }

    pub(crate) fn max_frame(&self) -> usize {
        self.transport.info().max_frame
    }

    pub(crate) fn raw_access(&self) -> Result<&RawAccess, Failure> {
        self.raw.as_ref().ok_or_else(|| Failure::new("the harness offers no raw access"))
    }

    /// A listener at a free address.
    pub(crate) async fn listen(&self) -> Result<BoxListener, Failure> {
        Ok(self.transport.listen(&self.ctx, &self.free_address()?).await?)
    }

    /// A new link to `listener`: the dialling end and the accepted one.
    pub(crate) async fn link_to(&self, listener: &mut BoxListener) -> Result<(End, End), Failure> {
        let address = listener.address();
        let (dialled, accepted) =
            futures_util::future::try_join(self.transport.dial(&self.ctx, &address), listener.accept())
                .await?;
        Ok((End::new(dialled), End::new(accepted)))
    }

    /// A listener and a link to it.
    pub(crate) async fn linked(&self) -> Result<(BoxListener, End, End), Failure> {
        let mut listener = self.listen().await?;
        let (dialled, accepted) = self.link_to(&mut listener).await?;
        Ok((listener, dialled, accepted))
    }

    /// A raw connection to `listener` that stands behind the opening, and the link that the listener made of it.
    pub(crate) async fn raw_link(&self, listener: &mut BoxListener) -> Result<(TcpStream, End), Failure> {
        let raw = self.raw_access()?;
        let address = listener.address();
        let opening = async {
            let mut stream = knock(&address).await?;
            (raw.greet)(&mut stream, &address).await?;
            Ok::<_, Failure>(stream)
        };
        let accepting = async { Ok::<_, Failure>(listener.accept().await?) };
        let (stream, link) = futures_util::future::try_join(opening, accepting).await?;
        Ok((stream, End::new(link)))
    }
}

/// A TCP connection to where `address` points.
pub(crate) async fn knock(address: &Url) -> Result<TcpStream, Failure> {
    let port = address.port()?.ok_or_else(|| Failure::new("raw access needs a port"))?;
    Ok(TcpStream::connect((address.host(), port)).await?)
}

/// One end of a link, taken apart.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) peer: String,
    pub(crate) sender: BoxSender,
    pub(crate) receiver: BoxReceiver,
}

impl End {
    /// Takes a link apart.
    pub(crate) fn new(link: BoxLink) -> Self {
        let peer = link.peer();
        let (sender, receiver) = link.split();
        Self { peer, sender, receiver }
    }

    /// Dials `address`.
    pub(crate) async fn dial(harness: &Harness, address: &Url) -> Result<Self, Failure> {
        Ok(Self::new(harness.transport.dial(&harness.ctx, address).await?))
    }
}

/// Sends the frames `numbers`, each of `length` bytes.
pub(crate) async fn send_frames(
    sender: &mut BoxSender,
    numbers: std::ops::Range<u64>,
    length: usize,
) -> Result<(), Failure> {
    for number in numbers {
        sender.send(frame(number, length)).await?;
    }
    Ok(())
}

/// Receives exactly the frames `numbers`, each of `length` bytes, in order.
pub(crate) async fn expect_frames(
    receiver: &mut BoxReceiver,
    numbers: std::ops::Range<u64>,
    length: usize,
) -> Result<(), Failure> {
    for number in numbers {
        expect_frame(receiver, &frame(number, length)).await?;
    }
    Ok(())
}

/// Receives exactly this frame.
pub(crate) async fn expect_frame(receiver: &mut BoxReceiver, expected: &[u8]) -> Result<(), Failure> {
    match receiver.receive().await? {
        Some(arrived) if arrived == expected => Ok(()),
        Some(arrived) => Err(Failure::new(format!(
            "another frame arrived: {} bytes instead of {}, or the same length with other content",
            arrived.len(),
            expected.len()
        ))),
        None => Err(Failure::new("the link ended instead of delivering a frame")),
    }
}

/// Receives the orderly end.
pub(crate) async fn expect_end(receiver: &mut BoxReceiver) -> Result<(), Failure> {
    match receiver.receive().await? {
        None => Ok(()),
        Some(arrived) => Err(Failure::new(format!("a frame of {} bytes instead of the end", arrived.len()))),
    }
}

/// Demands an error of one of these kinds.
pub(crate) fn expect_error<T>(result: Result<T, PluginError>, kinds: &[ErrorKind]) -> Result<(), Failure> {
    match result {
        Err(error) if kinds.contains(&error.kind()) => Ok(()),
        Err(error) => {
            Err(Failure::new(format!("expected one of {kinds:?}, got {:?}: {error}", error.kind())))
        }
        Ok(_) => Err(Failure::new(format!("expected one of {kinds:?}, got success"))),
    }
}
