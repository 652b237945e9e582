//! V from M (docs/merge.md, section 4), and whether a view keeps the schema's own constraints.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::{changeset::Name, hlc::Stamp, ids::RecordId, value::Value};

use super::{
    merged::{Merged, MergedRecord, Place},
    schema::{Field, Model, OnDelete, Reference, Row, Schema},
};

/// The tables: what is shown of every record of M.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// By model and record id.
    pub records: BTreeMap<Place, Shown>,
}

impl View {
    /// The row of a record, when it is shown.
    pub fn row(&self, place: &Place) -> Option<&Row> {
        match self.records.get(place)? {
            Shown::Row(row) => Some(row),
            Shown::Dead | Shown::Hidden(_) | Shown::Waiting => None,
        }
    }

    /// Every record that is shown, with its row.
    pub fn rows(&self) -> impl Iterator<Item = (&Place, &Row)> {
        self.records.iter().filter_map(|(place, shown)| match shown {
            Shown::Row(row) => Some((place, row)),
            Shown::Dead | Shown::Hidden(_) | Shown::Waiting => None,
        })
    }
}

/// What is shown of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// This row.
    Row(Row),
    /// Nothing: it is dead, by itself or by what it refers to.
    Dead,
    /// Nothing, and this is why.
    Hidden(Why),
    /// Nothing: no insert of it is known yet.
    Waiting,
}

/// Why a living record has no row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// A reference that may not be NULL leads to nothing that is shown.
    Reference(Name),
    /// A record of the model that was inserted before has the value.
    Unique(String),
    /// A CHECK fails.
    Check(String),
}

/// Where a reference leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    /// To a living record, and was written above its delete.
    There,
    /// To a record that is dead, or died after the reference was written.
    Dead,
    /// To a record of which nothing is known.
    Unknown,
}

/// V, from M alone.
pub fn view(schema: &Schema, merged: &Merged) -> View {
    let dead = dead(schema, merged);
    let mut hidden: BTreeMap<Place, Why> = BTreeMap::new();
    let mut rows: BTreeMap<Place, Row> = BTreeMap::new();
    // Parents before children: each round knows the parents of the round before. Who still moves after as many
    // rounds as there are records stays hidden: references and unique values contradict each other.
    let mut rounds = 0;
    loop {
        let (mut next, shown) = judge(schema, merged, &dead, &hidden);
        rounds += 1;
        if rounds > merged.records.len() + 2 {
            let kept: Vec<_> = hidden.iter().filter(|(place, _)| !next.contains_key(*place)).collect();
            next.extend(kept.into_iter().map(|(place, why)| (place.clone(), why.clone())));
        }
        let settled = next.keys().eq(hidden.keys());
        hidden = next;
        rows = if settled { shown } else { rows };
        if settled {
            break;
        }
    }
    let mut records = BTreeMap::new();
    for (place, record) in &merged.records {
        let shown = if record.insert.is_none() && record.delete.is_none() {
            Shown::Waiting
        } else if dead.contains(place) {
            Shown::Dead
        } else if let Some(why) = hidden.get(place) {
            Shown::Hidden(why.clone())
        } else {
            Shown::Row(rows.get(place).cloned().unwrap_or_default())
        };
        records.insert(place.clone(), shown);
    }
    View { records }
}

fn known(record: &MergedRecord) -> bool {
    record.insert.is_some() || record.delete.is_some()
}

/// The fields of a record that refer to another one, with what they say.
fn references<'a>(
    model: &'a Model,
    record: &'a MergedRecord,
) -> impl Iterator<Item = (&'a Field, &'a Reference, Place, Stamp)> {
    model.fields.iter().filter_map(|field| {
        let reference = field.reference.as_ref()?;
        let written = record.values.get(&field.name)?;
        let Value::Reference(target) = written.value else { return None };
        Some((field, reference, (reference.target.clone(), target), written.stamp))
    })
}

/// Whether a reference with this stamp leads to a living record, by M and by what is dead in V so far.
fn leads(merged: &Merged, dead: &BTreeSet<Place>, target: &Place, stamp: Stamp) -> Leads {
    match merged.records.get(target) {
        Some(record) if known(record) => {
            let resolves = record.alive && Some(stamp) > record.delete && !dead.contains(target);
            if resolves { Leads::There } else { Leads::Dead }
        }
        _ => Leads::Unknown,
    }
}

/// The least set with the dead of M and every record whose `cascade` reference is to a dead one.
fn dead(schema: &Schema, merged: &Merged) -> BTreeSet<Place> {
    let own = merged.records.iter().filter(|(_, record)| known(record) && !record.alive);
    let mut dead: BTreeSet<Place> = own.map(|(place, _)| place.clone()).collect();
    loop {
        let mut more = Vec::new();
        for (place, record) in merged.records.iter().filter(|(place, _)| !dead.contains(*place)) {
            let Some(model) = schema.model(place.0.as_str()) else { continue };
            let falls = references(model, record).any(|(_, reference, target, stamp)| {
                reference.on_delete == OnDelete::Cascade
                    && target != *place
                    && leads(merged, &dead, &target, stamp) == Leads::Dead
            });
            if falls && record.insert.is_some() {
                more.push(place.clone());
            }
        }
        if more.is_empty() {
            return dead;
        }
        dead.extend(more);
    }
}

/// One round: who is hidden, given who was in the round before, and the rows of the rest.
fn judge(
    schema: &Schema,
    merged: &Merged,
    dead: &BTreeSet<Place>,
    before: &BTreeMap<Place, Why>,
) -> (BTreeMap<Place, Why>, BTreeMap<Place, Row>) {
    let mut order: Vec<(Option<Stamp>, RecordId, &Place, &MergedRecord)> = Vec::new();
    for (place, record) in &merged.records {
        if record.alive && !dead.contains(place) {
            order.push((record.insert, place.1, place, record));
        }
    }
    order.sort_by_key(|(insert, id, place, _)| (*insert, *id, place.0.clone()));
    let mut hidden = BTreeMap::new();
    let mut rows = BTreeMap::new();
    let mut claimed: BTreeSet<(Name, usize, Vec<Value>)> = BTreeSet::new();
    for (_, _, place, record) in order {
        let Some(model) = schema.model(place.0.as_str()) else { continue };
        match row(merged, dead, before, place, model, record) {
            Ok(row) => {
                let claims: Vec<_> = model.uniques.iter().enumerate().collect();
                let lost = claims.iter().find(|(at, unique)| {
                    (unique.key)(&row).is_some_and(|key| claimed.contains(&(place.0.clone(), *at, key)))
                });
                if let Some((_, unique)) = lost {
                    hidden.insert(place.clone(), Why::Unique(unique.name.clone()));
                    continue;
                }
                for (at, unique) in claims {
                    claimed.extend((unique.key)(&row).map(|key| (place.0.clone(), at, key)));
                }
                rows.insert(place.clone(), row);
            }
            Err(why) => {
                hidden.insert(place.clone(), why);
            }
        }
    }
    (hidden, rows)
}

/// The row of a living record, as far as its own values and references decide.
fn row(
    merged: &Merged,
    dead: &BTreeSet<Place>,
    hidden: &BTreeMap<Place, Why>,
    place: &Place,
    model: &Model,
    record: &MergedRecord,
) -> Result<Row, Why> {
    let mut row = Row::new();
    for field in &model.fields {
        let value = record.values.get(&field.name).map_or(Value::Null, |written| written.value.clone());
        row.insert(field.name.clone(), value);
    }
    for (field, _, target, stamp) in references(model, record) {
        let there = leads(merged, dead, &target, stamp) == Leads::There;
        if there && (target == *place || !hidden.contains_key(&target)) {
            continue;
        }
        if !field.nullable {
            return Err(Why::Reference(field.name.clone()));
        }
        row.insert(field.name.clone(), Value::Null);
    }
    match model.checks.iter().find(|check| !(check.holds)(&row)) {
        Some(check) => Err(Why::Check(check.name.clone())),
        None => Ok(row),
    }
}

/// Which constraints of the schema a view breaks: nothing, or the model is wrong.
pub fn violations(schema: &Schema, view: &View) -> Vec<String> {
    let mut found = Vec::new();
    let mut claimed: BTreeSet<(Name, usize, Vec<Value>)> = BTreeSet::new();
    for (place, row) in view.rows() {
        let Some(model) = schema.model(place.0.as_str()) else { continue };
        for field in &model.fields {
            let value = row.get(&field.name).unwrap_or(&Value::Null);
            let is_missing = match (value, &field.reference) {
                (Value::Reference(target), Some(reference)) => {
                    view.row(&(reference.target.clone(), *target)).is_none()
                }
                _ => false,
            };
            if is_missing {
                found.push(format!("{place:?}.{} refers to nothing that is shown", field.name));
            }
            if !field.nullable && *value == Value::Null {
                found.push(format!("{place:?}.{} is NULL", field.name));
            }
        }
        for (at, unique) in model.uniques.iter().enumerate() {
            let Some(key) = (unique.key)(row) else { continue };
            if !claimed.insert((place.0.clone(), at, key)) {
                found.push(format!("{place:?}: {} is not unique", unique.name));
            }
        }
        for check in model.checks.iter().filter(|check| !(check.holds)(row)) {
            found.push(format!("{place:?}: {} fails", check.name));
        }
    }
    found
}
