//! A sealed conversation with a device, message by message. Nothing is answered that the test does not answer.

use sync_core::{
    ids::SpaceId,
    wire::{
        About, Channel, ErrorMessage, FrameKind, Handshake, Hello, Message, NoCompression, Role, Run,
        decode_frame, decode_inner, encode_frame, encode_inner, split_run,
    },
};
use sync_runtime::host::RuntimeHost;

use super::{Forger, JoinCode, Line};
use crate::device::Device;

/// A conversation.
#[derive(Debug)]
pub struct Talk {
    line: Line,
    channel: Channel,
    transfers: u64,
}

impl Talk {
    /// Shakes hands with `device`, which says Hello then; nothing else is said yet.
    pub async fn begin(code: &JoinCode, device: &Device) -> Self {
        let mut line = Line::to(device).await;
        let mut seed = [0; 32];
        RuntimeHost::context().fill_random(&mut seed);
        let mut handshake = Handshake::new(Role::Initiator, &code.key, seed).unwrap();
        line.put(encode_frame(FrameKind::Handshake, &handshake.write().unwrap()).unwrap()).await;
        let answer = line.take().await.unwrap();
        let (kind, body) = decode_frame(&answer).unwrap();
        assert_eq!(kind, FrameKind::Handshake);
        handshake.read(body).unwrap();
        Self { line, channel: handshake.finish().unwrap(), transfers: 0 }
    }

    /// Shakes hands and greets like a member.
    pub async fn greet(forger: &Forger, device: &Device) -> Self {
        let mut talk = Self::begin(&forger.code, device).await;
        talk.say(&Message::Hello(Box::new(forger.hello(&talk)))).await;
        assert!(talk.their_hello().await.is_some());
        talk
    }

    /// Shakes hands, says this instead of an honest Hello, and waits for what comes of it.
    pub async fn greet_with(forger: &Forger, device: &Device, lie: impl FnOnce(&mut Hello)) -> ErrorMessage {
        let mut talk = Self::begin(&forger.code, device).await;
        let mut hello = forger.hello(&talk);
        lie(&mut hello);
        talk.say(&Message::Hello(Box::new(hello))).await;
        talk.farewell().await
    }

    /// What a device signs in its Hello.
    pub fn greeting(&self, space: &SpaceId) -> Vec<u8> {
        let mut bytes = b"sync-kit hello 1\0\x01".to_vec();
        bytes.extend_from_slice(self.channel.handshake_hash());
        bytes.extend_from_slice(space.as_bytes());
        bytes
    }

    /// The device's Hello, if that is what comes next.
    pub async fn their_hello(&mut self) -> Option<Hello> {
        match self.hear().await {
            Some(Message::Hello(hello)) => Some(*hello),
            _ => None,
        }
    }

    /// Seals bytes into a frame that is not sent yet.
    pub fn seal(&mut self, inner: &[u8]) -> Vec<u8> {
        encode_frame(FrameKind::Sealed, &self.channel.seal(inner).unwrap()).unwrap()
    }

    /// Sends a frame as it is; whether the link still took it.
    pub async fn put(&mut self, frame: Vec<u8>) -> bool {
        self.line.put(frame).await
    }

    /// Seals and sends bytes that need not be a message.
    pub async fn say_bytes(&mut self, inner: &[u8]) -> bool {
        let frame = self.seal(inner);
        self.put(frame).await
    }

    /// Sends a message, in its place or not.
    pub async fn say(&mut self, message: &Message) -> bool {
        let inner = encode_inner(message.kind(), &message.encode(), None).unwrap();
        self.say_bytes(&inner).await
    }

    /// Sends a run as a member does; the number of its transfer.
    pub async fn say_run(&mut self, run: Run) -> u64 {
        self.transfers += 1;
        for part in split_run(run, self.transfers).unwrap() {
            self.say(&Message::Run(part)).await;
        }
        self.transfers
    }

    /// Sends a run and waits until the device is done with it, whatever became of it. An error about it is given
    /// back; that the device hangs up is a failure.
    pub async fn give(&mut self, run: Run) -> Option<ErrorMessage> {
        let transfer = self.say_run(run).await;
        let mut trouble = None;
        loop {
            match self.hear().await {
                Some(Message::Ack(ack)) if ack.done.contains(&transfer) => return trouble,
                Some(Message::Error(error)) if error.about == About::Transfer(transfer) => {
                    trouble = Some(error);
                }
                Some(Message::Error(error)) => panic!("the device ends the session: {error:?}"),
                Some(_) => {}
                None => panic!("the device hung up"),
            }
        }
    }

    /// The next message of the device; nothing when it hung up.
    pub async fn hear(&mut self) -> Option<Message> {
        let frame = self.line.take().await?;
        let (_, sealed) = decode_frame(&frame).unwrap();
        let inner = decode_inner(&self.channel.open(sealed).unwrap(), &mut NoCompression).unwrap();
        Some(Message::decode(inner.kind, &inner.body).unwrap())
    }

    /// Waits until the device hangs up, which it does not do without a word.
    pub async fn farewell(&mut self) -> ErrorMessage {
        let mut said = None;
        while let Some(message) = self.hear().await {
            if let Message::Error(error) = message {
                said = Some(error);
                self.line.close().await;
            }
        }
        said.unwrap_or_else(|| panic!("the device hung up without a word"))
    }
}
