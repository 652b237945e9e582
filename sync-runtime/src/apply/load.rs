//! Loads the merged state of records: from their rows and versions, or from the shadow.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, Value as Sql};
use sync_core::{
    changeset::Name,
    ids::RecordId,
    merge::Record,
    value::{MergeKind, Value},
};

use crate::{
    catalog::{Model, ModelIndex, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        db::{blob, integer, marks, query, sqlite_row},
        key::Key,
        model_sql::ModelSql,
        origins::Origins,
        rows,
        versions::{ShadowStatus, StoredVersion, id},
    },
};

/// Ids in one query.
const CHUNK: usize = 400;

/// How a record stands in the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// Nothing is known of it.
    Absent,
    /// Its row shows it.
    Shown,
    /// In the shadow.
    Shadow(ShadowStatus),
}

/// A record as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) model: ModelIndex,
    pub(crate) id: RecordId,
    pub(crate) record: Record,
    pub(crate) standing: Standing,
    /// Device-owned; for records of hybrid models.
    pub(crate) owned: bool,
    /// Its row, where there is one.
    pub(crate) row: Option<Row>,
}

/// A row of the application's table.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    pub(crate) key: Key,
    /// Fields in wire form.
    pub(crate) values: Vec<Value>,
}

/// Loads records of a model by id; every id gets an entry.
pub(crate) async fn by_id(
    tx: &(impl ConnectionTrait + ?Sized),
    local: &Local,
    origins: &Origins,
    model: ModelIndex,
    ids: &[RecordId],
) -> Result<Vec<Loaded>> {
    let Some((model, sql)) = local.model(model) else { return Ok(Vec::new()) };
    let mut out = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let condition = format!("a.{} IN ({})", quote(&model.id.column), marks(chunk.len()));
        let values = chunk.iter().map(|r| id(*r)).collect();
        let mut found = read(tx, origins, model, sql, &condition, values).await?;
        let shadow = shadow(tx, model.number, chunk).await?;
        for record in chunk {
            let mut loaded = found.remove(record).unwrap_or_else(|| Loaded {
                model: model.index,
                id: *record,
                record: Record::default(),
                standing: Standing::Absent,
                owned: model.may_be_owned() && !model.may_be_shared(),
                row: None,
            });
            if let Some((status, state)) = shadow.get(record) {
                loaded.record = state.clone();
                loaded.standing = Standing::Shadow(*status);
            }
            out.push(loaded);
        }
    }
    Ok(out)
}

/// Loads the shown records of a model whose rows meet a condition over `a`.
pub(crate) async fn by_condition(
    tx: &(impl ConnectionTrait + ?Sized),
    local: &Local,
    origins: &Origins,
    model: ModelIndex,
    condition: &str,
    values: Vec<Sql>,
) -> Result<Vec<Loaded>> {
    let Some((model, sql)) = local.model(model) else { return Ok(Vec::new()) };
    let found = read(tx, origins, model, sql, condition, values).await?;
    let ids: Vec<RecordId> = found.keys().copied().collect();
    let mut out: Vec<Loaded> = found.into_values().collect();
    for chunk in ids.chunks(CHUNK) {
        let shadow = shadow(tx, model.number, chunk).await?;
        for loaded in &mut out {
            if let Some((status, state)) = shadow.get(&loaded.id) {
                loaded.record = state.clone();
                loaded.standing = Standing::Shadow(*status);
            }
        }
    }
    Ok(out)
}

async fn read(
    tx: &(impl ConnectionTrait + ?Sized),
    origins: &Origins,
    model: &Model,
    sql: &ModelSql,
    condition: &str,
    values: Vec<Sql>,
) -> Result<HashMap<RecordId, Loaded>> {
    let text = format!(
        "SELECT {}, {}, {} FROM {} LEFT JOIN {} v ON {}{}{} WHERE {condition}",
        sql.keys,
        StoredVersion::columns(model),
        sql.wire,
        sql.table,
        model.versions_table(),
        sql.version_join,
        StoredVersion::LOG_JOIN,
        sql.joins,
    );
    let n = sql.key_columns;
    let mut out = HashMap::new();
    for row in query(tx, &text, values).await? {
        let row = sqlite_row(&row)?;
        let record_id = rows::record_id(model, row, n + 5)?;
        let values = rows::values(model, row, n + 5)?;
        let stored = StoredVersion::read(row, n, origins, model)?;
        let record = match &stored {
            Some(stored) => state(model, stored, &values)?,
            None => Record::default(),
        };
        let loaded = Loaded {
            model: model.index,
            id: record_id,
            record,
            standing: Standing::Shown,
            owned: stored.as_ref().map_or(model.may_be_owned(), |s| s.owned),
            row: Some(Row { key: Key::read(row, 0, n)?, values }),
        };
        out.insert(record_id, loaded);
    }
    Ok(out)
}

/// The merged state behind a row that shows it.
fn state(model: &Model, stored: &StoredVersion, values: &[Value]) -> Result<Record> {
    let row = model.fields.iter().zip(values).map(|(f, v)| (f.name.clone(), f.merge, v.clone()));
    match &stored.residue {
        None => Ok(Record::plain(stored.insert, row)),
        Some(residue) => Record::from_residue(residue, stored.insert, row).map_err(|e| damaged(model, e)),
    }
}

fn damaged(model: &Model, error: sync_core::merge::RecordError) -> Error {
    let text = format!("the stored version of a record of \"{}\" is damaged; restore a backup", model.table);
    Error::new(ErrorKind::Storage, "versions", text).with_source(error)
}

/// States in the shadow of one model number.
pub(crate) async fn shadow(
    tx: &(impl ConnectionTrait + ?Sized),
    number: i64,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, (ShadowStatus, Record)>> {
    let mut out = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let text = format!(
            "SELECT r, status, state FROM _sync_shadow WHERE m = ? AND r IN ({})",
            marks(chunk.len())
        );
        let values = std::iter::once(Sql::BigInt(Some(number))).chain(chunk.iter().map(|r| id(*r))).collect();
        for row in query(tx, &text, values).await? {
            let row = sqlite_row(&row)?;
            let (record, status, state) = read_shadow(row)?;
            out.insert(record, (status, state));
        }
    }
    Ok(out)
}

/// Reads r, status and state.
pub(crate) fn read_shadow(row: &sqlx::sqlite::SqliteRow) -> Result<(RecordId, ShadowStatus, Record)> {
    let damaged =
        || Error::new(ErrorKind::Storage, "shadow", "_sync_shadow holds a damaged entry; restore a backup");
    let record = blob(row, 0)?.and_then(RecordId::from_slice).ok_or_else(damaged)?;
    let status = ShadowStatus::from_number(integer(row, 1)?).ok_or_else(damaged)?;
    let state = Record::decode(blob(row, 2)?.unwrap_or_default()).map_err(|e| damaged().with_source(e))?;
    Ok((record, status, state))
}

/// Name and kind of every field, for residues.
pub(crate) fn columns(model: &Model) -> Vec<(Name, MergeKind)> {
    model.fields.iter().map(|f| (f.name.clone(), f.merge)).collect()
}
