//! Columns: entity against table, types, and the fields that sync.

use sea_orm::ColumnType;
use sync_core::{changeset::Name, value::MergeKind};

use super::super::{
    freeze::{Draft, Mistakes},
    live::{Affinity, LiveColumn},
    model::{Derivation, Field, FieldIndex, IdColumn, KeyColumn, Model, ModelIndex, Ownership},
};
use crate::registration::ColumnMeta;

/// The most fields of a model: four words of 62 bits in a note.
const MOST_FIELDS: usize = 248;

/// The model with its columns and key; the rest is filled in later.
pub(super) fn model(draft: &Draft, mistakes: &mut Mistakes) -> Model {
    compare(draft, mistakes);
    let fields: Vec<Field> = draft
        .meta
        .columns
        .iter()
        .filter(|column| draft.is_field(&column.name))
        .filter_map(|column| Some((column, draft.live.column(&column.name)?)))
        .map(|(column, live)| field(draft, column, live, mistakes))
        .collect();
    if fields.len() > MOST_FIELDS {
        let text = format!(
            "it has {} fields and at most {MOST_FIELDS} sync; mark some #[sync(skip)] or split the table",
            fields.len()
        );
        mistakes.add(draft, text);
    }
    let key = draft
        .live
        .key()
        .into_iter()
        .map(|key| KeyColumn {
            column: key.name.clone(),
            field: fields.iter().position(|f| f.column.eq_ignore_ascii_case(&key.name)).map(FieldIndex),
        })
        .collect();
    let id = draft.registration.id;
    Model {
        index: ModelIndex(0),
        number: 0,
        name: Name::from(draft.name.as_str()),
        table: draft.meta.table.clone(),
        key,
        rowid_key: draft.live.has_rowid_key(),
        id: IdColumn {
            column: id.to_owned(),
            is_key: matches!(draft.live.key().as_slice(), [one] if draft.is_id(&one.name)),
            nullable: draft.live.column(id).is_some_and(|column| !column.not_null && column.key == 0),
        },
        regime: Ownership::Shared,
        identity: Derivation::Given,
        delete: draft.registration.delete,
        fields,
        uniques: Vec::new(),
        conflicts: Vec::new(),
        generated: Vec::new(),
        checks: Vec::new(),
        groups: Vec::new(),
        referrers: Vec::new(),
    }
}

fn field(draft: &Draft, column: &ColumnMeta, live: &LiveColumn, mistakes: &mut Mistakes) -> Field {
    let name = &column.name;
    if let Some(wrong) = unsupported(&column.column_type, Affinity::of(&live.declared)) {
        mistakes.add(draft, format!("column \"{name}\" {wrong}, or mark the field #[sync(skip)]"));
    }
    Field {
        name: Name::from(name.as_str()),
        column: name.clone(),
        merge: draft.rule(name).map_or(MergeKind::LastWriter, |rule| rule.merge),
        group: None,
        nullable: !live.not_null && live.key == 0,
        reference: None,
        range: range(&column.column_type),
        fixed: live.key > 0,
        untyped: draft.live.is_untyped(live),
    }
}

/// What is wrong with a type, and what to do.
fn unsupported(column_type: &ColumnType, affinity: Affinity) -> Option<&'static str> {
    match column_type {
        ColumnType::Decimal(_) | ColumnType::Money(_) if affinity != Affinity::Text => {
            Some("is a decimal that the database keeps as a float, which loses digits; make the column TEXT")
        }
        ColumnType::Array(_) | ColumnType::Vector(_) => Some("is an array, which cannot sync; use JSON"),
        ColumnType::Enum { .. } => {
            Some("is a native enum, which cannot sync; use an active enum over String or an integer")
        }
        ColumnType::Year
        | ColumnType::Interval(..)
        | ColumnType::Bit(_)
        | ColumnType::VarBit(_)
        | ColumnType::Cidr
        | ColumnType::Inet
        | ColumnType::MacAddr
        | ColumnType::LTree => Some("is of a type that SQLite lacks; use text or bytes"),
        _ => None,
    }
}

/// The range of an integer type; the whole of i64 for any other.
fn range(column_type: &ColumnType) -> (i64, i64) {
    match column_type {
        ColumnType::TinyInteger => (i8::MIN.into(), i8::MAX.into()),
        ColumnType::SmallInteger => (i16::MIN.into(), i16::MAX.into()),
        ColumnType::Integer => (i32::MIN.into(), i32::MAX.into()),
        ColumnType::TinyUnsigned => (0, u8::MAX.into()),
        ColumnType::SmallUnsigned => (0, u16::MAX.into()),
        ColumnType::Unsigned => (0, u32::MAX.into()),
        ColumnType::BigUnsigned => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Entity and table have the same columns, with the same nullability.
fn compare(draft: &Draft, mistakes: &mut Mistakes) {
    for column in &draft.meta.columns {
        match draft.live.column(&column.name) {
            None => mistakes.add(
                draft,
                format!(
                    "column \"{}\" is not in table \"{}\"; add it in a migration, or remove the field",
                    column.name, draft.meta.table
                ),
            ),
            // SQLite's key columns count as NOT NULL whatever they say; `keys` looks at those that do not.
            Some(live) if live.key == 0 && !live.generated && live.not_null == column.nullable => {
                let (entity, table) =
                    if column.nullable { ("Option", "NOT NULL") } else { ("not Option", "nullable") };
                mistakes.add(draft, format!(
                    "column \"{}\" is {table} in table \"{}\" and {entity} in the entity; change one of them",
                    column.name, draft.meta.table
                ));
            }
            Some(live)
                if draft.is_skipped(&column.name)
                    && live.not_null
                    && !live.has_default
                    && !live.generated =>
            {
                mistakes.add(draft, format!(
                    "column \"{}\" is NOT NULL without a default and does not sync, so rows from other devices could not be \
                     inserted; give it a DEFAULT, allow NULL, or remove #[sync(skip)]",
                    column.name
                ));
            }
            Some(_) => {}
        }
    }
    for live in draft.live.columns.iter().filter(|live| !live.generated && !draft.declares(&live.name)) {
        mistakes.add(draft, format!(
            "column \"{}\" of table \"{}\" is not in the entity, so it would not sync; add the field, with #[sync(skip)] \
             if it is to stay on this device, or drop the column",
            live.name, draft.meta.table
        ));
    }
    for rule in draft.registration.fields.iter().filter(|rule| !draft.declares(rule.column)) {
        mistakes.add(
            draft,
            format!("#[sync] names column \"{}\", which the entity lacks; correct the name", rule.column),
        );
    }
}
