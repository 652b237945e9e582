//! New rows in bulk: what an apply mostly sees. Whole sections of inserts are written without loading anything but
//! the targets of their references. Whenever a row is not simply new, the caller takes the general way instead.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    changeset::{CellIter, ChangeKind, Section, Version, Versions},
    ids::{DeviceId, RecordId},
    merge::resolves,
    value::{MergeKind, ValueRef},
};

use super::{load, place};
use crate::{
    capture::{fits, guard},
    catalog::{Model, ModelIndex, quote},
    derived::{self, RowChange, RowChangeKind},
    engine::local::Local,
    error::Result,
    store::{
        db::{bind, cell, execute, integer, marks, placeholders, query, query_one, signed, sqlite_row},
        key::Key,
        model_sql::ModelSql,
        origins::{OriginNumber, Origins},
        rows,
        versions::{id, is_hybrid},
    },
};

/// Variables in one INSERT; larger ones cost more than they save.
const VARIABLES: usize = 8_000;
const CHUNK: usize = 500;

/// Rows that came in bulk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// Version of the changeset; for pages of state only the origin counts.
    pub(crate) version: Version,
    /// They came as device-owned rows.
    pub(crate) owned: bool,
    /// They are of several changesets, and every stamp is the one of its changeset's header.
    pub(crate) gathered: bool,
}

/// Whether a section can go this way at all.
pub(crate) fn is_eligible(local: &Local, section: &Section, source: Source) -> bool {
    let Some((model, _)) = local.named(&section.model) else { return false };
    section.kind == ChangeKind::Insert
        && section.over.is_empty()
        && section.seen_delete.is_empty()
        && section.columns.len() == model.fields.len()
        && model.fields.iter().all(|f| f.merge != MergeKind::Set)
        && section
            .columns
            .iter()
            .all(|c| model.field_named(c.field.as_str()).is_some_and(|(_, f)| f.merge == c.merge))
        && plain_key(model)
        && match &section.versions {
            Versions::Changeset => true,
            Versions::Stamps(_) => false,
            Versions::Explicit(all) => all
                .iter()
                .all(|v| v.origin == source.version.origin && v.stamp.origin == source.version.origin),
        }
}

/// The key is a number that this database chooses, or the record id.
fn plain_key(model: &Model) -> bool {
    model.key.len() == 1
        && model.key.iter().all(|k| k.field.is_none())
        && (model.rowid_key || model.id.is_key)
}

/// Inserts a section's rows. `false`: a row is not simply new; what was written must be rolled back. A constraint of
/// the database that fails is an error and means the same.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    section: &Section,
    source: Source,
) -> Result<bool> {
    let Some((model, sql)) = local.named(&section.model) else { return Ok(false) };
    if meets_shadow(tx, model, &section.records).await? {
        return Ok(false);
    }
    let first_key = if model.id.is_key { 0 } else { place::next_key(tx, model).await? };
    let Some(targets) = resolve(tx, local, origins, model, section, source, first_key).await? else {
        return Ok(false);
    };
    // What is written here is new or fails; where it fails, a savepoint brings the guard back.
    let many = section.records.len() >= CHUNK;
    if many {
        guard::lower(tx).await?;
    }
    write_rows(tx, model, section, &targets, first_key).await?;
    if many {
        guard::raise(tx).await?;
    }
    let author = source.version.origin.device;
    let own = match rows::all_owned_by(section, model, author) {
        _ if !source.owned => true,
        Some(own) => own,
        None => owned_by(tx, model, sql, author).await?,
    };
    if !own {
        return Ok(false);
    }
    let Some(origin) = origins.get(&source.version.origin).map(|row| row.number) else { return Ok(false) };
    write_versions(tx, model, section, source, origin, first_key).await?;
    if derived::follows(&model.table) && !model.id.is_key {
        let rows: Vec<RowChange> = (first_key..)
            .take(section.records.len())
            .map(|key| RowChange { key, kind: RowChangeKind::Inserted })
            .collect();
        derived::update(tx, &model.table, &rows).await?;
    }
    Ok(true)
}

/// Whether the shadow knows one of these records, or waits for one.
async fn meets_shadow(tx: &DatabaseTransaction, model: &Model, ids: &[RecordId]) -> Result<bool> {
    let number = || Sql::BigInt(Some(model.number));
    let any = "SELECT EXISTS (SELECT 1 FROM _sync_shadow WHERE m = ?1) OR EXISTS (SELECT 1 FROM _sync_wants WHERE m = ?1)";
    let Some(row) = query_one(tx, any, vec![number()]).await? else { return Ok(true) };
    if integer(sqlite_row(&row)?, 0)? == 0 {
        return Ok(false);
    }
    for chunk in ids.chunks(CHUNK) {
        let marks = marks(chunk.len());
        let text = format!(
            "SELECT 1 FROM _sync_shadow WHERE m = ? AND r IN ({marks})
             UNION ALL SELECT 1 FROM _sync_wants WHERE m = ? AND w IN ({marks}) LIMIT 1"
        );
        let ids = || chunk.iter().map(|r| id(*r));
        let values =
            std::iter::once(number()).chain(ids()).chain(std::iter::once(number())).chain(ids()).collect();
        if query_one(tx, &text, values).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Local keys of referenced records, by model.
type Targets = HashMap<(ModelIndex, RecordId), Sql>;

/// Resolves every reference of the section; `None` when one does not.
async fn resolve(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    model: &Model,
    section: &Section,
    source: Source,
    first_key: i64,
) -> Result<Option<Targets>> {
    let mut targets = Targets::new();
    for column in &section.columns {
        let Some((_, field)) = model.field_named(column.field.as_str()) else { continue };
        let Some(reference) = field.reference else { continue };
        if column.cells.iter().any(|value| !fits(field, value)) {
            return Ok(None);
        }
        let mut wanted: BTreeSet<RecordId> = column
            .cells
            .iter()
            .filter_map(|value| if let ValueRef::Reference(target) = value { Some(target) } else { None })
            .filter(|target| !targets.contains_key(&(reference.target, *target)))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        if reference.target == model.index {
            for (key, record) in (first_key..).zip(&section.records) {
                if wanted.remove(record) {
                    let key = if model.id.is_key { id(*record) } else { Sql::BigInt(Some(key)) };
                    targets.insert((model.index, *record), key);
                }
            }
        }
        let wanted: Vec<RecordId> = wanted.into_iter().collect();
        if !look_up(tx, local, origins, reference.target, &wanted, source, &mut targets).await? {
            return Ok(None);
        }
    }
    Ok(Some(targets))
}

async fn look_up(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    target: ModelIndex,
    wanted: &[RecordId],
    source: Source,
    targets: &mut Targets,
) -> Result<bool> {
    let Some((model, sql)) = local.model(target) else { return Ok(false) };
    let mut touched = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let column = quote(&model.id.column);
        let text = format!(
            "SELECT a.{column}, {}, v.x IS NOT NULL FROM {} LEFT JOIN {} v ON {} WHERE a.{column} IN ({})",
            sql.keys,
            sql.table,
            model.versions_table(),
            sql.version_join,
            marks(chunk.len())
        );
        let found = query(tx, &text, chunk.iter().map(|r| id(*r)).collect()).await?;
        if found.len() != chunk.len() {
            return Ok(false);
        }
        for row in &found {
            let row = sqlite_row(row)?;
            let record = rows::record_id(model, row, 0)?;
            if integer(row, 1 + sql.key_columns)? != 0 {
                touched.push(record);
            }
            targets.insert((target, record), bind(cell(row, 1)?));
        }
    }
    if source.gathered && !touched.is_empty() {
        return Ok(false);
    }
    // A target that was written after its insert may have been dead in between.
    for loaded in load::by_id(tx, local, origins, target, &touched).await? {
        if !resolves(source.version.stamp, Some(&loaded.record), model.delete) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn write_rows(
    tx: &DatabaseTransaction,
    model: &Model,
    section: &Section,
    targets: &Targets,
    first_key: i64,
) -> Result<()> {
    let columns = place::row_columns(model);
    let per_statement = (VARIABLES / columns.len().max(1)).max(1);
    let head = format!("INSERT INTO {} ({}) VALUES ", model.quoted(), columns.join(", "));
    // The section's columns in the order of the model's fields.
    let mut cells: Vec<(CellIter<'_>, Option<(ModelIndex, bool)>)> = Vec::with_capacity(model.fields.len());
    for field in &model.fields {
        let Some(column) = section.columns.iter().find(|c| c.field == field.name) else { return Ok(()) };
        cells.push((column.cells.iter(), field.reference.map(|r| (r.target, r.by_id))));
    }
    let mut full_text = String::new();
    let mut key = first_key;
    for chunk in section.records.chunks(per_statement) {
        let mut values = Vec::with_capacity(chunk.len() * columns.len());
        for record in chunk {
            if !model.id.is_key {
                values.push(Sql::BigInt(Some(key)));
                key += 1;
            }
            values.push(id(*record));
            for (cells, reference) in &mut cells {
                let value = cells.next().unwrap_or(ValueRef::Null);
                values.push(match (value, reference) {
                    (ValueRef::Reference(target), Some((_, true))) => id(target),
                    (ValueRef::Reference(target), Some((model, false))) => {
                        targets.get(&(*model, target)).cloned().unwrap_or(Sql::BigInt(None))
                    }
                    (value, _) => bind(value),
                });
            }
        }
        if chunk.len() == per_statement {
            if full_text.is_empty() {
                full_text = format!("{head}{}", placeholders(per_statement, columns.len()));
            }
            execute(tx, &full_text, values).await?;
        } else {
            execute(tx, &format!("{head}{}", placeholders(chunk.len(), columns.len())), values).await?;
        }
    }
    Ok(())
}

/// Whether every row that was just written belongs to this device.
async fn owned_by(tx: &DatabaseTransaction, model: &Model, sql: &ModelSql, device: DeviceId) -> Result<bool> {
    let Some(owner) = &sql.owner else { return Ok(false) };
    let text = format!(
        "SELECT 1 FROM _sync_pending p CROSS JOIN {} a ON {}{} WHERE p.m = ? AND {} IS NOT ? LIMIT 1",
        model.quoted(),
        sql.pending_join,
        owner.joins,
        owner.device
    );
    let values = vec![Sql::BigInt(Some(model.number)), Sql::Bytes(Some(device.as_bytes().to_vec()))];
    Ok(query_one(tx, &text, values).await?.is_none())
}

async fn write_versions(
    tx: &DatabaseTransaction,
    model: &Model,
    section: &Section,
    source: Source,
    origin: OriginNumber,
    first_key: i64,
) -> Result<()> {
    let (w, mark) = if is_hybrid(model) { (", w", ", ?") } else { ("", "") };
    let flag = || is_hybrid(model).then(|| Sql::BigInt(Some(i64::from(source.owned))));
    let version = match &section.versions {
        Versions::Explicit(_) if source.gathered => None,
        Versions::Explicit(all) if all.iter().any(|v| Some(v) != all.first()) => None,
        Versions::Explicit(all) => all.first().copied(),
        _ => Some(source.version),
    };
    if let (Some(version), false) = (version, model.id.is_key) {
        // The notes of the rows that were just written hold their keys.
        let text = format!(
            "INSERT INTO {} (k0, o, s, h{w}) SELECT k0, ?, ?, ?{mark} FROM _sync_pending
             WHERE m = ? AND t = 1 AND k0 >= ? ORDER BY n",
            model.versions_table()
        );
        let mut values = vec![Sql::BigInt(Some(origin.0)), Sql::BigInt(Some(signed(version.seq.0)))];
        let inherited = version.stamp == source.version.stamp && version.seq == source.version.seq;
        values.push(Sql::BigInt((!inherited).then(|| signed(version.stamp.hlc.0))));
        values.extend(flag());
        values.extend([Sql::BigInt(Some(model.number)), Sql::BigInt(Some(first_key))]);
        execute(tx, &text, values).await?;
        return Ok(());
    }
    let mut batch = crate::store::batch::Batch::default();
    let rows = section
        .records
        .iter()
        .enumerate()
        .zip(first_key..)
        .map(|((n, record), key)| {
            let version = section.version(n, source.version);
            let key = if model.id.is_key {
                Key::Columns(vec![sync_core::value::Value::Blob(record.as_bytes().to_vec())])
            } else {
                Key::Integer(key)
            };
            let mut values = key.to_sql();
            values.push(Sql::BigInt(Some(origin.0)));
            values.push(Sql::BigInt(Some(signed(version.seq.0))));
            values.push(Sql::BigInt((!source.gathered).then(|| signed(version.stamp.hlc.0))));
            values.extend(flag());
            values
        })
        .collect();
    let columns = 4 + usize::from(is_hybrid(model));
    let head = format!("INSERT INTO {} (k0, o, s, h{w})", model.versions_table());
    batch.push_rows(tx, &head, columns, "", rows).await?;
    batch.flush(tx).await
}
