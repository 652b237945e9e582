//! The primary key and the record id column.

use sea_orm::{ColumnType, sea_query::StringLen};

use super::super::{
    freeze::{Draft, Mistakes},
    model::Model,
};

/// The most columns of a key: `k0` to `k3` in a note.
const MOST_KEY_COLUMNS: usize = 4;

/// Checks the key and the id column.
pub(super) fn check(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    check_key(draft, model, mistakes);
    check_id(draft, model, mistakes);
    for column in draft.meta.columns.iter().filter(|column| is_reserved(&column.name)) {
        if draft.is_field(&column.name) || draft.is_id(&column.name) {
            let text = format!(
                "column \"{}\": k0 to k3 are the framework's own names for key columns; rename the column or mark \
                 the field #[sync(skip)]",
                column.name
            );
            mistakes.add(draft, text);
        }
    }
}

fn is_reserved(column: &str) -> bool {
    ["k0", "k1", "k2", "k3"].iter().any(|reserved| column.eq_ignore_ascii_case(reserved))
}

fn check_key(draft: &Draft, model: &Model, mistakes: &mut Mistakes) {
    let table = &draft.meta.table;
    let key = draft.live.key();
    if key.is_empty() {
        mistakes.add(draft, format!("table \"{table}\" has no primary key; declare one"));
    }
    if key.len() > MOST_KEY_COLUMNS {
        let text = format!(
            "the primary key has {} columns and at most {MOST_KEY_COLUMNS} sync; use an integer key and a UNIQUE index",
            key.len()
        );
        mistakes.add(draft, text);
    }
    let declared = &draft.meta.primary_key;
    let same = declared.len() == key.len()
        && declared.iter().all(|column| key.iter().any(|live| live.name.eq_ignore_ascii_case(column)));
    if !key.is_empty() && !same {
        let live: Vec<_> = key.iter().map(|column| column.name.as_str()).collect();
        let text = format!(
            "the primary key is ({}) in the entity and ({}) in table \"{table}\"; change one of them",
            declared.join(", "),
            live.join(", ")
        );
        mistakes.add(draft, text);
    }
    for (column, live) in model.key.iter().zip(&key) {
        let name = &column.column;
        if draft.is_skipped(name) && !draft.is_local_key(name) {
            mistakes.add(
                draft,
                format!("column \"{name}\" is in the primary key and must sync; remove #[sync(skip)]"),
            );
        }
        if live.generated {
            mistakes.add(
                draft,
                format!("column \"{name}\" is in the primary key and generated; use a plain column"),
            );
        }
        if !live.not_null && !model.rowid_key {
            let text = format!(
                "column \"{name}\" is in the primary key and SQLite lets it be NULL; declare it NOT NULL"
            );
            mistakes.add(draft, text);
        }
    }
}

fn check_id(draft: &Draft, model: &Model, mistakes: &mut Mistakes) {
    let id = draft.registration.id;
    let Some(column) = draft.meta.columns.iter().find(|column| draft.is_id(&column.name)) else {
        mistakes.add(draft, format!("the record id column \"{id}\" is not in the entity; correct its name"));
        return;
    };
    let Some(live) = draft.live.column(id) else { return };
    if live.generated || draft.is_skipped(id) {
        mistakes.add(draft, format!("the record id column \"{id}\" must be a plain column that syncs"));
    }
    let bytes = match &column.column_type {
        ColumnType::Uuid | ColumnType::Binary(16) | ColumnType::Blob => true,
        ColumnType::VarBinary(length) => !matches!(length, StringLen::N(n) if *n < 16),
        _ => false,
    };
    let stored = !draft.live.strict || ["blob", "any"].iter().any(|t| live.declared.eq_ignore_ascii_case(t));
    if !bytes || !stored {
        let text =
            format!("the record id column \"{id}\" must hold 16 bytes; make it Uuid, in a strict table BLOB");
        mistakes.add(draft, text);
    }
    let unique = model.id.is_key
        || draft.live.uniques.iter().any(|unique| {
            unique
                .plain_columns()
                .is_some_and(|columns| matches!(columns.as_slice(), [one] if draft.is_id(one)))
        });
    if !unique {
        let text = format!(
            "the record id column \"{id}\" has no UNIQUE index in table \"{}\"; add one in a migration",
            draft.meta.table
        );
        mistakes.add(draft, text);
    }
}
