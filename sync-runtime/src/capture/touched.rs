//! What a transaction did to the rows of one model, netted per record: how each was before and how it is now.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use sea_orm::{DatabaseTransaction, QueryResult, Value as Sql};
use sqlx::sqlite::SqliteRow;
use sync_core::{
    ids::{DeviceId, RecordId},
    value::{Value, ValueRef},
};

use super::notes::{FieldMask, NoteKind};
use crate::{
    catalog::{Derivation, Model, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        db::{blob, cell, integer, optional_integer, query, sqlite_row},
        key::Key,
        model_sql::ModelSql,
        origins::Origins,
        rows,
        versions::StoredVersion,
    },
};

/// A record that the transaction touched.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) record: RecordId,
    /// As it was, if it existed and had a version.
    pub(super) before: Option<Before>,
    /// As it is, if it exists.
    pub(super) after: Option<After>,
    /// Fields that changed, where it existed before and does now.
    pub(super) mask: FieldMask,
    /// The row went away at some point; the notes alone do not say what differs.
    replaced: bool,
}

impl Touched {
    fn new(record: RecordId) -> Self {
        Self { record, before: None, after: None, mask: FieldMask::default(), replaced: false }
    }

    /// Adds what the old row and the row of now differ in, where the notes do not say it: the row went away in
    /// between, or the record has another row now, be it that one moved or that another took over its derived id.
    fn compare(&mut self) {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return };
        if !self.replaced && before.key == after.key {
            return;
        }
        for (n, value) in after.values.iter().enumerate() {
            if before.image.as_ref().is_none_or(|image| image.get(n) != Some(value)) {
                self.mask.set(n);
            }
        }
    }
}

/// A record before the transaction.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) key: Key,
    pub(super) stored: StoredVersion,
    /// The row in wire form, where it was kept.
    pub(super) image: Option<Vec<Value>>,
}

/// A record now.
#[derive(Debug)]
pub(super) struct After {
    pub(super) key: Key,
    pub(super) values: Vec<Value>,
    /// The device at the end of the owner path.
    pub(super) device: Option<DeviceId>,
}

/// What stood at a key when it was first touched, in wire form. By key, not by record: a row that was replaced within
/// the transaction has stood at two.
type Images = HashMap<Key, Vec<Value>>;

/// Reads and nets the notes of a model. Returns the origins of the versions with them.
pub(super) async fn read(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    sql: &ModelSql,
) -> Result<(Vec<Touched>, Origins)> {
    let rows = query(tx, &noted_rows(model, sql), vec![Sql::BigInt(Some(model.number))]).await?;
    let origins = origins_of(tx, local, sql, &rows).await?;
    let noted = net(model, sql, &origins, &rows)?;
    let with_images =
        model.may_be_shared() && (model.needs_images() || noted.values().any(|noted| noted.replaced));
    let mut images =
        if with_images { read_images(tx, local, model, sql.key_columns).await? } else { Images::new() };
    let mut touched: BTreeMap<RecordId, Touched> = BTreeMap::new();
    for (key, noted) in noted {
        refuse_new_id(model, &noted)?;
        let id = noted.now.as_ref().map(|(record, _)| *record);
        if let (true, Some(old), Some(stored)) = (noted.existed, noted.old_id.or(id), noted.stored) {
            let slot = touched.entry(old).or_insert_with(|| Touched::new(old));
            slot.mask.add(noted.mask);
            slot.replaced |= noted.replaced;
            slot.before = Some(Before { key: key.clone(), stored, image: images.remove(&key) });
        }
        if let Some((record, after)) = noted.now {
            let slot = touched.entry(record).or_insert_with(|| Touched::new(record));
            slot.mask.add(noted.mask);
            slot.after = Some(after);
        }
    }
    touched.values_mut().for_each(Touched::compare);
    Ok((touched.into_values().collect(), origins))
}

/// A row keeps its record id; only derived ids change, with what they are derived from.
fn refuse_new_id(model: &Model, noted: &Noted) -> Result<()> {
    let (Some(old), Some((new, _))) = (noted.old_id, &noted.now) else { return Ok(()) };
    let kept = old == *new || model.identity != Derivation::Given || noted.stored.is_none();
    if kept || noted.replaced || !noted.updated {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Misuse,
        "commit",
        format!(
            "{}.{} of record {old} was changed to {new}; a record keeps its id: delete the row and insert another",
            model.table, model.id.column
        ),
    ))
}

/// Every note with the version and the row that its key has now.
fn noted_rows(model: &Model, sql: &ModelSql) -> String {
    let noted = (0..sql.key_columns).map(|n| format!("p.k{n}")).collect::<Vec<_>>().join(", ");
    let (owner_joins, device) =
        sql.owner.as_ref().map_or(("", "NULL"), |owner| (owner.joins.as_str(), owner.device.as_str()));
    let first_key = model.key.first().map(|k| quote(&k.column)).unwrap_or_default();
    format!(
        "SELECT p.t, p.r, p.w0, p.w1, p.w2, p.w3, {noted}, {}, a.{first_key} IS NOT NULL, {device}, {}
         FROM _sync_pending p LEFT JOIN {} v ON {}{} LEFT JOIN {} ON {}{}{owner_joins}
         WHERE p.m = ? ORDER BY p.n",
        StoredVersion::columns(model),
        sql.wire,
        model.versions_table(),
        sql.version_pending,
        StoredVersion::LOG_JOIN,
        sql.table,
        sql.pending_join,
        sql.joins,
    )
}

/// Column of the first key in [`noted_rows`].
const KEYS: usize = 6;

/// The own origin where nothing else is needed, which is usual; else all.
async fn origins_of(
    tx: &DatabaseTransaction,
    local: &Local,
    sql: &ModelSql,
    rows: &[QueryResult],
) -> Result<Origins> {
    for row in rows {
        let number = optional_integer(sqlite_row(row)?, KEYS + sql.key_columns)?;
        if number.is_some_and(|number| number != local.own.0) {
            return Origins::load(tx).await;
        }
    }
    Ok(Origins::only(local.origin, local.own))
}

/// The notes on one key, and what it has now.
struct Noted {
    existed: bool,
    old_id: Option<RecordId>,
    mask: FieldMask,
    /// The row went away at some point; the mask alone does not say what differs.
    replaced: bool,
    updated: bool,
    stored: Option<StoredVersion>,
    now: Option<(RecordId, After)>,
}

fn net(
    model: &Model,
    sql: &ModelSql,
    origins: &Origins,
    rows: &[QueryResult],
) -> Result<HashMap<Key, Noted>> {
    let mut out: HashMap<Key, Noted> = HashMap::with_capacity(rows.len());
    let mut moving = false;
    for row in rows {
        let row = sqlite_row(row)?;
        let kind = NoteKind::from_number(integer(row, 0)?);
        let old_id = match cell(row, 1)? {
            ValueRef::Null => None,
            _ => Some(rows::record_id(model, row, 1)?),
        };
        let mut words = [0; 4];
        for (n, word) in words.iter_mut().enumerate() {
            *word = optional_integer(row, 2 + n)?.unwrap_or(0);
        }
        let key = Key::read(row, KEYS, sql.key_columns)?;
        let noted = match out.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let first = noted(model, sql, origins, row, entry.key(), kind)?;
                entry.insert(first)
            }
        };
        if noted.existed {
            noted.old_id = noted.old_id.or(old_id);
        }
        // The note behind a move has every bit; what differs is seen from the old row.
        if !std::mem::replace(&mut moving, kind == Some(NoteKind::Moved)) {
            noted.mask.add(FieldMask::from_words(words));
        }
        noted.updated |= kind == Some(NoteKind::Update);
        let inserted = kind == Some(NoteKind::Insert);
        noted.replaced |= !(inserted || kind == Some(NoteKind::Update)) || (noted.existed && inserted);
    }
    Ok(out)
}

/// The first note on a key.
fn noted(
    model: &Model,
    sql: &ModelSql,
    origins: &Origins,
    row: &SqliteRow,
    key: &Key,
    kind: Option<NoteKind>,
) -> Result<Noted> {
    let at = KEYS + sql.key_columns;
    let now = if integer(row, at + 5)? == 0 {
        None
    } else {
        let after = After {
            key: key.clone(),
            values: rows::values(model, row, at + 7)?,
            device: blob(row, at + 6)?.and_then(DeviceId::from_slice),
        };
        Some((rows::record_id(model, row, at + 7)?, after))
    };
    Ok(Noted {
        existed: kind != Some(NoteKind::Insert),
        old_id: None,
        mask: FieldMask::default(),
        replaced: false,
        updated: false,
        stored: StoredVersion::read(row, at, origins, model)?,
        now,
    })
}

async fn read_images(tx: &DatabaseTransaction, local: &Local, model: &Model, keys: usize) -> Result<Images> {
    let mut columns: Vec<String> = (0..keys).map(|n| format!("i.k{n}")).collect();
    let mut joins = String::new();
    for (n, field) in model.fields.iter().enumerate() {
        let column = quote(&field.column);
        let target = field.reference.filter(|r| !r.by_id).and_then(|r| local.catalog.model(r.target));
        if let Some(target) = target {
            let key = target.key.first().map(|k| quote(&k.column)).unwrap_or_default();
            joins.push_str(&format!(" LEFT JOIN {} r{n} ON r{n}.{key} = i.{column}", target.quoted()));
            columns.push(format!("r{n}.{}", quote(&target.id.column)));
        } else {
            columns.push("NULL".to_owned());
        }
        columns.push(format!("i.{column}"));
    }
    let text = format!("SELECT {} FROM {} i{joins}", columns.join(", "), model.images_table());
    let mut gone: HashMap<(i64, Key), RecordId> = HashMap::new();
    let mut asked: HashSet<i64> = HashSet::new();
    let mut images = Images::new();
    for row in query(tx, &text, vec![]).await? {
        let row = sqlite_row(&row)?;
        let mut values = Vec::with_capacity(model.fields.len());
        for (n, field) in model.fields.iter().enumerate() {
            let at = keys + 2 * n;
            let (resolved, raw) = (cell(row, at)?, cell(row, at + 1)?);
            let target = field.reference.filter(|r| !r.by_id).and_then(|r| local.catalog.model(r.target));
            let value = match (target, resolved, raw) {
                (None, _, raw) => rows::wire_value(field, raw, model)?.to_value(),
                (Some(_), ValueRef::Null, ValueRef::Null) => Value::Null,
                (Some(target), ValueRef::Null, raw) => {
                    // The target went in the same transaction; its notes know its record id.
                    if asked.insert(target.number) {
                        gone.extend(read_gone(tx, target).await?);
                    }
                    let key = match raw {
                        ValueRef::Integer(v) => Key::Integer(v),
                        other => Key::Columns(vec![other.to_value()]),
                    };
                    gone.get(&(target.number, key)).map_or(Value::Null, |record| Value::Reference(*record))
                }
                (Some(_), resolved, _) => rows::wire_value(field, resolved, model)?.to_value(),
            };
            values.push(value);
        }
        images.insert(Key::read(row, 0, keys)?, values);
    }
    Ok(images)
}

/// Record ids of the rows of a model that the notes say are gone or moved.
async fn read_gone(tx: &DatabaseTransaction, model: &Model) -> Result<HashMap<(i64, Key), RecordId>> {
    let sql = "SELECT k0, r FROM _sync_pending WHERE m = ? AND r IS NOT NULL ORDER BY n DESC";
    let mut out = HashMap::new();
    for row in query(tx, sql, vec![Sql::BigInt(Some(model.number))]).await? {
        let row = sqlite_row(&row)?;
        out.insert((model.number, Key::read(row, 0, 1)?), rows::record_id(model, row, 1)?);
    }
    Ok(out)
}
