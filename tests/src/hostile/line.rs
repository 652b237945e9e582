//! A bare link to a device, as the transport's plugin opens it: frames in, frames out, no manners.

use sync_core::wire::{ErrorMessage, FrameKind, Kind, Message, decode_frame};
use sync_plugin::{BoxReceiver, BoxSender, Link, LinkReceiver, LinkSender, Registry};
use sync_runtime::host::RuntimeHost;

use crate::device::{Device, PATIENCE};

/// A link.
#[derive(Debug)]
pub struct Line {
    sender: BoxSender,
    receiver: BoxReceiver,
}

impl Line {
    /// Dials `device` like any peer.
    pub async fn to(device: &Device) -> Self {
        let address = device.addresses().into_iter().next().unwrap();
        let transport = Registry::linked().unwrap().transport(&address).unwrap();
        let link = transport.dial(&RuntimeHost::context(), &address).await.unwrap();
        let (sender, receiver) = link.split();
        Self { sender, receiver }
    }

    /// Sends whatever it is; whether the link still took it.
    pub async fn put(&mut self, frame: Vec<u8>) -> bool {
        let sent = tokio::time::timeout(PATIENCE, self.sender.send(frame)).await;
        sent.unwrap_or_else(|_| panic!("the device neither reads nor hangs up")).is_ok()
    }

    /// The next frame; nothing when the device hung up.
    pub async fn take(&mut self) -> Option<Vec<u8>> {
        let taken = tokio::time::timeout(PATIENCE, self.receiver.receive()).await;
        taken.unwrap_or_else(|_| panic!("the device neither answers nor hangs up")).unwrap_or_default()
    }

    /// Ends this direction, so that the device need not wait for more before it hangs up.
    pub async fn close(&mut self) {
        // A device that has hung up already has not waited.
        drop(self.sender.close().await);
    }

    /// What the device said in the clear before it hung up; anything else it sent is passed over.
    pub async fn refusal(&mut self) -> Option<ErrorMessage> {
        let mut said = None;
        while let Some(frame) = self.take().await {
            let Ok((FrameKind::Refusal, body)) = decode_frame(&frame) else { continue };
            if let Ok(Message::Error(error)) = Message::decode(Kind::Error, body) {
                said = Some(error);
                self.close().await;
            }
        }
        said
    }
}
