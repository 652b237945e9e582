//! The engine as sessions see it.

use std::{collections::BTreeMap, sync::Arc};

use sync_core::{
    authorship::{Floor, Head, SignedStatement, Statement, VerifiedRun},
    hlc::Hlc,
    ids::{DeviceId, Hash, PartitionId},
    session::{LocalProfile, ServeRequest, SessionEvent},
    vector::VersionVector,
    wire::{Capabilities, ModelEntry, ProtocolRange, Run, Schema},
};
use tokio::sync::watch;

use super::Engine;
use crate::{
    error::{Error, ErrorKind},
    event::SyncEvent,
    exchange::{ExchangeEvent, Ingested, Replica},
    host,
};

impl Replica for Engine {
    fn profile(&self) -> LocalProfile {
        LocalProfile {
            space: self.parts.space,
            partition: PartitionId::ROOT,
            origin: self.origin(),
            key: Arc::clone(&self.parts.key),
            space_key: self.parts.space_key.clone(),
            schema: self.schema(),
            capabilities: Capabilities::default(),
            protocol: ProtocolRange::OWN,
            heads: BTreeMap::new(),
        }
    }

    fn vector(&self) -> watch::Receiver<Arc<VersionVector>> {
        self.vector.subscribe()
    }

    async fn serve(&self, request: ServeRequest) -> Result<Vec<Run>, Error> {
        self.read_runs(&request).await
    }

    async fn ingest(&self, run: Arc<VerifiedRun>) -> Result<Ingested, Error> {
        let closed = || Error::new(ErrorKind::Closed, "ingest", "the space is closed");
        let engine = self.own.upgrade().ok_or_else(closed)?;
        // A session that ends between the commit and what follows it must not keep the commit from being told.
        host::finish(async move {
            engine.take_in(&run).await?;
            Ok(Ingested { vector: engine.vector.now() })
        })
        .await
        .ok_or_else(closed)?
    }

    fn statements(&self) -> Vec<SignedStatement> {
        let vector = self.vector.now();
        let head = vector.head(&self.origin());
        let sign = || {
            let statement = Statement {
                space: self.parts.space,
                partition: PartitionId::ROOT,
                member: self.origin(),
                vector: VersionVector::clone(&vector),
                head: Head { seq: head, hash: Hash::NONE },
                clock: Hlc::at(self.now()),
                floor: Floor::default(),
            };
            statement.sign(&self.parts.key)
        };
        self.known_statements().all(&vector, sign)
    }

    fn take_statements(&self, statements: Vec<(SignedStatement, Statement)>) {
        self.known_statements().take(self.parts.origin.device, statements);
    }

    fn event(&self, event: ExchangeEvent) {
        let events = &self.parts.events;
        let trouble = |operation, detail, retried| SyncEvent::Trouble { operation, detail, retried };
        events.send(match event {
            ExchangeEvent::PeerUp { info, address } => {
                tracing::info!(device = %info.device, address, "a peer is up");
                self.compare_with(&info);
                SyncEvent::PeerUp { device: info.device }
            }
            ExchangeEvent::PeerDown { device: Some(device), error, .. } => {
                SyncEvent::PeerDown { device, reason: error.to_string() }
            }
            ExchangeEvent::PeerDown { device: None, address, error } => {
                trouble("handshake", format!("{address}: {error}"), true)
            }
            ExchangeEvent::DialFailed { address, error } => {
                trouble("dial", format!("{address}: {error}"), true)
            }
            ExchangeEvent::ListenFailed { address, error } => {
                trouble("listen", format!("{address}: {error}"), false)
            }
            ExchangeEvent::Session { device, event } => match event {
                SessionEvent::Reoffered => return,
                other => trouble("session", from(device, &format!("{other:?}")), true),
            },
            ExchangeEvent::IngestRetried { device, error } => trouble("ingest", from(device, &error), true),
            ExchangeEvent::IngestFailed { device, error } => trouble("ingest", from(device, &error), false),
            ExchangeEvent::Pulled { .. } => return,
            ExchangeEvent::TurnedAway { address } => {
                trouble("accept", format!("{address}: too many links"), true)
            }
            ExchangeEvent::Panicked { task } => trouble("task", format!("{task} panicked"), false),
        });
    }
}

/// What concerns a session, with whose it is where that is known.
fn from(device: Option<DeviceId>, what: &str) -> String {
    device.map_or_else(|| what.to_owned(), |device| format!("{device}: {what}"))
}

impl Engine {
    /// The models, and fingerprints that are equal where names, fields and kinds are.
    fn schema(&self) -> Schema {
        let local = self.local();
        let models: Vec<ModelEntry> = local
            .catalog
            .models
            .iter()
            .map(|model| {
                let mut bytes = Vec::new();
                for field in &model.fields {
                    bytes.extend_from_slice(field.name.as_str().as_bytes());
                    bytes.extend_from_slice(&[0, field.merge as u8]);
                }
                ModelEntry { name: model.name.clone(), fingerprint: short(&bytes) }
            })
            .collect();
        let all: Vec<u8> =
            models.iter().flat_map(|m| [m.name.as_str().as_bytes(), &[0], &m.fingerprint].concat()).collect();
        Schema { fingerprint: short(&all), models }
    }
}

fn short(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(Hash::of(bytes).0.split_at(16).0);
    out
}
