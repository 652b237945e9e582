//! From the notes of a transaction to its changeset, inside the transaction that commits them.

use std::collections::BTreeMap;

use futures_util::future::join;
use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    changeset::{Header, Version},
    hlc::{Hlc, Millis, Stamp},
    ids::{Hash, PartitionId, RecordId, Seq},
};

use super::{
    ahead::Ahead,
    author::{Author, Findings, Writer},
    changes::{Encoded, LocalBody},
    identities, inserts,
    notes::NoteKind,
    shadowed,
    summary::{self, Summary},
    touched,
};
use crate::{
    apply::settle,
    catalog::{Model, quote},
    derived::{self, RowChange, RowChangeKind},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        batch::Batch,
        compress,
        db::{integer, query, signed, sqlite_row},
        model_sql::ModelSql,
        origins::Origins,
        versions::StateWrites,
    },
};

/// Time and randomness, passed in.
pub(crate) struct Moment<'a> {
    /// Now.
    pub(crate) now: Millis,
    /// Draws a record id.
    pub(crate) draw: &'a (dyn Fn() -> RecordId + Send + Sync),
}

/// What a drain committed.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// The changeset.
    pub(crate) header: Header,
    /// What other programs did that was left out, in words.
    pub(crate) left_out: Vec<String>,
    /// What the view shows differently because of it.
    pub(crate) settled: settle::Settled,
}

/// Takes up everything that is noted. Returns `None` when nothing is.
pub(crate) async fn drain(
    tx: &DatabaseTransaction,
    local: &Local,
    moment: &Moment<'_>,
    writer: Writer,
    ahead: Ahead,
) -> Result<Option<Committed>> {
    let mut summary = summary::read(tx, local, &ahead).await?;
    if summary.models.is_empty() {
        return Ok(None);
    }
    let numbers: Vec<i64> = summary.models.keys().copied().collect();
    let mut spread = false;
    for number in &numbers {
        if let Some((model, sql)) = local.numbered(*number) {
            spread |= identities::fill(tx, local, model, sql, moment.draw).await?;
        }
    }
    if spread {
        // Rows of derived ids that refer to each other would have to be derived again; the catalog keeps parents
        // first, and one level is what junctions have.
        summary = summary::read(tx, local, &ahead).await?;
    }
    let numbers: Vec<i64> = summary.models.keys().copied().collect();
    let hlc = summary.clock.tick(moment.now);
    if !hlc.is_valid() {
        return Err(Error::new(
            ErrorKind::Value,
            "commit",
            "the clock is outside 2020 to 2200; set it right",
        ));
    }
    let mut drain = Drain {
        tx,
        local,
        hlc,
        writer,
        ahead,
        body: LocalBody::default(),
        writes: StateWrites::default(),
        findings: Findings::default(),
        placed: Vec::new(),
        seeds: settle::Seeds::default(),
        derived: Vec::new(),
    };
    for number in &numbers {
        if let (Some((model, sql)), Some(kinds)) = (local.numbered(*number), summary.models.get(number)) {
            let quick =
                kinds.only_inserts() && !(summary.shadowed && inserts::meets_shadow(tx, model, sql).await?);
            drain.model(&summary, model, sql, quick).await?;
        }
    }
    drain.finish(summary).await
}

struct Drain<'a> {
    tx: &'a DatabaseTransaction,
    local: &'a Local,
    hlc: Hlc,
    writer: Writer,
    /// What was read before the commit.
    ahead: Ahead,
    body: LocalBody,
    writes: StateWrites,
    findings: Findings,
    /// Models whose versions are placed from the notes, and those notes.
    placed: Vec<(&'a Model, &'a ModelSql, (i64, i64))>,
    /// What the view must be looked at again for.
    seeds: settle::Seeds,
    derived: Vec<(&'a Model, Vec<RowChange>)>,
}

impl<'a> Drain<'a> {
    async fn model(
        &mut self,
        summary: &Summary,
        model: &'a Model,
        sql: &'a ModelSql,
        quick: bool,
    ) -> Result<()> {
        if derived::follows(&model.table) {
            self.derived.push((model, derived_rows(self.tx, model).await?));
        }
        // Stamps above the clock are rare; then every write is looked at on its own.
        let quick = quick && summary.ceiling < self.hlc;
        let seq = summary.head.next();
        let ahead = self.ahead.take(self.tx, self.local, model, seq, quick).await?;
        if quick {
            let (first, last) = summary.notes;
            let (ahead, rest) = match ahead {
                Some((gathered, at)) => (Some(gathered), (at.saturating_add(1), last)),
                None => (None, (first, last)),
            };
            let mut body = std::mem::take(&mut self.body);
            let collected = inserts::collect(self.tx, self.local, (model, sql), rest, ahead, &mut body).await;
            self.body = body;
            match collected {
                Ok(()) => {
                    self.placed.push((model, sql, rest));
                    return Ok(());
                }
                Err(error) if self.writer == Writer::OtherPrograms && error.kind() == ErrorKind::NotOwner => {
                }
                Err(error) => return Err(error),
            }
        }
        self.each(summary, model, sql).await
    }

    /// One record at a time.
    async fn each(&mut self, summary: &Summary, model: &'a Model, sql: &'a ModelSql) -> Result<()> {
        let (touched, mut origins) = touched::read(self.tx, self.local, model, sql).await?;
        if summary.shadowed || summary.ceiling >= self.hlc {
            origins = Origins::load(self.tx).await?;
        }
        let ids: Vec<RecordId> = touched.iter().map(|t| t.record).collect();
        let mut author = Author {
            origin: self.local.origin,
            own: self.local.own,
            seq: summary.head.next(),
            hlc: self.hlc,
            origins: &origins,
            writer: self.writer,
            targets: std::collections::HashMap::new(),
            shadow: std::collections::HashMap::new(),
            unresolved: std::collections::HashMap::new(),
        };
        if summary.shadowed {
            author.shadow = shadowed::states(self.tx, model, &ids).await?;
            author.unresolved = shadowed::unresolved(self.tx, self.local, model, &ids).await?;
            self.seeds.touched(model, &touched.iter().map(|t| t.record).collect::<Vec<_>>());
        }
        if summary.ceiling >= self.hlc {
            author.targets = shadowed::target_stamps(self.tx, self.local, &origins, model, &touched).await?;
        }
        for record in touched {
            author.author(model, record, &mut self.body, &mut self.writes, &mut self.findings)?;
        }
        self.correct(model).await
    }

    /// Puts what merge keeps into the columns.
    async fn correct(&mut self, model: &Model) -> Result<()> {
        let corrections = std::mem::take(&mut self.findings.corrections);
        let mut batch = Batch::default();
        for (key, field, value) in corrections {
            let Some(field) = model.field(field) else { continue };
            let matches = model
                .key
                .iter()
                .map(|k| format!("{} = ?", quote(&k.column)))
                .collect::<Vec<_>>()
                .join(" AND ");
            let text = format!("UPDATE {} SET {} = ? WHERE {matches}", model.quoted(), quote(&field.column));
            let value = std::iter::once(crate::store::db::bind(value.as_ref()));
            batch.push(&text, value.chain(key.to_sql()));
        }
        batch.flush(self.tx).await
    }

    async fn finish(self, summary: Summary) -> Result<Option<Committed>> {
        let Self { tx, local, hlc, body, writes, findings, placed, seeds, derived, .. } = self;
        let images: Vec<&Model> = summary
            .models
            .iter()
            .filter(|(_, kinds)| kinds.others)
            .filter_map(|(number, _)| local.numbered(*number))
            .map(|(model, _)| &**model)
            .filter(|model| model.may_be_shared())
            .collect();
        let mut batch = Batch::default();
        for (model, rows) in derived {
            derived::update(tx, &model.table, &rows).await?;
        }
        if body.is_empty() {
            // A row that only moved to another local key changed nothing that others see.
            writes.write(tx, local, &mut batch).await?;
            clear(&mut batch, &images);
            batch.flush(tx).await?;
            return Ok(None);
        }
        let stamp = Stamp::new(hlc, local.origin);
        let own = Version { stamp, origin: local.origin, seq: summary.head.next() };
        let place = async {
            for (model, sql, notes) in placed {
                inserts::place_versions(tx, local, (model, sql), own.seq, notes).await?;
            }
            Ok::<_, Error>(())
        };
        // The first statement is on its way to the database's thread before the encoding begins here.
        let encode = async {
            let encoded = body.encode(own);
            let packed = encoded.shared.as_deref().map(compress::pack).transpose()?;
            Ok::<_, Error>((header(local, summary, hlc, &encoded), packed))
        };
        let (placed, encoded) = join(place, encode).await;
        placed?;
        let (header, packed) = encoded?;
        write_changeset(local, &header, packed, &mut batch);
        writes.write(tx, local, &mut batch).await?;
        clear(&mut batch, &images);
        batch.flush(tx).await?;
        let settled = if seeds.is_empty() {
            settle::Settled::default()
        } else {
            settle::after_local(tx, local, seeds).await?
        };
        Ok(Some(Committed { header, left_out: findings.left_out, settled }))
    }
}

/// Empties the notes and the old rows.
fn clear(batch: &mut Batch, images: &[&Model]) {
    batch.push("DELETE FROM _sync_pending", []);
    for model in images {
        batch.push(&format!("DELETE FROM {}", model.images_table()), []);
    }
}

fn header(local: &Local, summary: Summary, hlc: Hlc, encoded: &Encoded) -> Header {
    Header {
        version: Header::VERSION,
        space: local.space,
        partition: PartitionId::ROOT,
        origin: local.origin,
        seq: summary.head.next(),
        hlc,
        seen: summary.seen,
        previous: summary.head_hash,
        predecessor: local.predecessor.filter(|_| summary.head == Seq::ZERO),
        siblings: Vec::new(),
        parts: encoded.shared.as_ref().map_or(1, |bytes| parts(bytes.len())),
        shared: encoded.shared.as_deref().map_or(Hash::NONE, Hash::of),
        owned: encoded.owned,
        shared_count: encoded.shared_count,
        owned_count: encoded.owned_count,
    }
}

/// Bytes of a body that travel in one part.
const PART: usize = 1 << 20;

fn parts(length: usize) -> u32 {
    u32::try_from(length.div_ceil(PART)).unwrap_or(u32::MAX).max(1)
}

/// `shared` as the log keeps it.
fn write_changeset(local: &Local, header: &Header, shared: Option<Vec<u8>>, batch: &mut Batch) {
    let bytes = header.encode();
    let hash = Hash::of(&bytes);
    let (own, seq) = (Sql::BigInt(Some(local.own.0)), Sql::BigInt(Some(signed(header.seq.0))));
    let hlc = Sql::BigInt(Some(signed(header.hlc.0)));
    batch.push(
        "INSERT INTO _sync_log (o, s, hlc, header, shared) VALUES (?, ?, ?, ?, ?)",
        [own.clone(), seq.clone(), hlc.clone(), Sql::Bytes(Some(bytes)), Sql::Bytes(shared)],
    );
    if !header.seen.is_empty() {
        batch.push("UPDATE _sync_origin SET seen = head WHERE seen <> head", []);
    }
    batch.push(
        "UPDATE _sync_origin SET head = ?, head_hash = ? WHERE o = ?",
        [seq, Sql::Bytes(Some(hash.0.to_vec())), own],
    );
    batch.push("UPDATE _sync_state SET clock = ?, ceiling = max(ceiling, ?)", [hlc.clone(), hlc]);
}

/// What a transaction did to the rows of a model that derived tables follow.
async fn derived_rows(tx: &DatabaseTransaction, model: &Model) -> Result<Vec<RowChange>> {
    let sql = "SELECT k0, t FROM _sync_pending WHERE m = ? ORDER BY n";
    let mut keys: BTreeMap<i64, (bool, bool)> = BTreeMap::new();
    for row in query(tx, sql, vec![Sql::BigInt(Some(model.number))]).await? {
        let row = sqlite_row(&row)?;
        let (key, kind) = (integer(row, 0)?, NoteKind::from_number(integer(row, 1)?));
        let entry = keys.entry(key).or_insert((kind != Some(NoteKind::Insert), true));
        entry.1 = !matches!(kind, Some(NoteKind::Delete | NoteKind::Moved));
    }
    Ok(keys
        .into_iter()
        .filter_map(|(key, (before, now))| {
            let kind = match (before, now) {
                (true, true) => RowChangeKind::Updated,
                (true, false) => RowChangeKind::Deleted,
                (false, true) => RowChangeKind::Inserted,
                (false, false) => return None,
            };
            Some(RowChange { key, kind })
        })
        .collect())
}
