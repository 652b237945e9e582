//! The beginning: Noise messages, then Hello. Nothing of the peer's is believed before its Hello is checked.

use super::{
    Input, Output, PeerInfo, Session, SessionError, SessionEvent,
    machine::{Heads, Phase},
};
use crate::{
    authorship::{sign_hello, verify_hello},
    vector::VersionVector,
    wire::{
        Capabilities, FrameKind, Handshake, Hello, Kind, Message, PartitionVector, Role, SealError,
        VectorEntry, encode_frame,
    },
};

/// A Noise handshake under way; `None` only while it is being used up.
pub(super) struct Handshaking(Option<Box<Handshake>>);

impl Session {
    pub(super) fn begin(&mut self, seed: [u8; 32]) {
        match Handshake::new(self.role, &self.profile.space_key, seed) {
            Ok(handshake) => self.phase = Phase::Handshake(Handshaking(Some(Box::new(handshake)))),
            Err(error) => {
                self.out.push(Output::Close(error.into()));
                return;
            }
        }
        if self.role == Role::Initiator
            && let Err(error) = self.write_handshake()
        {
            self.fail(error);
        }
    }

    fn handshake(&mut self) -> Result<&mut Handshake, SessionError> {
        match &mut self.phase {
            Phase::Handshake(Handshaking(Some(handshake))) => Ok(handshake),
            _ => Err(SealError::Handshake.into()),
        }
    }

    fn write_handshake(&mut self) -> Result<(), SessionError> {
        let message = self.handshake()?.write()?;
        self.out.push(Output::Send(encode_frame(FrameKind::Handshake, &message)?));
        Ok(())
    }

    pub(super) fn on_handshake(&mut self, message: &[u8]) -> Result<(), SessionError> {
        self.handshake()?.read(message)?;
        if self.role == Role::Responder {
            self.write_handshake()?;
        }
        let Phase::Handshake(Handshaking(place)) = &mut self.phase else {
            return Err(SealError::Handshake.into());
        };
        let channel = place.take().ok_or(SealError::Handshake)?.finish()?;
        let hello = self.hello(channel.handshake_hash());
        self.phase = Phase::Greeting(channel);
        self.send(&Message::Hello(Box::new(hello)))
    }

    fn hello(&mut self, handshake: &[u8; 32]) -> Hello {
        let profile = &self.profile;
        let mut capabilities = profile.capabilities;
        if self.compression.is_available() {
            capabilities = capabilities.with(Capabilities::ZSTD);
        }
        self.told = VersionVector::clone(&self.local);
        let entries = self
            .local
            .iter()
            .map(|(origin, held)| VectorEntry::new(*origin, held, profile.heads.get(origin).copied()));
        Hello {
            protocol: profile.protocol,
            space: profile.space,
            origin: profile.origin,
            public_key: profile.key.public(),
            signature: sign_hello(&profile.key, self.role, handshake, &profile.space, &profile.origin),
            schema: profile.schema.clone(),
            capabilities,
            vectors: vec![PartitionVector { partition: profile.partition, entries: entries.collect() }],
        }
    }

    pub(super) fn on_hello(&mut self, hello: Hello) -> Result<(), SessionError> {
        let Phase::Greeting(channel) = &self.phase else {
            return Err(SessionError::OutOfPlace(Kind::Hello));
        };
        let profile = &self.profile;
        let protocol =
            profile.protocol.common(hello.protocol).ok_or(SessionError::NoCommonProtocol(hello.protocol))?;
        if hello.space != profile.space {
            return Err(SessionError::WrongSpace);
        }
        let proved = verify_hello(
            &hello.public_key,
            &hello.signature,
            self.role.other(),
            channel.handshake_hash(),
            &hello.space,
            &hello.origin,
        );
        if !proved {
            return Err(SessionError::BadSignature(hello.origin));
        }
        if hello.origin.device == profile.origin.device {
            self.out.push(Output::Event(SessionEvent::OwnDeviceSeen(hello.origin)));
            return Err(SessionError::OwnDevice(hello.origin));
        }
        let mut vector = VersionVector::new();
        let mut heads = Heads::new();
        for stated in hello.vectors.iter().filter(|stated| stated.partition == profile.partition) {
            vector.merge(&VectorEntry::to_vector(&stated.entries).ok_or(SessionError::ImpossibleVector)?);
            heads.extend(stated.entries.iter().filter_map(|entry| Some((entry.origin, entry.hash?))));
        }
        self.compress = self.compression.is_available() && hello.capabilities.contains(Capabilities::ZSTD);
        if let Phase::Greeting(channel) = std::mem::replace(&mut self.phase, Phase::Closed) {
            self.phase = Phase::Live(channel);
        }
        self.peer = Some(hello.origin);
        self.heard = self.now;
        self.beaten = self.now;
        self.peer_holds.merge(&vector);
        self.sending.offered.merge(&vector);
        self.out.push(Output::PeerUp(Box::new(PeerInfo {
            device: hello.origin.device,
            origin: hello.origin,
            protocol,
            schema: hello.schema,
            capabilities: hello.capabilities,
            heads,
            vector,
        })));
        self.pump()
    }
}

impl From<SessionError> for Input {
    fn from(reason: SessionError) -> Self {
        Self::Shutdown(reason)
    }
}
