//! The device that is attacked, an honest one beside it, and what must not change.

use std::collections::BTreeMap;

use sea_orm::ActiveModelTrait;
use sync_core::{ids::Seq, session::SessionError};
use sync_runtime::{Digest, Events, SyncEvent};

use super::Forger;
use crate::{
    device::{Device, Transport, event},
    digest::{Contents, contents, texts},
    network::{converge, pair},
    rows::{assign, label, memo, project, reading, task},
};

/// Every table, the framework's own too, as text.
type Dump = BTreeMap<String, Vec<String>>;

/// Two devices of a space that hold the same.
#[derive(Debug)]
pub struct Scene {
    /// The one that is attacked.
    pub a: Device,
    /// The honest one.
    pub b: Device,
    /// What the attacked device tells.
    pub events: Events,
    tables: (Digest, Contents),
    all: Dump,
    written: usize,
}

impl Scene {
    /// Two connected devices with rows of several models, shared ones and such as each of them owns.
    pub async fn set(transport: Transport) -> Self {
        let (a, b) = pair(transport).await;
        let (tag, plan) = (label(a.space(), "tag").await, project(b.space(), "plan").await);
        reading(a.uuid(), "a's", 1).insert(a.space()).await.unwrap();
        reading(b.uuid(), "b's", 2).insert(b.space()).await.unwrap();
        converge(&[&a, &b]).await;
        task(a.space(), plan.uuid, "task").await;
        memo(b.space(), plan.uuid, "memo").await;
        assign(a.space(), tag.uuid, plan.uuid, 3).await;
        converge(&[&a, &b]).await;
        let events = a.events();
        let (tables, all) = (tables(&a).await, dump(&a).await);
        Self { a, b, events, tables, all, written: 0 }
    }

    /// Both honest devices write and converge, whatever else goes on.
    pub async fn go_on(&mut self) {
        self.written += 1;
        label(self.b.space(), &format!("b goes on {}", self.written)).await;
        reading(self.b.uuid(), "b goes on", 0).insert(self.b.space()).await.unwrap();
        label(self.a.space(), &format!("a goes on {}", self.written)).await;
        self.settled().await;
    }

    /// The honest devices converge; what they hold now is what must not change.
    pub async fn settled(&mut self) {
        converge(&[&self.a, &self.b]).await;
        (self.tables, self.all) = (tables(&self.a).await, dump(&self.a).await);
    }

    /// No table of the attacked device changed, the framework's own neither, the link to the honest device is still
    /// the same, and they go on.
    pub async fn untouched(&mut self) {
        let now = dump(&self.a).await;
        for (table, rows) in &now {
            assert_eq!(self.all.get(table), Some(rows), "table {table}");
        }
        assert_eq!(now.len(), self.all.len());
        self.unharmed().await;
    }

    /// The application's tables did not change on either device, and they go on.
    pub async fn unharmed(&mut self) {
        assert_eq!(tables(&self.a).await, self.tables);
        let (honest, peers) = (self.b.device_id(), self.a.peers());
        assert!(peers.contains(&honest), "the honest device is cut off: {peers:?}");
        converge(&[&self.a, &self.b]).await;
        assert_eq!(tables(&self.b).await, self.tables);
        self.go_on().await;
    }

    /// Waits until the attacked device has told that a session ended for this reason.
    pub async fn ended(&mut self, why: impl Into<SessionError>) {
        let why = why.into().to_string();
        let told = |event: &SyncEvent| match event {
            SyncEvent::Trouble { operation: "handshake", detail, .. } => {
                detail.ends_with(&format!(": {why}"))
            }
            SyncEvent::PeerDown { reason, .. } => *reason == why,
            _ => false,
        };
        event(&mut self.events, &format!("a session ended: {why}"), |event| told(event).then_some(())).await;
    }

    /// The attacked device has told of no refusal and of nothing that failed since this was last asked.
    pub fn undisturbed(&mut self) {
        let told: Vec<SyncEvent> = std::iter::from_fn(|| self.events.try_next()).collect();
        let bad = |event: &&SyncEvent| matches!(event, SyncEvent::Trouble { .. } | SyncEvent::Refused { .. });
        assert_eq!(told.iter().filter(bad).collect::<Vec<_>>(), [&SyncEvent::Lagged { missed: 0 }; 0]);
    }

    /// Waits until the attacked device has told that it refuses a changeset of `forger`; why.
    pub async fn refused(&mut self, forger: &Forger, seq: u64) -> String {
        let wanted = (forger.origin, Seq(seq));
        event(&mut self.events, "a refusal", |event| match event {
            SyncEvent::Refused { origin, seq, reason } if (*origin, *seq) == wanted => Some(reason.clone()),
            _ => None,
        })
        .await
    }
}

/// What a device refuses for good: sequence and reason.
pub async fn refusals(device: &Device) -> Vec<String> {
    texts(device.space(), "SELECT s || ': ' || reason FROM _sync_refused ORDER BY o, s").await
}

async fn tables(device: &Device) -> (Digest, Contents) {
    (device.digest().await.unwrap(), contents(device.space()).await)
}

/// All tables but the statements of members, which are signed anew whenever a clock has moved; and the schema.
async fn dump(device: &Device) -> Dump {
    let query =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '_sync_member' ORDER BY name";
    let mut all = Dump::new();
    for table in texts(device.space(), query).await {
        let columns = format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
        let line = texts(device.space(), columns).await.join(" || ',' || ");
        let rows =
            texts(device.space(), format!("SELECT {line} AS line FROM \"{table}\" ORDER BY line")).await;
        all.insert(table, rows);
    }
    let schema = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1";
    all.insert("sqlite_master".to_owned(), texts(device.space(), schema).await);
    all
}
