//! UNIQUE: which values a record claims, and who else has them.

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    ids::{Hash, RecordId},
    value::Value,
};

use super::{
    context::{Class, Focus, Place},
    rows::LocalValues,
};
use crate::{
    catalog::{Model, Unique, quote},
    engine::local::Local,
    error::Result,
    store::{
        db::{bind, integer, query, query_one, sqlite_row},
        rows,
    },
};

/// Length of a claim's key; record ids have 16 bytes, so the two never meet in `_sync_wants`.
const CLAIM: usize = 24;

/// The key of the value that `values` (wire form, as shown) take in an index; `None` where a NULL keeps it free.
pub(super) fn key(model: &Model, unique: &Unique, values: &[Value]) -> Option<Vec<u8>> {
    let mut bytes = model.name.as_str().as_bytes().to_vec();
    bytes.push(0);
    bytes.extend_from_slice(unique.name.as_bytes());
    bytes.push(0);
    for (field, term) in unique.fields.iter().zip(&unique.terms) {
        let value = match values.get(field.0)? {
            Value::Null => return None,
            Value::Text(text) => Value::Text(collated(term, text)),
            // The database compares numbers by value.
            Value::Real(real) if real.fract() == 0.0 && real.abs() < 9e15 => whole(*real),
            other => other.clone(),
        };
        value.canonical(&mut bytes);
    }
    Some(Hash::of(&bytes).0.get(..CLAIM)?.to_vec())
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
fn whole(real: f64) -> Value {
    Value::Integer(real as i64)
}

/// A text as the index's collation compares it.
fn collated(term: &str, text: &str) -> String {
    let upper = term.to_ascii_uppercase();
    if upper.ends_with("COLLATE NOCASE") {
        text.to_ascii_lowercase()
    } else if upper.ends_with("COLLATE RTRIM") {
        text.trim_end_matches(' ').to_owned()
    } else {
        text.to_owned()
    }
}

/// Whether a row with these values is in a partial index.
pub(super) async fn is_indexed(
    tx: &DatabaseTransaction,
    model: &Model,
    unique: &Unique,
    values: &LocalValues,
) -> Result<bool> {
    let Some(condition) = &unique.condition else { return Ok(true) };
    let (source, binds) = values.as_row(model);
    let row =
        query_one(tx, &format!("SELECT coalesce(({condition}), 0) <> 0 FROM ({source})"), binds).await?;
    match &row {
        Some(row) => Ok(integer(sqlite_row(row)?, 0)? != 0),
        None => Ok(false),
    }
}

/// Shown records that have the values of this row in an index of the database.
pub(super) async fn rivals(
    tx: &DatabaseTransaction,
    model: &Model,
    unique: &Unique,
    values: &LocalValues,
    own: RecordId,
) -> Result<Vec<RecordId>> {
    let mut binds: Vec<Sql> = Vec::with_capacity(unique.fields.len());
    for field in &unique.fields {
        match values.get(field.0) {
            Some(value) if *value != Value::Null => binds.push(bind(value.as_ref())),
            // A reference to a record that has no row yet: nobody can have the same.
            _ => return Ok(Vec::new()),
        }
    }
    let mut text = format!("SELECT {} FROM {} WHERE ", quote(&model.id.column), model.quoted());
    text.push_str(&unique.terms.iter().map(|term| format!("{term} = ?")).collect::<Vec<_>>().join(" AND "));
    if let Some(condition) = &unique.condition {
        text.push_str(&format!(" AND ({condition})"));
    }
    let mut out = Vec::new();
    for row in query(tx, &text, binds).await? {
        let record = rows::record_id(model, sqlite_row(&row)?, 0)?;
        if record != own {
            out.push(record);
        }
    }
    Ok(out)
}

/// The record in focus that has a claim before this one, if one is shown.
pub(super) fn winner(focus: &Focus, place: Place, claim: &[u8]) -> Option<RecordId> {
    let own = focus.entries.get(&place)?.order();
    focus
        .claims
        .get(claim)?
        .iter()
        .filter(|rival| **rival != place)
        .filter_map(|rival| focus.entries.get(rival))
        .filter(|rival| rival.class == Class::Shown && rival.order() < own)
        .map(|rival| rival.loaded.id)
        .min()
}

/// Shown records in focus that must give way to this one.
pub(super) fn losers(focus: &Focus, place: Place, claim: &[u8]) -> Vec<Place> {
    let (Some(entry), Some(rivals)) = (focus.entries.get(&place), focus.claims.get(claim)) else {
        return Vec::new();
    };
    let own = entry.order();
    let later = |rival: &&Place| {
        **rival != place
            && focus.entries.get(*rival).is_some_and(|r| r.class == Class::Shown && r.order() > own)
    };
    rivals.iter().filter(later).copied().collect()
}

/// Everybody in focus with this claim.
pub(super) fn holders(focus: &Focus, claim: &[u8]) -> Vec<Place> {
    focus.claims.get(claim).into_iter().flatten().copied().collect()
}

/// Claims of a row as it stands, for records that are only looked at.
pub(super) fn of_values(local: &Local, place: Place, values: &[Value]) -> Vec<Vec<u8>> {
    local
        .model(place.0)
        .map(|(model, _)| model.uniques.iter().filter_map(|unique| key(model, unique, values)).collect())
        .unwrap_or_default()
}
