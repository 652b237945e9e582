//! UNIQUE: which values a record claims, and who else has them.

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    ids::{Hash, RecordId},
    value::Value,
};

use super::{
    context::{Class, Focus, Place},
    load::Row,
    place::key_condition,
    rows::LocalValues,
};
use crate::{
    catalog::{Model, Unique, UniqueTerm, quote},
    error::Result,
    store::{
        db::{bind, cell, query, query_one, sqlite_row},
        rows,
    },
};

/// Length of a claim's key; record ids have 16 bytes, so the two never meet in `_sync_wants`.
const CLAIM: usize = 24;

/// What a record takes in one unique index.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The same for every record that takes the same.
    pub(super) key: Vec<u8>,
    /// The values of the terms that the database worked out, in their order.
    computed: Vec<Value>,
}

/// What a record with these values takes in each unique index of its model; `None` where it takes nothing because of
/// a NULL, or because it is not in a partial index. `wire` is what it shows, `present` the same with a key for every
/// reference.
pub(super) async fn of_record(
    tx: &DatabaseTransaction,
    model: &Model,
    wire: &[Value],
    present: &LocalValues,
) -> Result<Vec<Option<Claim>>> {
    let (source, binds) = present.as_row(model);
    evaluate(tx, model, wire, &format!("({source})"), binds).await
}

/// What a row of the table takes, as it stands there.
pub(super) async fn of_row(tx: &DatabaseTransaction, model: &Model, row: &Row) -> Result<Vec<Vec<u8>>> {
    let source = format!("{} WHERE {}", model.quoted(), key_condition(model));
    let claims = evaluate(tx, model, &row.values, &source, row.key.to_sql()).await?;
    Ok(claims.into_iter().flatten().map(|claim| claim.key).collect())
}

/// Lets the database work out conditions and expressions over the one row of `source`.
async fn evaluate(
    tx: &DatabaseTransaction,
    model: &Model,
    wire: &[Value],
    source: &str,
    binds: Vec<Sql>,
) -> Result<Vec<Option<Claim>>> {
    let columns: Vec<String> = model.uniques.iter().flat_map(asked).collect();
    let answer = if columns.is_empty() {
        None
    } else {
        query_one(tx, &format!("SELECT {} FROM {source}", columns.join(", ")), binds).await?
    };
    let mut at = 0..;
    let mut next = || -> Result<Value> {
        let (Some(row), Some(n)) = (&answer, at.next()) else { return Ok(Value::Null) };
        Ok(cell(sqlite_row(row)?, n)?.to_value())
    };
    let mut out = Vec::with_capacity(model.uniques.len());
    for unique in &model.uniques {
        let inside = unique.condition.is_none() || next()? == Value::Integer(1);
        let mut computed = Vec::new();
        for _ in computed_terms(unique) {
            computed.push(next()?);
        }
        let key = if inside { key(model, unique, wire, &computed) } else { None };
        out.push(key.map(|key| Claim { key, computed }));
    }
    Ok(out)
}

/// What only the database can say of a row about an index: its condition, then the terms that are not plain fields.
fn asked(unique: &Unique) -> impl Iterator<Item = String> + '_ {
    let condition = unique.condition.iter().map(|condition| format!("coalesce(({condition}), 0) <> 0"));
    condition.chain(computed_terms(unique).map(|term| format!("({})", term.sql)))
}

fn computed_terms(unique: &Unique) -> impl Iterator<Item = &UniqueTerm> {
    unique.terms.iter().filter(|term| term.field.is_none())
}

/// The key of a value; `None` where a NULL keeps it free. Plain fields count in wire form, so that a reference is the
/// same on all devices and before its row is there.
fn key(model: &Model, unique: &Unique, wire: &[Value], computed: &[Value]) -> Option<Vec<u8>> {
    let mut bytes = model.name.as_str().as_bytes().to_vec();
    bytes.push(0);
    bytes.extend_from_slice(unique.name.as_bytes());
    bytes.push(0);
    let mut computed = computed.iter();
    for term in &unique.terms {
        let value = match term.field {
            Some(field) => wire.get(field.0)?,
            None => computed.next()?,
        };
        let value = match value {
            Value::Null => return None,
            Value::Text(text) => Value::Text(collated(&term.collation, text)),
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

/// A text as a collation compares it.
fn collated(collation: &str, text: &str) -> String {
    if collation.eq_ignore_ascii_case("NOCASE") {
        text.to_ascii_lowercase()
    } else if collation.eq_ignore_ascii_case("RTRIM") {
        text.trim_end_matches(' ').to_owned()
    } else {
        text.to_owned()
    }
}

/// Shown records whose rows take in an index of the database what this claim takes.
pub(super) async fn rivals(
    tx: &DatabaseTransaction,
    model: &Model,
    unique: &Unique,
    values: &LocalValues,
    claim: &Claim,
    own: RecordId,
) -> Result<Vec<RecordId>> {
    let mut binds: Vec<Sql> = Vec::with_capacity(unique.terms.len());
    let mut computed = claim.computed.iter();
    for term in &unique.terms {
        let value = match term.field {
            Some(field) => values.get(field.0),
            None => computed.next(),
        };
        match value {
            Some(value) if *value != Value::Null => binds.push(bind(value.as_ref())),
            // A reference to a record that has no row yet: nobody can have the same.
            _ => return Ok(Vec::new()),
        }
    }
    let mut text = format!("SELECT {} FROM {} WHERE ", quote(&model.id.column), model.quoted());
    let terms = unique.terms.iter().map(|term| format!("{} = ?", term.sql));
    text.push_str(&terms.collect::<Vec<_>>().join(" AND "));
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
