//! Ticks and heartbeats: keep-alive, and the net under everything that was lost on the way.

use std::sync::Arc;

use super::{
    Output, Session, SessionError,
    machine::{HANDSHAKE_LIMIT, HEARTBEAT_EVERY, Phase, SILENCE_LIMIT},
};
use crate::{
    hlc::Millis,
    vector::VersionVector,
    wire::{Heartbeat, Message, VectorEntry},
};

/// Entries are not told more often, however often the peer asks.
const ENTRIES_GAP: Millis = Millis(1_000);
const MAX_ENTRIES: usize = 65_536;

impl Session {
    pub(super) fn on_tick(&mut self) -> Result<(), SessionError> {
        let passed = |since: Millis, limit: Millis| self.now.0.saturating_sub(since.0) >= limit.0;
        match self.phase {
            Phase::Handshake(_) | Phase::Greeting(_) if passed(self.opened, HANDSHAKE_LIMIT) => {
                return Err(SessionError::Timeout);
            }
            Phase::Live(_) if passed(self.heard, SILENCE_LIMIT) => return Err(SessionError::Timeout),
            Phase::Live(_) if passed(self.beaten, HEARTBEAT_EVERY) => {
                self.beaten = self.now;
                self.beat(None)?;
            }
            _ => {}
        }
        self.pump()
    }

    fn beat(&mut self, entries: Option<Vec<VectorEntry>>) -> Result<(), SessionError> {
        self.send(&Message::Heartbeat(Heartbeat {
            partition: self.profile.partition,
            digest: self.local.digest(),
            is_answer: entries.is_some(),
            entries: entries.unwrap_or_default(),
        }))
    }

    pub(super) fn on_heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<(), SessionError> {
        if heartbeat.partition != self.profile.partition {
            return Ok(());
        }
        if heartbeat.is_answer {
            let vector = VectorEntry::to_vector(&heartbeat.entries).ok_or(SessionError::ImpossibleVector)?;
            self.peer_holds.merge(&vector);
            self.sending.offered.merge(&vector);
            self.out.push(Output::PeerVector(Arc::new(self.peer_holds.clone())));
            self.reoffer();
            return self.pump();
        }
        if heartbeat.digest == self.local.digest() {
            self.peer_holds.merge(&self.local);
            self.sending.offered.merge(&self.local);
            return Ok(());
        }
        let soon = self.entries_told.is_some_and(|at| self.now.0.saturating_sub(at.0) < ENTRIES_GAP.0);
        if soon {
            return Ok(());
        }
        self.entries_told = Some(self.now);
        let entries = self.entries_to_tell();
        self.told = VersionVector::clone(&self.local);
        self.beat(Some(entries))
    }

    /// The entries that changed since the peer was last told, or all when none did.
    fn entries_to_tell(&self) -> Vec<VectorEntry> {
        let all = || self.local.iter().map(|(origin, held)| VectorEntry::new(*origin, held, None));
        let told = |entry: &VectorEntry| self.told.held(&entry.origin) == self.local.held(&entry.origin);
        let changed: Vec<_> = all().filter(|entry| !told(entry)).take(MAX_ENTRIES).collect();
        if changed.is_empty() { all().take(MAX_ENTRIES).collect() } else { changed }
    }
}
