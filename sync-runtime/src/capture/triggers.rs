//! The tables and triggers of one model, generated from the catalog. The triggers note in `_sync_pending` what
//! any connection does to the rows; they know nothing of clocks and versions.
//!
//! # Notes
//! One note is `(n, m, t, k0.., r, w0..)`: `n` grows in the order of the changes, `m` is [`Model::number`], `k0..`
//! the local primary key in the order of [`Model::key`].
//!
//! | t | what | key | r | w |
//! |---|---|---|---|---|
//! | [`NOTE_INSERT`] | a row came | new | NULL | NULL |
//! | [`NOTE_UPDATE`] | fields or the record id changed | as it was | old id | a bit for each changed field |
//! | [`NOTE_DELETE`] | a row went | old | old id | NULL |
//! | [`NOTE_REPLACED`] | a row that the statement removes if it works by REPLACE; it may also stay | its own | its id | NULL |
//! | [`NOTE_MOVED`] | the primary key changed; the next note (`n + 1`) is a [`NOTE_UPDATE`] with the new key, the same `r` and every bit | old | old id | NULL |
//!
//! Field `f` is bit `f % 62` of `w{f / 62}`; words beyond the model's fields are NULL. An update of the record id
//! alone is noted with no bit set. An update that changes neither a field nor id nor key is not noted. Comparison
//! is exact: no collation, and by storage class where the column converts nothing. Only 0.0 and -0.0 in such a
//! column are one value, since no function that every SQLite has tells them apart.
//!
//! # Old rows
//! Models that can be shared keep, in [`Model::images_table`], what stood at a key when it was first touched since
//! the table was last emptied: at a delete, a possible replacement and a move always, at an update only where
//! [`Model::needs_images`]. It is the row from before exactly if the key's first note is none of insert and of the
//! update that follows a move. The columns are `k0..`, the fields and the id column, under their names.

use crate::catalog::{Field, KeyColumn, Model, quote};

/// A row came.
pub(crate) const NOTE_INSERT: i64 = 1;
/// A row changed.
pub(crate) const NOTE_UPDATE: i64 = 2;
/// A row went.
pub(crate) const NOTE_DELETE: i64 = 3;
/// A row may have been replaced.
pub(crate) const NOTE_REPLACED: i64 = 4;
/// A row left its key.
pub(crate) const NOTE_MOVED: i64 = 5;

/// Fields in one word of a note.
pub(crate) const BITS: usize = 62;

/// Words of changed fields in a note.
pub(crate) fn words(model: &Model) -> usize {
    model.fields.len().div_ceil(BITS)
}

/// The word in which every field is set; `word` counts from 0.
pub(crate) fn full_word(model: &Model, word: usize) -> i64 {
    let fields = model.fields.len().saturating_sub(word * BITS).min(BITS);
    (0..fields).fold(0, |bits, _| bits << 1 | 1)
}

/// Everything that captures a model's changes, in an order in which it can be run: tables, index, triggers.
#[cfg(test)]
pub(crate) fn statements(
    catalog: &crate::catalog::Catalog,
    model: crate::catalog::ModelIndex,
) -> Vec<String> {
    let Some(model) = catalog.model(model) else { return Vec::new() };
    tables(model).into_iter().chain(triggers(model)).map(|object| object.sql).collect()
}

/// A table, index or trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its name.
    pub(crate) name: String,
    /// The statement that makes it, as SQLite keeps it.
    pub(crate) sql: String,
}

/// The tables of versions and of old rows.
pub(crate) fn tables(model: &Model) -> Vec<Object> {
    let mut out = vec![versions(model), versions_index(model)];
    if model.may_be_shared() {
        out.push(images(model));
    }
    out
}

/// `k0, k1`
pub(crate) fn key_names(model: &Model) -> String {
    (0..model.key.len()).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ")
}

fn versions(model: &Model) -> Object {
    let owned = if model.may_be_owned() && model.may_be_shared() { ", w INTEGER" } else { "" };
    let keys = key_names(model);
    let rest = format!("o INTEGER NOT NULL, s INTEGER NOT NULL, h INTEGER, x BLOB{owned}");
    let table = model.versions_table();
    let sql = if model.rowid_key {
        format!("CREATE TABLE {table} (k0 INTEGER PRIMARY KEY, {rest})")
    } else {
        format!("CREATE TABLE {table} ({keys}, {rest}, PRIMARY KEY ({keys})) WITHOUT ROWID")
    };
    Object { name: format!("_sync_v_{}", model.table), sql }
}

fn versions_index(model: &Model) -> Object {
    let name = format!("_sync_vs_{}", model.table);
    let sql = format!("CREATE INDEX {} ON {} (o, s)", quote(&name), model.versions_table());
    Object { name, sql }
}

fn images(model: &Model) -> Object {
    let keys = key_names(model);
    let columns = image_columns(model).join(", ");
    let table = model.images_table();
    let sql = if model.rowid_key {
        format!("CREATE TABLE {table} (k0 INTEGER PRIMARY KEY, {columns})")
    } else {
        format!("CREATE TABLE {table} ({keys}, {columns}, PRIMARY KEY ({keys})) WITHOUT ROWID")
    };
    Object { name: format!("_sync_i_{}", model.table), sql }
}

/// The columns of an old row beside the key, quoted: the fields and the id column.
pub(crate) fn image_columns(model: &Model) -> Vec<String> {
    model.fields.iter().map(|field| &field.column).chain([&model.id.column]).map(|c| quote(c)).collect()
}

/// The triggers of a model, by number.
pub(crate) fn triggers(model: &Model) -> Vec<Object> {
    let mut out = vec![inserted(model), updated(model), moved(model), deleted(model)];
    if !model.conflicts.is_empty() {
        out.extend([replaced_by_insert(model), replaced_by_update(model)]);
    }
    out
}

fn trigger(model: &Model, number: usize, event: &str, when: Option<&str>, body: &[String]) -> Object {
    let name = format!("_sync_t_{}_{number}", model.table);
    let when = when.map(|when| format!(" WHEN {when}")).unwrap_or_default();
    let body = body.join("; ");
    let sql =
        format!("CREATE TRIGGER {} {event} ON {}{when} BEGIN {body}; END", quote(&name), model.quoted());
    Object { name, sql }
}

/// `row."a", row."b"` of the key.
fn key_of(model: &Model, row: &str) -> String {
    model.key.iter().map(|key| format!("{row}{}", quote(&key.column))).collect::<Vec<_>>().join(", ")
}

fn id_of(model: &Model, row: &str) -> String {
    format!("{row}{}", quote(&model.id.column))
}

fn inserted(model: &Model) -> Object {
    let note = format!(
        "INSERT INTO _sync_pending (m, t, {}) VALUES ({}, {NOTE_INSERT}, {})",
        key_names(model),
        model.number,
        key_of(model, "NEW.")
    );
    trigger(model, 1, "AFTER INSERT", None, &[note])
}

/// Whether a column differs between OLD and NEW, bit for bit.
fn differs(column: &str, untyped: bool) -> String {
    let column = quote(column);
    let value = format!("OLD.{column} COLLATE BINARY IS NOT NEW.{column}");
    if untyped {
        format!("({value} OR typeof(OLD.{column}) <> typeof(NEW.{column}))")
    } else {
        format!("({value})")
    }
}

fn field_differs(field: &Field) -> String {
    differs(&field.column, field.untyped)
}

fn key_column_differs(model: &Model, key: &KeyColumn) -> String {
    let untyped = key.field.and_then(|field| model.field(field)).is_some_and(|field| field.untyped);
    differs(&key.column, untyped)
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    conditions.collect::<Vec<_>>().join(" OR ")
}

fn key_differs(model: &Model) -> String {
    any(model.key.iter().map(|key| key_column_differs(model, key)))
}

/// One word: each field's bit where it changed.
fn changed_word(fields: &[Field]) -> String {
    let bits: Vec<_> = fields
        .iter()
        .enumerate()
        .map(
            |(bit, field)| {
                if bit == 0 { field_differs(field) } else { format!("({} << {bit})", field_differs(field)) }
            },
        )
        .collect();
    bits.join(" | ")
}

fn note_update(model: &Model, words: &[String]) -> String {
    let mut names = vec![key_names(model), "r".to_owned()];
    names.extend((0..words.len()).map(|word| format!("w{word}")));
    let mut values = vec![key_of(model, "NEW."), id_of(model, "OLD.")];
    values.extend_from_slice(words);
    format!(
        "INSERT INTO _sync_pending (m, t, {}) VALUES ({}, {NOTE_UPDATE}, {})",
        names.join(", "),
        model.number,
        values.join(", ")
    )
}

/// A note with the OLD row's key and id.
fn note_old(model: &Model, kind: i64) -> String {
    format!(
        "INSERT INTO _sync_pending (m, t, {}, r) VALUES ({}, {kind}, {}, {})",
        key_names(model),
        model.number,
        key_of(model, "OLD."),
        id_of(model, "OLD.")
    )
}

/// Keeps the OLD row unless one is kept already. Not INSERT OR IGNORE: a conflict clause of the statement that
/// fires a trigger overrides those in the trigger.
fn keep_old(model: &Model) -> String {
    let columns = image_columns(model);
    let values: Vec<_> = columns.iter().map(|column| format!("OLD.{column}")).collect();
    let kept: Vec<_> =
        model.key.iter().enumerate().map(|(n, key)| format!("k{n} = OLD.{}", quote(&key.column))).collect();
    format!(
        "INSERT INTO {table} ({keys}, {columns}) SELECT {old}, {values} \
         WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {kept})",
        table = model.images_table(),
        keys = key_names(model),
        columns = columns.join(", "),
        old = key_of(model, "OLD."),
        values = values.join(", "),
        kept = kept.join(" AND "),
    )
}

fn updated(model: &Model) -> Object {
    let id = differs(&model.id.column, false);
    let changed = any(model.fields.iter().map(field_differs).chain([id]));
    let when = format!("NOT ({}) AND ({changed})", key_differs(model));
    let words: Vec<_> = model.fields.chunks(BITS).map(changed_word).collect();
    let mut body = Vec::new();
    if model.needs_images() {
        body.push(keep_old(model));
    }
    body.push(note_update(model, &words));
    trigger(model, 2, "AFTER UPDATE", Some(&when), &body)
}

fn moved(model: &Model) -> Object {
    let words: Vec<_> = (0..words(model)).map(|word| full_word(model, word).to_string()).collect();
    let mut body = Vec::new();
    if model.may_be_shared() {
        body.push(keep_old(model));
    }
    // ORDER: the drain takes the note after a move for its other half.
    body.extend([note_old(model, NOTE_MOVED), note_update(model, &words)]);
    trigger(model, 3, "AFTER UPDATE", Some(&key_differs(model)), &body)
}

fn deleted(model: &Model) -> Object {
    let mut body = Vec::new();
    if model.may_be_shared() {
        body.push(keep_old(model));
    }
    body.push(note_old(model, NOTE_DELETE));
    trigger(model, 4, "AFTER DELETE", None, &body)
}

/// Notes the rows of the table for which `matches` holds, and keeps them.
fn note_replaced(model: &Model, matches: &str) -> Vec<String> {
    let table = model.quoted();
    let keys = key_names(model);
    let note = format!(
        "INSERT INTO _sync_pending (m, t, {keys}, r) SELECT {}, {NOTE_REPLACED}, {}, {} FROM {table} WHERE {matches}",
        model.number,
        key_of(model, ""),
        id_of(model, ""),
    );
    if !model.may_be_shared() {
        return vec![note];
    }
    let columns = image_columns(model).join(", ");
    let kept: Vec<_> = model
        .key
        .iter()
        .enumerate()
        .map(|(n, key)| format!("i.k{n} = {table}.{}", quote(&key.column)))
        .collect();
    let keep = format!(
        "INSERT INTO {images} ({keys}, {columns}) SELECT {}, {columns} FROM {table} \
         WHERE ({matches}) AND NOT EXISTS (SELECT 1 FROM {images} i WHERE {kept})",
        key_of(model, ""),
        images = model.images_table(),
        kept = kept.join(" AND "),
    );
    vec![keep, note]
}

fn replaced_by_insert(model: &Model) -> Object {
    let exists = |matches: &String| format!("EXISTS (SELECT 1 FROM {} WHERE {matches})", model.quoted());
    let clashes = any(model.conflicts.iter().map(|conflict| exists(&conflict.matches)));
    let when = format!("EXISTS (SELECT 1 FROM _sync_guard) AND ({clashes})");
    let matches = any(model.conflicts.iter().map(|conflict| format!("({})", conflict.matches)));
    trigger(model, 5, "BEFORE INSERT", Some(&when), &note_replaced(model, &matches))
}

fn replaced_by_update(model: &Model) -> Object {
    let other = model
        .key
        .iter()
        .map(|key| format!("{0} COLLATE BINARY IS NOT OLD.{0}", quote(&key.column)))
        .collect::<Vec<_>>()
        .join(" OR ");
    let clashes: Vec<_> = model
        .conflicts
        .iter()
        .map(|conflict| {
            let changed = any(conflict.columns.iter().map(|column| differs(column, false)));
            (changed, format!("({}) AND ({other})", conflict.matches))
        })
        .collect();
    let when = any(clashes.iter().map(|(changed, matches)| {
        format!("(({changed}) AND EXISTS (SELECT 1 FROM {} WHERE {matches}))", model.quoted())
    }));
    let matches = any(clashes.iter().map(|(_, matches)| format!("({matches})")));
    trigger(model, 6, "BEFORE UPDATE", Some(&when), &note_replaced(model, &matches))
}
