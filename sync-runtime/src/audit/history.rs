//! The log read as a peer would read it: chains, signatures and contents are checked, and the shared changes joined
//! anew.

use std::collections::{BTreeMap, HashMap};

use sea_orm::DatabaseTransaction;
use sync_core::{
    authorship::{DeviceKey, Shared, VerifiedRun, verify_run},
    changeset::Change,
    ids::{Hash, Origin, PartitionId, Seq},
    merge::Record,
    session::{ServePurpose, ServeRequest},
    vector::{Held, SeqRange},
};

use super::report::{Audit, Finding};
use crate::{
    apply::context::Place,
    engine::local::Local,
    error::Result,
    ingest, serve,
    store::{
        db::{integer, query, sqlite_row},
        origins::Origins,
    },
};

/// Records that are joined in one pass over the log.
const AT_ONCE: u64 = 200_000;
/// Bytes that are read of it at a time.
const PAGE: usize = 4 << 20;

/// Merged states of shared records as their changesets make them.
pub(super) type States = HashMap<Place, Record>;

/// What of the records one pass looks at: those whose id falls into one of so many shares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    number: u64,
    of: u64,
}

impl Pass {
    /// As many as bound the memory, for a log with so many shared changes.
    pub(super) fn all(changes: u64) -> impl Iterator<Item = Self> {
        let of = changes.div_ceil(AT_ONCE).max(1);
        (0..of).map(move |number| Self { number, of })
    }

    fn takes(self, change: &Change) -> bool {
        let (head, _) = change.record.as_bytes().split_at(8);
        let head = head.try_into().map_or(0, u64::from_be_bytes);
        // Derived ids and random ones spread alike; ids that count do so at their end.
        let (_, tail) = change.record.as_bytes().split_at(8);
        let tail = tail.try_into().map_or(0, u64::from_be_bytes);
        (head ^ tail) % self.of == self.number
    }
}

/// Reads the whole log once. What does not fit is added to `audit` by the first pass.
pub(super) async fn read(
    tx: &DatabaseTransaction,
    local: &Local,
    key: &DeviceKey,
    pass: Pass,
    audit: &mut Audit,
) -> Result<States> {
    let origins = Origins::load(tx).await?;
    let mut states = States::new();
    let mut silent = Audit::default();
    let audit = if pass.number == 0 { audit } else { &mut silent };
    for (origin, held) in origins.vector().iter() {
        for range in ranges(held) {
            let mut chain = Chain { origin: *origin, rest: range, last: None };
            while let Some(runs) = chain.next(tx, local, key, audit).await? {
                for changeset in runs.iter().flat_map(|run| &run.changesets) {
                    audit.changesets += 1;
                    let Shared::Body { body, .. } = &changeset.shared else { continue };
                    // What every member refuses is in the log and nowhere else.
                    if ingest::fault(local, body, changeset.header.version()).is_some() {
                        continue;
                    }
                    for change in body.changes(&changeset.header) {
                        if pass.takes(&change) {
                            join(local, &mut states, &change);
                        }
                    }
                }
            }
        }
    }
    Ok(states)
}

fn join(local: &Local, states: &mut States, change: &Change) {
    let Some((model, _)) = local.named(&change.model) else { return };
    if model.may_be_shared() {
        states.entry((model.index, change.record)).or_default().join_change(change);
    }
}

fn ranges(held: &Held) -> Vec<SeqRange> {
    let contiguous = SeqRange { first: Seq(1), last: held.head };
    std::iter::once(contiguous).chain(held.ranges.iter().copied()).filter(|range| !range.is_empty()).collect()
}

/// A range of an origin, read piece by piece.
struct Chain {
    origin: Origin,
    rest: SeqRange,
    /// Hash of the header read last.
    last: Option<Hash>,
}

impl Chain {
    /// The next piece, verified; `None` at the end, or where something does not fit.
    async fn next(
        &mut self,
        tx: &DatabaseTransaction,
        local: &Local,
        key: &DeviceKey,
        audit: &mut Audit,
    ) -> Result<Option<Vec<VerifiedRun>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let request = ServeRequest {
            partition: PartitionId::ROOT,
            lacking: vec![(self.origin, self.rest)],
            max_bytes: PAGE,
            purpose: ServePurpose::Push,
        };
        let served = match serve::serve(tx, local, key, &request).await {
            Ok(served) if served.is_empty() => return Ok(self.misfit("it is not there", audit)),
            Ok(served) => served,
            Err(error) => return Ok(self.misfit(error, audit)),
        };
        let mut out = Vec::with_capacity(served.len());
        for run in served {
            let verified = match verify_run(&local.space, run) {
                Ok(verified) => verified,
                Err(violation) => return Ok(self.misfit(violation, audit)),
            };
            if self.last.is_some_and(|last| last != verified.previous()) {
                return Ok(self.misfit("it does not continue the one before", audit));
            }
            self.last = verified.changesets.last().map(|changeset| changeset.hash);
            self.rest.first = verified.range().last.next();
            out.push(verified);
        }
        Ok(Some(out))
    }

    fn misfit(&self, why: impl std::fmt::Display, audit: &mut Audit) -> Option<Vec<VerifiedRun>> {
        audit.add(Finding::Log { origin: self.origin, seq: self.rest.first, detail: why.to_string() });
        None
    }
}

/// How many shared changes the log holds, by its headers.
pub(super) async fn shared_changes(tx: &DatabaseTransaction) -> Result<u64> {
    let mut count = 0_u64;
    let mut after: BTreeMap<i64, i64> = BTreeMap::new();
    for row in query(tx, "SELECT DISTINCT o FROM _sync_log", vec![]).await? {
        after.insert(integer(sqlite_row(&row)?, 0)?, 0);
    }
    for (origin, mut seq) in after {
        loop {
            let values = vec![sea_orm::Value::BigInt(Some(origin)), sea_orm::Value::BigInt(Some(seq))];
            let sql = "SELECT s, header FROM _sync_log WHERE o = ? AND s > ? ORDER BY s LIMIT 1000";
            let rows = query(tx, sql, values).await?;
            for row in &rows {
                let row = sqlite_row(row)?;
                seq = integer(row, 0)?;
                let header = crate::store::db::blob(row, 1)?.unwrap_or_default();
                if let Ok(header) = sync_core::changeset::Header::decode(header) {
                    count = count.saturating_add(u64::from(header.shared_count));
                }
            }
            if rows.len() < 1_000 {
                break;
            }
        }
    }
    Ok(count)
}
