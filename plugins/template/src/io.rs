//! Bytes on the connection: the opening, frames, the end of a direction. Must not know addresses.

use std::io;
use sync_plugin::{
    ErrorKind, LinkReceiver, LinkSender, MAX_FRAME, PluginError, Result, Tether, check_frame, tether,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// What both sides say first; its last letter is the version of the wire form.
const OPENING: [u8; 8] = *b"SYNCTPL1";

/// The length that stands for the end of a direction.
const END: u32 = u32::MAX;

/// How much is read at once at least.
const READ_SIZE: usize = 16 * 1024;

/// Says the opening and hears it.
pub(crate) async fn open(operation: &'static str, stream: &mut TcpStream) -> Result<()> {
    stream.write_all(&OPENING).await.map_err(|error| explain(operation, error))?;
    let mut heard = [0; OPENING.len()];
    stream.read_exact(&mut heard).await.map_err(|error| explain(operation, error))?;
    if heard == OPENING {
        return Ok(());
    }
    Err(PluginError::new(ErrorKind::Malformed, operation, "the peer does not speak this protocol"))
}

/// An error of a connection that was open: whatever the system calls it, the link is over.
pub(crate) fn explain(operation: &'static str, error: io::Error) -> PluginError {
    PluginError::new(ErrorKind::Closed, operation, "the connection broke").with_source(error)
}

/// The sender and the receiver of a connection. The tether lets each notice that the other was dropped.
pub(crate) fn halves(stream: TcpStream) -> (TemplateSender, TemplateReceiver) {
    let (read, write) = stream.into_split();
    let (sender_tether, receiver_tether) = tether();
    (
        TemplateSender { write, unsent: Vec::new(), written: 0, closed: false, tether: sender_tether },
        TemplateReceiver { read, arrived: Arrived::default(), over: None, tether: receiver_tether },
    )
}

/// The sending half.
#[derive(Debug)]
pub struct TemplateSender {
    write: OwnedWriteHalf,
    /// The frame that is being written. It survives a dropped `send`: half a frame must not be followed by another.
    unsent: Vec<u8>,
    /// How much of it is written.
    written: usize,
    closed: bool,
    tether: Tether,
}

impl TemplateSender {
    /// Writes what a dropped `send` left, then one more record.
    async fn write_record(&mut self, operation: &'static str, length: u32, content: &[u8]) -> Result<()> {
        let (write, unsent, written) = (&mut self.write, &mut self.unsent, &mut self.written);
        let writing = async {
            flush(write, unsent, written).await.map_err(|error| explain(operation, error))?;
            unsent.clear();
            *written = 0;
            unsent.extend_from_slice(&length.to_be_bytes());
            unsent.extend_from_slice(content);
            flush(write, unsent, written).await.map_err(|error| explain(operation, error))
        };
        self.tether.run(operation, writing).await
    }
}

/// Writes the rest of `unsent`; `written` is right at every await, so this can be dropped and called again.
async fn flush(write: &mut OwnedWriteHalf, unsent: &[u8], written: &mut usize) -> io::Result<()> {
    while let Some(rest) = unsent.get(*written..).filter(|rest| !rest.is_empty()) {
        match write.write(rest).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => *written += count,
        }
    }
    Ok(())
}

impl LinkSender for TemplateSender {
    async fn send(&mut self, frame: Vec<u8>) -> Result<()> {
        check_frame(&frame, MAX_FRAME)?;
        if self.closed {
            return Err(PluginError::new(ErrorKind::Closed, "send", "this side closed the link before"));
        }
        let too_long = |_| PluginError::new(ErrorKind::Limit, "send", "the length does not fit its field");
        let length = u32::try_from(frame.len()).map_err(too_long)?;
        self.write_record("send", length, &frame).await
    }

    async fn close(&mut self) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        self.write_record("close", END, &[]).await?;
        self.closed = true;
        self.tether.finish();
        Ok(())
    }
}

/// The receiving half.
#[derive(Debug)]
pub struct TemplateReceiver {
    read: OwnedReadHalf,
    /// Survives a dropped `receive`, so no frame is lost.
    arrived: Arrived,
    over: Option<Over>,
    tether: Tether,
}

/// Bytes that arrived, of which the first `taken` were handed out already.
#[derive(Debug, Default)]
struct Arrived {
    bytes: Vec<u8>,
    taken: usize,
}

/// How this direction ended.
#[derive(Clone, Copy, Debug)]
enum Over {
    Orderly,
    Failed(ErrorKind),
}

/// What the bytes that arrived so far begin with.
enum Next {
    Frame(Vec<u8>),
    End,
    Incomplete,
}

impl LinkReceiver for TemplateReceiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        match self.over {
            Some(Over::Orderly) => return Ok(None),
            Some(Over::Failed(kind)) => {
                return Err(PluginError::new(kind, "receive", "the link ended before"));
            }
            None => {}
        }
        let (read, arrived) = (&mut self.read, &mut self.arrived);
        let outcome = self.tether.run("receive", next_frame(read, arrived)).await;
        match &outcome {
            Ok(Some(_)) => {}
            Ok(None) => {
                self.over = Some(Over::Orderly);
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

/// Reads until there is a frame or the end. Cancel-safe: `read_buf` takes bytes only when it completes.
async fn next_frame(read: &mut OwnedReadHalf, arrived: &mut Arrived) -> Result<Option<Vec<u8>>> {
    loop {
        match arrived.take_next()? {
            Next::Frame(frame) => return Ok(Some(frame)),
            Next::End => return Ok(None),
            Next::Incomplete => {}
        }
        arrived.make_room();
        let count = read.read_buf(&mut arrived.bytes).await.map_err(|error| explain("receive", error))?;
        if count == 0 {
            return Err(PluginError::new(
                ErrorKind::Closed,
                "receive",
                "the connection ended without its end",
            ));
        }
    }
}

impl Arrived {
    /// Takes one record, when it is there as a whole.
    fn take_next(&mut self) -> Result<Next> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((header, content)) = rest.split_first_chunk::<4>() else { return Ok(Next::Incomplete) };
        let length = u32::from_be_bytes(*header);
        if length == END {
            return Ok(Next::End);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_FRAME {
            let message = format!("the peer announces {length} bytes, at most {MAX_FRAME} are allowed");
            return Err(PluginError::new(ErrorKind::Limit, "receive", message));
        }
        let Some(frame) = content.get(..length) else { return Ok(Next::Incomplete) };
        let frame = frame.to_vec();
        self.taken += header.len() + length;
        Ok(Next::Frame(frame))
    }

    /// Forgets what was handed out and makes room to read. The buffer grows with what arrives, never with what a peer
    /// only announces.
    fn make_room(&mut self) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.reserve(READ_SIZE);
    }
}
