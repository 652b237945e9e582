//! UNIQUE and CHECK: entity against table, and which fields they are about.

use super::super::{
    freeze::{Draft, Mistakes},
    live::{LiveTerm, LiveUnique},
    model::{Conflict, Derivation, FieldIndex, Model, Unique, UniqueTerm, quote},
    sql::{columns_in, over_new},
};

/// Sets uniques, conflicts and checks.
pub(super) fn read(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    compare(draft, mistakes);
    for action in draft.live.text.on_conflict.iter().filter(|action| *action != "ABORT") {
        let text = format!(
            "table \"{}\" has a constraint with ON CONFLICT {action}, which would decide other than merge does; remove the \
             clause and say INSERT OR {action} where it is wanted",
            draft.meta.table
        );
        mistakes.add(draft, text);
    }
    model.conflicts = conflicts(draft, model);
    model.generated.clone_from(&draft.live.text.generated);
    read_uniques(draft, model, mistakes);
    read_checks(draft, model, mistakes);
}

/// The same columns, in any order.
fn same(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| x.eq_ignore_ascii_case(y)))
}

/// Every plain UNIQUE of the table stands in the entity, and the reverse.
fn compare(draft: &Draft, mistakes: &mut Mistakes) {
    let known = |columns: &[String]| {
        same(columns, &draft.meta.primary_key) || matches!(columns, [one] if draft.is_id(one))
    };
    let live: Vec<Vec<String>> = draft
        .live
        .uniques
        .iter()
        .filter(|unique| !unique.primary)
        .filter_map(LiveUnique::plain_columns)
        .filter(|columns| columns.iter().all(|column| draft.declares(column)))
        .collect();
    for columns in live.iter().filter(|columns| !known(columns)) {
        if !draft.meta.uniques.iter().any(|declared| same(declared, columns)) {
            let attribute =
                if columns.len() == 1 { "#[sea_orm(unique)]" } else { "#[sea_orm(unique_key = \"…\")]" };
            let text = format!(
                "table \"{}\" has UNIQUE({}) but the model declares none; add {attribute} or drop the index",
                draft.meta.table,
                columns.join(", ")
            );
            mistakes.add(draft, text);
        }
    }
    for columns in draft.meta.uniques.iter().filter(|columns| !known(columns)) {
        if !live.iter().any(|unique| same(unique, columns)) {
            let columns = columns.join(", ");
            let text = format!(
                "the model declares UNIQUE({columns}) but table \"{}\" has none; add the index in a migration, or remove the \
                 attribute",
                draft.meta.table
            );
            mistakes.add(draft, text);
        }
    }
}

/// A term as SQL.
fn term(term: &LiveTerm) -> String {
    match (&term.column, &term.expression) {
        (Some(column), _) => format!("{} COLLATE {}", quote(column), term.collation),
        (None, expression) => expression.clone().unwrap_or_else(|| "NULL".to_owned()),
    }
}

/// The columns that decide a unique index; those behind generated ones included.
fn deciding(draft: &Draft, unique: &LiveUnique) -> Vec<String> {
    let all: Vec<String> = unique.terms.iter().map(term).chain(unique.condition.clone()).collect();
    mentioned(draft, &all.join(", "))
}

/// The columns that an expression mentions; for a generated one, those that it is made of.
fn mentioned(draft: &Draft, expression: &str) -> Vec<String> {
    let names = draft.live.column_names();
    let mut found = columns_in(expression, &names);
    let mut next = 0;
    while let Some(column) = found.get(next).cloned() {
        let generated = draft.live.text.generated.iter().find(|(name, _)| name.eq_ignore_ascii_case(&column));
        if let Some((_, expression)) = generated {
            let more: Vec<_> =
                columns_in(expression, &names).into_iter().filter(|c| !found.contains(c)).collect();
            found.extend(more);
        }
        next += 1;
    }
    found
}

fn conflicts(draft: &Draft, model: &Model) -> Vec<Conflict> {
    let names = draft.live.column_names();
    let mut out = Vec::new();
    if let (true, [key]) = (model.rowid_key, model.key.as_slice()) {
        let column = quote(&key.column);
        out.push(Conflict { matches: format!("{column} = NEW.{column}"), columns: vec![key.column.clone()] });
    }
    for unique in &draft.live.uniques {
        let mut conditions: Vec<String> = unique
            .terms
            .iter()
            .map(term)
            .map(|term| format!("{term} = ({})", over_new(&term, &names)))
            .collect();
        if let Some(condition) = &unique.condition {
            conditions.push(format!("({condition})"));
            conditions.push(format!("({})", over_new(condition, &names)));
        }
        let conflict = Conflict { matches: conditions.join(" AND "), columns: deciding(draft, unique) };
        if !out.contains(&conflict) {
            out.push(conflict);
        }
    }
    out
}

fn places(model: &Model, columns: &[String]) -> Vec<FieldIndex> {
    let is_among = |field: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(field));
    model
        .fields
        .iter()
        .enumerate()
        .filter(|(_, f)| is_among(&f.column))
        .map(|(place, _)| FieldIndex(place))
        .collect()
}

/// Columns that stay on this device.
fn staying<'c>(draft: &Draft, columns: &'c [String]) -> Vec<&'c String> {
    columns.iter().filter(|column| draft.is_skipped(column)).collect()
}

fn read_uniques(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    for unique in &draft.live.uniques {
        let columns = deciding(draft, unique);
        let never =
            |term: &LiveTerm| term.column.as_ref().is_some_and(|c| draft.is_id(c) || draft.is_local_key(c));
        if unique.terms.iter().any(never) {
            continue;
        }
        let fields = places(model, &columns);
        let derived =
            matches!(&model.identity, Derivation::Fields(ids) if ids.iter().all(|id| fields.contains(id)));
        if fields.is_empty() || (unique.primary && derived) {
            continue;
        }
        // A key that stays is a mistake of its own.
        if let Some(column) = staying(draft, &columns).first().filter(|_| !unique.primary) {
            let text = format!(
                "index \"{}\" of table \"{}\" is UNIQUE over column \"{column}\", which does not sync, so devices could not agree \
                 on who has a value; remove #[sync(skip)] or the column from the index",
                unique.name, draft.meta.table
            );
            mistakes.add(draft, text);
        }
        let name = if unique.primary { "PRIMARY KEY".to_owned() } else { unique.name.clone() };
        let terms = unique.terms.iter().map(|term| unique_term(model, term)).collect();
        model.uniques.push(Unique { name, terms, fields, condition: unique.condition.clone() });
    }
    // A rowid that is a reference has no index of its own.
    if let (true, [key]) = (model.rowid_key, model.key.as_slice())
        && let Some(field) = key.field
        && model.identity != Derivation::Fields(vec![field])
    {
        let collation = "BINARY".to_owned();
        let sql = format!("{} COLLATE {collation}", quote(&key.column));
        let terms = vec![UniqueTerm { sql, field: Some(field), collation }];
        let name = "PRIMARY KEY".to_owned();
        model.uniques.push(Unique { name, terms, fields: vec![field], condition: None });
    }
}

fn unique_term(model: &Model, live: &LiveTerm) -> UniqueTerm {
    let is_plain = |column: &String| model.fields.iter().position(|f| f.column.eq_ignore_ascii_case(column));
    UniqueTerm {
        sql: term(live),
        field: live.column.as_ref().and_then(is_plain).map(FieldIndex),
        collation: live.collation.clone(),
    }
}

fn read_checks(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    for check in &draft.live.text.checks {
        let columns = mentioned(draft, check);
        let fields = places(model, &columns);
        if fields.is_empty() {
            continue;
        }
        if let Some(column) = staying(draft, &columns).first() {
            let text = format!(
                "CHECK ({check}) of table \"{}\" is about column \"{column}\", which does not sync, so devices could not agree \
                 whether it holds; remove #[sync(skip)] or the column from the CHECK",
                draft.meta.table
            );
            mistakes.add(draft, text);
        }
        check_groups(draft, model, check, &fields, mistakes);
        model.checks.push(check.clone());
    }
}

/// Fields of one CHECK that can change on their own must win or lose together.
fn check_groups(draft: &Draft, model: &Model, check: &str, fields: &[FieldIndex], mistakes: &mut Mistakes) {
    let is_identity =
        |place: &FieldIndex| matches!(&model.identity, Derivation::Fields(ids) if ids.contains(place));
    let loose: Vec<_> = fields
        .iter()
        .filter(|place| !is_identity(place))
        .filter_map(|place| model.field(*place))
        .filter(|field| !field.fixed)
        .collect();
    let together = loose
        .first()
        .is_some_and(|first| first.group.is_some() && loose.iter().all(|f| f.group == first.group));
    if loose.len() > 1 && !together {
        let names: Vec<_> = loose.iter().map(|field| format!("\"{}\"", field.column)).collect();
        let text = format!(
            "CHECK ({check}) of table \"{}\" is about columns {}, of which concurrent writes could each win one; put them in \
             one group with #[sync(group = \"…\")]",
            draft.meta.table,
            names.join(", ")
        );
        mistakes.add(draft, text);
    }
}
