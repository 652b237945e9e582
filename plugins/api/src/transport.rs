//! The transport contract as authors implement it, with native async functions. It must not know the engine: a frame
//! is bytes, a peer is a string for messages.

use crate::{Context, ErrorKind, PluginError, Result, Url};

/// The largest frame in bytes that any transport carries: 4 MiB, as the wire format has it.
pub const MAX_FRAME: usize = sync_core::wire::MAX_FRAME;

/// What a transport can do, as data: the engine asks before it calls, the conformance suite chooses by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// [`Transport::dial`] works.
    pub dial: bool,
    /// [`Transport::listen`] works.
    pub listen: bool,
    /// Its links never leave the process.
    pub local_only: bool,
}

/// What a transport is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportInfo {
    /// The URL scheme it answers to.
    pub scheme: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The largest frame it carries, in bytes; at most [`MAX_FRAME`].
    pub max_frame: usize,
}

/// A way in which frames travel between two devices.
pub trait Transport: Send + Sync + 'static {
    /// A link that [`Self::dial`] opened.
    type Link: Link;
    /// What [`Self::listen`] opened.
    type Listener: Listener;

    /// What this transport is and can do.
    ///
    /// # Behavior
    /// - The answer never changes, names the registered scheme, and `max_frame` is at most [`MAX_FRAME`] and not 0.
    fn info(&self) -> TransportInfo;

    /// Opens a link to whoever listens at `address`.
    ///
    /// # Behavior
    /// - Nobody there: [`ErrorKind::Unreachable`], without waiting for long.
    /// - Somebody there who never answers, answers rubbish or hangs up: a typed error within the transport's own
    ///   deadline.
    /// - Somebody there who listens but never accepts: success or a typed error, never an endless wait.
    /// - An address that the transport cannot read: [`ErrorKind::Configuration`], and nothing is opened.
    /// - Dropping the future leaves nothing open and the listener in working order.
    /// - Many dials at once do not disturb each other.
    /// - Without the capability: [`ErrorKind::Unsupported`].
    fn dial(&self, ctx: &Context, address: &Url) -> impl Future<Output = Result<Self::Link>> + Send;

    /// Starts to listen at `address`.
    ///
    /// # Behavior
    /// - The listener reports the address under which it can be dialled, with what was left open (port 0) filled in.
    /// - An address that is in use: [`ErrorKind::Refused`]; the first listener is unaffected.
    /// - After the listener is dropped nobody answers at its address, and it can be listened at again.
    /// - Two listeners at two addresses are independent.
    /// - Without the capability: [`ErrorKind::Unsupported`].
    fn listen(&self, ctx: &Context, address: &Url) -> impl Future<Output = Result<Self::Listener>> + Send;
}

/// Waits for links at one address; dropping it stops listening and leaves accepted links alone.
pub trait Listener: Send + 'static {
    /// A link that came in.
    type Link: Link;

    /// The address under which this listener can be dialled.
    fn address(&self) -> Url;

    /// The next link.
    ///
    /// # Behavior
    /// - Each dial that succeeded is accepted once.
    /// - Dropping the future loses no link.
    /// - A stranger who connects and says nothing, says rubbish or hangs up is not an error of the listener and delays
    ///   nobody else.
    /// - An error that is retryable leaves the listener usable; after one that is not, it is over.
    fn accept(&mut self) -> impl Future<Output = Result<Self::Link>> + Send;
}

/// One ordered stream of frames in each direction.
///
/// An orderly end is [`LinkSender::close`] on both sides and [`LinkReceiver::receive`] until `None`. Anything else is
/// a cut.
///
/// # Behavior
/// - Dropping a half before its direction ended in an orderly way cuts the link: the other half's pending and later
///   calls answer [`ErrorKind::Closed`] instead of waiting.
/// - When both halves are dropped without `close`, the peer's receiver ends with an error, never with `None`, and its
///   sender fails instead of waiting for ever.
/// - After a cut the same two addresses can be linked again.
pub trait Link: Send + 'static {
    /// The half that sends.
    type Sender: LinkSender;
    /// The half that receives.
    type Receiver: LinkReceiver;

    /// Takes the link apart, so that two tasks can use it at once.
    fn split(self) -> (Self::Sender, Self::Receiver);

    /// Who is at the other end, for messages and logs; proves nothing.
    fn peer(&self) -> String;
}

/// The sending half of a [`Link`].
pub trait LinkSender: Send + 'static {
    /// Hands `frame` to the link; returns when the link has taken it, not when it arrived.
    ///
    /// # Behavior
    /// - Frames arrive in the order in which they were sent, whole and unaltered, the empty one too.
    /// - A frame of exactly `max_frame` bytes passes; one byte more is [`ErrorKind::Limit`], nothing is sent and the
    ///   link stays usable.
    /// - While the peer does not read, `send` waits; what the link holds in the meantime is bounded.
    /// - A frame that was taken arrives without any later call: nothing is held back for a fuller buffer.
    /// - Dropping the future means that the frame arrives whole or not at all, and later frames are unaffected.
    /// - After [`Self::close`] and after a cut: [`ErrorKind::Closed`].
    fn send(&mut self, frame: Vec<u8>) -> impl Future<Output = Result<()>> + Send;

    /// Ends this direction after everything sent before; the other direction stays open.
    ///
    /// # Behavior
    /// - The peer receives every frame sent before, then `None`, and can still send.
    /// - A second `close` does nothing and succeeds.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// The receiving half of a [`Link`].
pub trait LinkReceiver: Send + 'static {
    /// The next frame; `None` when the peer ended its direction in an orderly way.
    ///
    /// # Behavior
    /// - Dropping the future loses no frame.
    /// - After `None` it answers `None` again, after an error an error again; it never waits then.
    /// - A peer that sends rubbish: [`ErrorKind::Malformed`]; one that announces more than `max_frame` bytes:
    ///   [`ErrorKind::Limit`] before anything of that size is allocated. Either way the link is over.
    /// - A peer that vanishes in the middle of a frame: [`ErrorKind::Closed`], and no part of that frame.
    fn receive(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>>> + Send;
}

/// Refuses a frame that is larger than `max_frame`; the first line of every [`LinkSender::send`].
pub fn check_frame(frame: &[u8], max_frame: usize) -> Result<()> {
    if frame.len() <= max_frame {
        return Ok(());
    }
    Err(PluginError::new(
        ErrorKind::Limit,
        "send",
        format!("frame of {} bytes, at most {max_frame} are allowed", frame.len()),
    ))
}
