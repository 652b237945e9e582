//! The inserted rows of a model, read in the order of their notes: the first ones by themselves, the others as
//! joined columns where they can be.

use futures_util::future::join;
use sea_orm::{DatabaseTransaction, QueryResult, Value as Sql};
use sync_core::changeset::Section;

use super::inserts::not_owner;
use crate::{
    catalog::Model,
    engine::local::Local,
    error::Result,
    store::{
        db::{blob, query, sqlite_row},
        model_sql::ModelSql,
        packed::Packing,
        rows,
        versions::is_hybrid,
    },
};

/// Notes looked at one by one before rows are read as joined columns; small transactions have no more.
const FIRST: i64 = 256;
/// Notes looked at together when rows are read one by one.
const CHUNK: i64 = 2_000;

/// Rows of one model that were read.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Rows that anyone may write.
    pub(super) shared: Section,
    /// Rows of this device.
    pub(super) owned: Section,
    /// The last note that was looked at.
    at: i64,
    packing: Option<Packing>,
    /// Whether rows of this kind can be joined, as far as is known.
    may_pack: bool,
}

/// Rows behind the notes from one to another.
struct Chunk {
    from: i64,
    to: i64,
    rows: Rows,
}

enum Rows {
    Single(Vec<QueryResult>),
    Joined(QueryResult),
}

impl Gathered {
    /// Nothing yet.
    pub(super) fn new(model: &Model) -> Self {
        Self {
            shared: rows::row_section(model),
            owned: rows::row_section(model),
            at: 0,
            packing: None,
            may_pack: !is_hybrid(model),
        }
    }

    /// Reads the rows of the notes from `first`, or from the last one that was looked at, to `last`.
    pub(super) async fn go_on(
        &mut self,
        tx: &DatabaseTransaction,
        local: &Local,
        (model, sql): (&Model, &ModelSql),
        (first, last): (i64, i64),
    ) -> Result<()> {
        let Self { shared, owned, at, packing, may_pack } = self;
        *at = (*at).max(first.saturating_sub(1));
        let few = if packing.is_none() && *may_pack { last.min(at.saturating_add(FIRST)) } else { last };
        let mut next = read(tx, model, sql, packing.as_ref(), *at, few).await?;
        while let Some(chunk) = next.take() {
            *at = chunk.to;
            if packing.is_none() && *may_pack && *at < last {
                append(local, model, None, &chunk, shared, owned)?;
                let sample = if model.may_be_owned() { &*owned } else { &*shared };
                *packing = Packing::from_sample(model, sql, sample);
                *may_pack = packing.is_some() || sample.is_empty();
                next = read(tx, model, sql, packing.as_ref(), *at, last).await?;
                continue;
            }
            let following = read(tx, model, sql, packing.as_ref(), *at, last);
            let taken = async { append(local, model, packing.as_ref(), &chunk, shared, owned) };
            // The database's thread reads the next rows while these are taken over here.
            let (following, taken) = join(following, taken).await;
            next = following?;
            if !taken? {
                (*packing, *may_pack) = (None, false);
                let rows = Rows::Single(single(tx, model, sql, chunk.from, chunk.to).await?);
                append(local, model, None, &Chunk { rows, ..chunk }, shared, owned)?;
            }
        }
        Ok(())
    }
}

/// Reads the rows of the next notes.
async fn read(
    tx: &DatabaseTransaction,
    model: &Model,
    sql: &ModelSql,
    packing: Option<&Packing>,
    from: i64,
    last: i64,
) -> Result<Option<Chunk>> {
    if from >= last {
        return Ok(None);
    }
    let to = last.min(from.saturating_add(packing.map_or(CHUNK, |packing| packing.rows)));
    if let Some(packing) = packing {
        let text = format!("{} {}", packing.select(), source(sql, ""));
        if let Some(row) = packing.read(tx, &text, range(model, from, to)).await? {
            return Ok(Some(Chunk { from, to, rows: Rows::Joined(row) }));
        }
    }
    Ok(Some(Chunk { from, to, rows: Rows::Single(single(tx, model, sql, from, to).await?) }))
}

async fn single(
    tx: &DatabaseTransaction,
    model: &Model,
    sql: &ModelSql,
    from: i64,
    to: i64,
) -> Result<Vec<QueryResult>> {
    let (device, joins) = match &sql.owner {
        Some(owner) if is_hybrid(model) => (owner.device.as_str(), owner.joins.as_str()),
        _ => ("NULL", ""),
    };
    let text = format!("SELECT {}, {device} {} ORDER BY p.n", sql.wire, source(sql, joins));
    query(tx, &text, range(model, from, to)).await
}

fn source(sql: &ModelSql, joins: &str) -> String {
    format!(
        "FROM _sync_pending p CROSS JOIN {} ON {}{}{joins} WHERE p.m = ? AND p.n > ? AND p.n <= ?",
        sql.table, sql.pending_join, sql.joins
    )
}

fn range(model: &Model, from: i64, to: i64) -> Vec<Sql> {
    [model.number, from, to].map(|number| Sql::BigInt(Some(number))).into()
}

/// Takes a chunk over. `false`: it must be read again, row by row.
fn append(
    local: &Local,
    model: &Model,
    packing: Option<&Packing>,
    chunk: &Chunk,
    shared: &mut Section,
    owned: &mut Section,
) -> Result<bool> {
    match (&chunk.rows, packing) {
        (Rows::Joined(row), Some(packing)) => {
            let Some(section) = packing.unpack(model, row)? else { return Ok(false) };
            if model.may_be_owned() { owned.append(section) } else { shared.append(section) }
        }
        (Rows::Joined(_), None) => return Ok(false),
        (Rows::Single(rows), _) if is_hybrid(model) => split_hybrids(local, model, rows, shared, owned)?,
        (Rows::Single(rows), _) if model.may_be_owned() => rows::append(owned, model, rows)?,
        (Rows::Single(rows), _) => rows::append(shared, model, rows)?,
    }
    Ok(true)
}

fn split_hybrids(
    local: &Local,
    model: &Model,
    chunk: &[QueryResult],
    shared: &mut Section,
    owned: &mut Section,
) -> Result<()> {
    for row in chunk {
        let device = blob(sqlite_row(row)?, model.fields.len() + 1)?;
        let target = match device {
            None => &mut *shared,
            Some(id) if id == local.origin.device.as_bytes() => &mut *owned,
            Some(_) => return Err(not_owner(model)),
        };
        rows::append(target, model, std::slice::from_ref(row))?;
    }
    Ok(())
}
