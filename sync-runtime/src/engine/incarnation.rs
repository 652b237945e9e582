//! Who this device is at the moment. A device whose database is an older copy of itself must not give a number twice
//! that a peer has seen: it goes on under a new incarnation, and what it lost comes back from its peers as anything
//! else does.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Sql};
use sync_core::{
    ids::{DeviceId, Hash, Incarnation, Origin, Seq},
    session::PeerInfo,
};

use super::{Engine, local::Local};
use crate::{
    error::Result,
    event::SyncEvent,
    host,
    store::{
        batch::Batch,
        db::{blob, query_one, signed, sqlite_row},
        origins::Origins,
    },
};

/// The last changeset of the incarnation before, which the first one of the next names.
pub(crate) type Predecessor = (Origin, Seq, Hash);

const PREDECESSOR: &str = "predecessor";
/// How often a device takes a new incarnation at most while it is open.
const RENEWAL: Duration = Duration::from_hours(1);

/// The predecessor of the present incarnation, where there is one.
pub(crate) async fn predecessor(db: &(impl ConnectionTrait + ?Sized)) -> Result<Option<Predecessor>> {
    let key = Sql::String(Some(PREDECESSOR.to_owned()));
    let row = query_one(db, "SELECT value FROM _sync_meta WHERE key = ?", vec![key]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(blob(sqlite_row(&row)?, 0)?.and_then(read))
}

/// Notes what the incarnation that begins comes after.
pub(crate) fn note_predecessor(batch: &mut Batch, predecessor: Predecessor) {
    batch.push(
        "INSERT INTO _sync_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [Sql::String(Some(PREDECESSOR.to_owned())), Sql::Bytes(Some(write(predecessor)))],
    );
}

fn write((origin, seq, hash): Predecessor) -> Vec<u8> {
    let incarnation = origin.incarnation.0.to_be_bytes();
    [origin.device.as_bytes().as_slice(), &incarnation, &seq.0.to_be_bytes(), &hash.0].concat()
}

fn read(bytes: &[u8]) -> Option<Predecessor> {
    let (device, rest) = bytes.split_at_checked(16)?;
    let (incarnation, rest) = rest.split_at_checked(4)?;
    let (seq, hash) = rest.split_at_checked(8)?;
    let incarnation = Incarnation(u32::from_be_bytes(incarnation.try_into().ok()?));
    let origin = Origin { device: DeviceId::from_slice(device)?, incarnation };
    Some((origin, Seq(u64::from_be_bytes(seq.try_into().ok()?)), Hash(hash.try_into().ok()?)))
}

impl Engine {
    /// This device and its models, as they are now. Inside a write transaction they stay so.
    pub(super) fn local(&self) -> Arc<Local> {
        Arc::clone(&self.local.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// This device in its present incarnation.
    pub(crate) fn origin(&self) -> Origin {
        self.local().origin
    }

    /// A peer that holds more of this device than the device itself has seen a later state of it.
    pub(super) fn compare_with(&self, peer: &PeerInfo) {
        let own = self.origin();
        let known = peer.vector.held(&own).map_or(Seq::ZERO, sync_core::vector::Held::highest);
        if known <= self.vector.now().head(&own) {
            return;
        }
        let Some(engine) = self.own.upgrade() else { return };
        host::detach(async move {
            if let Err(error) = engine.go_on_anew(own, known).await {
                let detail =
                    format!("a peer holds changeset {known} of this device, which has lost it: {error}");
                engine.parts.events.send(SyncEvent::Trouble {
                    operation: "new incarnation",
                    detail,
                    retried: true,
                });
            }
        });
    }

    /// Takes a new incarnation, unless another peer made it do so already, or the device committed up to `known`
    /// in the meantime.
    async fn go_on_anew(&self, before: Origin, known: Seq) -> Result<()> {
        let tx = self.parts.database.writer().begin().await?;
        let mut origins = Origins::load(tx.connection()).await?;
        let Some(held) = origins.get(&before).cloned() else { return Ok(()) };
        let local = self.local();
        if local.origin != before || held.held.head >= known || !self.may_renew() {
            return Ok(());
        }
        let now = Origin { device: before.device, incarnation: self.draw_incarnation() };
        // ORDER: the folder first. Should it be the only one that knows, the next opening draws another one.
        (self.parts.remember)(now.incarnation)?;
        let predecessor = (before, held.held.head, held.head_hash);
        let own = origins.number(tx.connection(), now).await?;
        enter(tx.connection(), now, own.0, self.parts.key.public().0, predecessor).await?;
        // ORDER: before the commit, while nobody else can write: who drains next stamps under the new one.
        self.set_local(local.under(now, own, predecessor));
        if let Err(error) = tx.commit().await {
            self.set_local(Local::clone(&local));
            return Err(error);
        }
        tracing::warn!(%before, %now, held = %held.held.head, %known, "an older copy of this device was restored");
        self.parts.events.send(SyncEvent::NewIncarnation { before, now, held: held.held.head, known });
        Ok(())
    }

    /// Whether the last time is long enough ago. What a Hello says is not proved, and a member that lies shall not make
    /// this device take one incarnation after the other.
    fn may_renew(&self) -> bool {
        let now = self.parts.context.now().monotonic;
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let may = renewed.is_none_or(|last| now.saturating_sub(last) >= RENEWAL);
        if may {
            *renewed = Some(now);
        }
        may
    }

    fn set_local(&self, local: Local) {
        *self.local.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(local);
    }

    fn draw_incarnation(&self) -> Incarnation {
        let mut bytes = [0; 4];
        self.parts.context.fill_random(&mut bytes);
        Incarnation(u32::from_be_bytes(bytes))
    }
}

/// Makes `now` the origin of what is committed here from now on.
async fn enter(
    tx: &DatabaseTransaction,
    now: Origin,
    own: i64,
    public_key: [u8; 32],
    predecessor: Predecessor,
) -> Result<()> {
    let number = || Sql::BigInt(Some(own));
    let mut batch = Batch::default();
    let public_key = Sql::Bytes(Some(public_key.to_vec()));
    batch.push("UPDATE _sync_origin SET public_key = ? WHERE o = ?", [public_key, number()]);
    batch.push("UPDATE _sync_state SET own = ?", [number()]);
    let incarnation = Sql::BigInt(Some(signed(u64::from(now.incarnation.0))));
    batch.push("UPDATE _sync_meta SET value = ? WHERE key = 'incarnation'", [incarnation]);
    note_predecessor(&mut batch, predecessor);
    batch.flush(tx).await
}

#[cfg(test)]
mod tests {
    use sync_core::ids::{DeviceId, Hash, Incarnation, Origin, Seq};

    use super::{read, write};

    #[test]
    fn predecessors_are_read_as_written() {
        let origin = Origin { device: DeviceId::from_bytes([7; 16]), incarnation: Incarnation(u32::MAX - 1) };
        let predecessor = (origin, Seq(u64::MAX - 2), Hash([9; 32]));
        assert_eq!(read(&write(predecessor)), Some(predecessor));
        for length in 0..60 {
            assert_eq!(read(write(predecessor).get(..length).unwrap_or_default()), None, "{length}");
        }
    }
}
