//! One run. Everything in it is new, held already, or refused for a reason on which all members agree.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    authorship::{Shared, VerifiedChangeset, VerifiedRun},
    changeset::{Body, Change, ChangeKind, Section, Version, Versions},
    hlc::{Clock, Hlc, Millis, Skew, Stamp},
    ids::{Hash, Origin, RecordId, Seq},
    merge::check,
    value::{MergeKind, ValueRef},
    vector::{SeqRange, VersionVector},
};

use super::owners;
use crate::{
    apply::{self, Incoming, OwnNotes, Source, Written, settle::Settled},
    catalog::{ModelIndex, OwnerStep, Ownership},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        batch::Batch,
        compress,
        db::{blob, execute, integer, query_one, signed, sqlite_row},
        origins::Origins,
    },
};

/// What ingesting a run did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// Rows and records that changed.
    pub(crate) settled: Settled,
    /// Changesets that every member refuses.
    pub(crate) refused: Vec<(Origin, Seq, String)>,
    /// A clock far ahead.
    pub(crate) skew: Option<(Origin, Skew)>,
    /// Writes of one stamp and different bytes, and other faults of authors, in words.
    pub(crate) faults: Vec<String>,
    /// Nothing of it was new.
    pub(crate) known: bool,
    /// What is held afterwards, when something was new.
    pub(crate) held: VersionVector,
}

/// Takes in a run. The notes of other programs were drained before, in the same transaction.
pub(crate) async fn ingest(
    tx: &DatabaseTransaction,
    local: &Local,
    run: &VerifiedRun,
    now: Millis,
) -> Result<Report> {
    let mut origins = Origins::load(tx).await?;
    let origin = run.origin;
    let range = run.range();
    let held = origins.get(&origin).map(|row| row.held.clone()).unwrap_or_default();
    let mut report = Report::default();
    if (range.first.0..=range.last.0).all(|seq| held.contains(Seq(seq))) {
        report.known = true;
        report.faults.extend(equivocation(tx, &origins, run).await?);
        return Ok(report);
    }
    refuse_fork(&origins, run)?;
    origins.number(tx, origin).await?;
    let (proof, public_key) = (run.proof, run.public_key);
    let fresh: Vec<&VerifiedChangeset> =
        run.changesets.iter().filter(|c| !held.contains(c.header.seq)).collect();
    let mut intake = Intake {
        tx,
        local,
        origins: &origins,
        general: Vec::new(),
        rows: BTreeMap::new(),
        own: OwnNotes::default(),
        report,
    };
    let last = fresh.last().map(|c| c.header.seq);
    let mut high = Hlc::default();
    let mut headers: BTreeMap<Seq, (Version, Hash)> = BTreeMap::new();
    let mut bodies: Vec<(Version, &Body)> = Vec::new();
    let mut batch = Batch::default();
    batch.push("PRAGMA defer_foreign_keys = ON", []);
    let mut rows = Vec::new();
    for changeset in fresh {
        let seq = changeset.header.seq;
        let version = changeset.header.version();
        high = high.max(changeset.header.hlc);
        headers.insert(seq, (version, changeset.hash));
        let signature = (Some(seq) == last && proof.seq == seq).then(|| proof.signature.0.to_vec());
        rows.extend(log(&origins, changeset, signature)?);
        match &changeset.shared {
            Shared::None => {}
            Shared::Refused { reason, .. } => {
                intake.refuse(origin, seq, changeset.hash, reason.to_string(), &mut batch);
            }
            Shared::Body { body, .. } => match fault(local, body, version) {
                Some(reason) => intake.refuse(origin, seq, changeset.hash, reason, &mut batch),
                None => {
                    high = high.max(highest(body));
                    bodies.push((version, body));
                }
            },
        }
    }
    let insert = "INSERT OR IGNORE INTO _sync_log (o, s, hlc, header, shared, proof)";
    batch.push_rows(tx, insert, 6, "", rows).await?;
    batch.flush(tx).await?;
    let refused: BTreeSet<Seq> = intake.owned_refusals(origin, &run.owned, &headers).await?;
    // The shared changes beside refused rows are taken all the same: who gets the changeset from here gets it without
    // those rows, and could not know.
    for (version, body) in intake.gathered(bodies).await? {
        intake.body(body, Source { version, owned: false, gathered: false }).await?;
    }
    for body in &run.owned {
        high = high.max(highest(body));
        intake.owned(body, origin, &headers, &refused).await?;
    }
    let mut report = intake.finish().await?;
    report.skew = observe(tx, high, now, &mut batch).await?.map(|skew| (origin, skew));
    credit(tx, &mut origins, origin, range, &headers, public_key.0, &mut batch).await?;
    report.settled.surplus = report.settled.own.surplus(tx, local).await?;
    clear(local, &report.settled, &mut batch);
    batch.flush(tx).await?;
    report.held = origins.vector();
    Ok(report)
}

/// The first new changeset must continue what is held.
fn refuse_fork(origins: &Origins, run: &VerifiedRun) -> Result<()> {
    let Some(row) = origins.get(&run.origin) else { return Ok(()) };
    let continues = run.changesets.iter().find(|c| c.header.seq == row.held.head.next());
    match continues {
        Some(next) if row.held.head > Seq::ZERO && next.header.previous != row.head_hash => Err(Error::new(
            ErrorKind::Protocol,
            "ingest",
            format!(
                "{} went on differently after changeset {}: a restored backup or a copied device; nothing was applied",
                run.origin, row.held.head
            ),
        )),
        _ => Ok(()),
    }
}

/// Whether a changeset that is held came again with another content.
async fn equivocation(
    tx: &DatabaseTransaction,
    origins: &Origins,
    run: &VerifiedRun,
) -> Result<Option<String>> {
    let (Some(row), Some(last)) = (origins.get(&run.origin), run.changesets.last()) else { return Ok(None) };
    let values = vec![Sql::BigInt(Some(row.number.0)), Sql::BigInt(Some(signed(last.header.seq.0)))];
    let stored = query_one(tx, "SELECT header FROM _sync_log WHERE o = ? AND s = ?", values).await?;
    let Some(stored) = stored else { return Ok(None) };
    let same = blob(sqlite_row(&stored)?, 0)? == Some(last.header_bytes.as_slice());
    Ok((!same).then(|| format!("{} signed two different changesets {}", run.origin, last.header.seq)))
}

/// The highest stamp in a body, of those that are not the header's.
fn highest(body: &Body) -> Hlc {
    let stamps = |section: &Section| match &section.versions {
        Versions::Changeset => Hlc::default(),
        Versions::Stamps(all) => all.iter().map(|s| s.hlc).max().unwrap_or_default(),
        Versions::Explicit(all) => all.iter().map(|v| v.stamp.hlc).max().unwrap_or_default(),
    };
    let noted = |section: &Section| {
        let all = section.over.iter().chain(&section.seen_delete).flatten();
        all.map(|s: &Stamp| s.hlc).max().unwrap_or_default()
    };
    body.sections.iter().map(|s| stamps(s).max(noted(s))).max().unwrap_or_default()
}

fn log(
    origins: &Origins,
    changeset: &VerifiedChangeset,
    signature: Option<Vec<u8>>,
) -> Result<Option<Vec<Sql>>> {
    let Some(row) = origins.get(&changeset.header.origin) else { return Ok(None) };
    let shared = match &changeset.shared {
        Shared::None => None,
        Shared::Body { bytes, .. } | Shared::Refused { bytes, .. } => Some(compress::pack(bytes)?),
    };
    Ok(Some(vec![
        Sql::BigInt(Some(row.number.0)),
        Sql::BigInt(Some(signed(changeset.header.seq.0))),
        Sql::BigInt(Some(signed(changeset.header.hlc.0))),
        Sql::Bytes(Some(changeset.header_bytes.clone())),
        Sql::Bytes(shared),
        Sql::Bytes(signature),
    ]))
}

/// The clock takes note, within its bound; the ceiling takes note of everything.
async fn observe(
    tx: &DatabaseTransaction,
    high: Hlc,
    now: Millis,
    batch: &mut Batch,
) -> Result<Option<Skew>> {
    let row = query_one(tx, "SELECT clock FROM _sync_state", vec![]).await?;
    let stored = match &row {
        Some(row) => integer(sqlite_row(row)?, 0)?.cast_unsigned(),
        None => 0,
    };
    let mut clock = Clock::resume(Hlc(stored));
    let skew = clock.observe(high, now);
    let values = [Sql::BigInt(Some(signed(clock.high().0))), Sql::BigInt(Some(signed(high.0)))];
    batch.push("UPDATE _sync_state SET clock = ?, ceiling = max(ceiling, ?)", values);
    Ok(skew)
}

/// The vector covers the run now.
async fn credit(
    tx: &DatabaseTransaction,
    origins: &mut Origins,
    origin: Origin,
    range: SeqRange,
    headers: &BTreeMap<Seq, (Version, Hash)>,
    public_key: [u8; 32],
    batch: &mut Batch,
) -> Result<()> {
    let mut vector = VersionVector::new();
    let row = origins.get(&origin).cloned();
    if let Some(row) = &row {
        vector.insert(origin, SeqRange { first: Seq(1), last: row.held.head });
        for known in &row.held.ranges {
            vector.insert(origin, *known);
        }
    }
    vector.insert(origin, range);
    let held = vector.held(&origin).cloned().unwrap_or_default();
    let hash = match headers.get(&held.head) {
        Some((_, hash)) => *hash,
        None => stored_hash(tx, row.as_ref().map_or(0, |r| r.number.0), held.head).await?,
    };
    origins.save(batch, &origin, held, hash, Some(public_key));
    Ok(())
}

async fn stored_hash(tx: &DatabaseTransaction, number: i64, seq: Seq) -> Result<Hash> {
    let values = vec![Sql::BigInt(Some(number)), Sql::BigInt(Some(signed(seq.0)))];
    let row = query_one(tx, "SELECT header FROM _sync_log WHERE o = ? AND s = ?", values).await?;
    match &row {
        Some(row) => Ok(blob(sqlite_row(row)?, 0)?.map_or(Hash::NONE, Hash::of)),
        None => Ok(Hash::NONE),
    }
}

/// Apply's own notes are not anybody's changes.
fn clear(local: &Local, settled: &Settled, batch: &mut Batch) {
    batch.push("DELETE FROM _sync_pending", []);
    for index in settled.written.keys() {
        if let Some((model, _)) = local.model(*index).filter(|(model, _)| model.may_be_shared()) {
            batch.push(&format!("DELETE FROM {}", model.images_table()), []);
        }
    }
}

/// Changesets of up to this many changes are taken in together.
const SMALL: usize = 256;

struct Intake<'a> {
    tx: &'a DatabaseTransaction,
    local: &'a Local,
    origins: &'a Origins,
    /// Changes that take the general way, together at the end.
    general: Vec<Incoming>,
    /// Records that came in bulk.
    rows: BTreeMap<ModelIndex, Vec<RecordId>>,
    own: OwnNotes,
    report: Report,
}

impl Intake<'_> {
    fn refuse(&mut self, origin: Origin, seq: Seq, hash: Hash, reason: String, batch: &mut Batch) {
        if let Some(row) = self.origins.get(&origin) {
            batch.push(
                "INSERT OR IGNORE INTO _sync_refused (o, s, hash, reason) VALUES (?, ?, ?, ?)",
                [
                    Sql::BigInt(Some(row.number.0)),
                    Sql::BigInt(Some(signed(seq.0))),
                    Sql::Bytes(Some(hash.0.to_vec())),
                    Sql::String(Some(reason.clone())),
                ],
            );
        }
        self.report.refused.push((origin, seq, reason));
    }

    /// Sequences whose device-owned rows are not their author's.
    async fn owned_refusals(
        &mut self,
        origin: Origin,
        pages: &[Body],
        headers: &BTreeMap<Seq, (Version, Hash)>,
    ) -> Result<BTreeSet<Seq>> {
        let mut doubtful: Vec<Change> = Vec::new();
        for section in pages.iter().flat_map(|page| &page.sections) {
            let Some(own) = headers.values().next().map(|(version, _)| *version) else { break };
            let bulk = apply::is_eligible(
                self.local,
                section,
                Source { version: own, owned: true, gathered: false },
            );
            if !bulk {
                doubtful.extend(section.changes(own));
            }
        }
        let mut refused = BTreeSet::new();
        let mut batch = Batch::default();
        for change in &doubtful {
            if let (Err(fault), Some((_, hash))) = (check(change), headers.get(&change.version.seq)) {
                self.refuse(origin, change.version.seq, *hash, fault.to_string(), &mut batch);
                refused.insert(change.version.seq);
            }
        }
        let wrong = owners::violations(self.tx, self.local, self.origins, origin.device, &doubtful).await?;
        for (seq, reason) in wrong {
            if let Some((_, hash)) = headers.get(&seq) {
                self.refuse(origin, seq, *hash, reason, &mut batch);
                refused.insert(seq);
            }
        }
        batch.flush(self.tx).await?;
        Ok(refused)
    }

    /// Inserts the new rows of many small changesets together, a model at a time. Returns what is left.
    async fn gathered<'b>(&mut self, bodies: Vec<(Version, &'b Body)>) -> Result<Vec<(Version, &'b Body)>> {
        let mut together: BTreeMap<ModelIndex, Section> = BTreeMap::new();
        let mut taken = Vec::new();
        let mut rest = Vec::new();
        for (version, body) in bodies {
            let source = Source { version, owned: false, gathered: true };
            let fits = body.len() <= SMALL
                && body.sections.iter().all(|section| {
                    matches!(section.versions, Versions::Changeset)
                        && apply::is_eligible(self.local, section, source)
                        && self.local.named(&section.model).is_some_and(|(model, _)| {
                            together.get(&model.index).is_none_or(|first| first.same_columns(section))
                        })
                });
            if !fits {
                rest.push((version, body));
                continue;
            }
            for section in &body.sections {
                let Some((model, _)) = self.local.named(&section.model) else { continue };
                together.entry(model.index).or_insert_with(|| section.emptied()).append_as(section, version);
            }
            taken.push((version, body));
        }
        let Some((version, _)) = taken.first().filter(|_| taken.len() > 1) else {
            rest.append(&mut taken);
            rest.sort_by_key(|(version, _)| version.seq);
            return Ok(rest);
        };
        // The order of the models is parents first.
        let body = Body { sections: together.into_values().collect() };
        if !self.bulk(&body, Source { version: *version, owned: false, gathered: true }).await? {
            for (version, body) in taken {
                let changes = body.sections.iter().flat_map(|s| s.changes(version));
                self.general.extend(changes.map(|change| Incoming { change, owned: false }));
            }
        }
        Ok(rest)
    }

    /// Shared changes of one changeset.
    async fn body(&mut self, body: &Body, source: Source) -> Result<()> {
        let eligible = body.sections.iter().all(|s| apply::is_eligible(self.local, s, source));
        if eligible && self.bulk(body, source).await? {
            return Ok(());
        }
        let changes = body.sections.iter().flat_map(|s| s.changes(source.version));
        self.general.extend(changes.map(|change| Incoming { change, owned: source.owned }));
        Ok(())
    }

    /// A page of device-owned rows. Rows of changesets that are held already are compared like any other: they may
    /// be newer than ours.
    async fn owned(
        &mut self,
        page: &Body,
        origin: Origin,
        headers: &BTreeMap<Seq, (Version, Hash)>,
        refused: &BTreeSet<Seq>,
    ) -> Result<()> {
        let Some((version, _)) = headers.values().next().copied() else { return Ok(()) };
        let source = Source { version, owned: true, gathered: false };
        let eligible =
            refused.is_empty() && page.sections.iter().all(|s| apply::is_eligible(self.local, s, source));
        if eligible && self.bulk(page, source).await? {
            return Ok(());
        }
        let mut changes: Vec<Change> = page.sections.iter().flat_map(|s| s.changes(version)).collect();
        changes.retain(|change| !refused.contains(&change.version.seq));
        if eligible {
            // The bulk way would have found these; the general way has to look for itself.
            let wrong =
                owners::violations(self.tx, self.local, self.origins, origin.device, &changes).await?;
            let mut batch = Batch::default();
            for (seq, reason) in wrong {
                if let Some((_, hash)) = headers.get(&seq) {
                    self.refuse(origin, seq, *hash, reason, &mut batch);
                    changes.retain(|change| change.version.seq != seq);
                }
            }
            batch.flush(self.tx).await?;
        }
        self.general.extend(changes.into_iter().map(|change| Incoming { change, owned: true }));
        Ok(())
    }

    /// Tries the quick way; whatever it meets that is not simply new leaves no trace.
    async fn bulk(&mut self, body: &Body, source: Source) -> Result<bool> {
        execute(self.tx, "SAVEPOINT sync_bulk", vec![]).await?;
        let mut done = true;
        for section in &body.sections {
            match apply::insert_bulk(self.tx, self.local, self.origins, section, source).await {
                Ok(true) => {}
                Ok(false) => done = false,
                // A constraint of the application's tables: the general way finds out whose record gives way.
                Err(error) if error.kind() == ErrorKind::Database && !error.is_retryable() => done = false,
                Err(error) => return Err(error),
            }
            if !done {
                break;
            }
        }
        if !done {
            execute(self.tx, "ROLLBACK TO sync_bulk", vec![]).await?;
        }
        execute(self.tx, "RELEASE sync_bulk", vec![]).await?;
        if done {
            for section in &body.sections {
                if let Some((model, _)) = self.local.named(&section.model) {
                    self.own.add(model, Written::Inserted, section.records.len());
                    self.rows.entry(model.index).or_default().extend(&section.records);
                }
            }
        }
        Ok(done)
    }

    async fn finish(mut self) -> Result<Report> {
        if !self.general.is_empty() {
            let general = std::mem::take(&mut self.general);
            let applied = apply::apply_changes(self.tx, self.local, self.origins, general).await?;
            self.report.settled = applied.settled;
            self.report.faults.extend(
                applied
                    .equivocations
                    .iter()
                    .map(|(model, id)| format!("{model} {id}: one stamp, two values")),
            );
        }
        self.report.settled.own.merge(self.own);
        for (model, records) in self.rows {
            self.report.settled.written.entry(model).or_default().extend(records);
        }
        Ok(self.report)
    }
}

fn distinct_fields(section: &Section) -> bool {
    let names: BTreeSet<&str> = section.columns.iter().map(|c| c.field.as_str()).collect();
    names.len() == section.columns.len()
}

/// Why every member refuses these shared changes, if so.
pub(crate) fn fault(local: &Local, body: &Body, version: Version) -> Option<String> {
    for section in &body.sections {
        if let Some((model, _)) = local.named(&section.model)
            && !model.may_be_shared()
        {
            return Some(format!("\"{}\" is device-owned, not shared", model.name));
        }
        if let Some(fault) = owned_by_somebody(local, section) {
            return Some(fault);
        }
        let simple = matches!(section.versions, Versions::Changeset)
            && section.over.is_empty()
            && section.seen_delete.is_empty()
            && section.columns.iter().all(|c| c.merge == MergeKind::LastWriter)
            && (section.kind != ChangeKind::Delete || section.columns.is_empty())
            && distinct_fields(section);
        if !simple && let Some(fault) = section.changes(version).iter().find_map(|c| check(c).err()) {
            return Some(fault.to_string());
        }
    }
    None
}

/// Rows of a hybrid model that came as shared though their deciding column says that a device owns them.
fn owned_by_somebody(local: &Local, section: &Section) -> Option<String> {
    let (model, _) = local.named(&section.model)?;
    let Ownership::Device { path, otherwise_shared: true } = &model.regime else { return None };
    let field = |step: &OwnerStep| local.model(step.model)?.0.field(step.field?);
    if section.kind != ChangeKind::Insert
        || !path.iter().skip(1).all(|step| field(step).is_none_or(|f| !f.nullable))
    {
        return None;
    }
    let deciding = path.first().and_then(field)?;
    let column = section.columns.iter().find(|column| column.field == deciding.name)?;
    let owned = column.cells.iter().any(|value| value != ValueRef::Null);
    owned.then(|| format!("a row of \"{}\" that a device owns came as shared", model.name))
}
