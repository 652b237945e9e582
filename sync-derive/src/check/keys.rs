//! The record id: which column holds it, and what it is derived from.

use std::collections::HashSet;

use super::known_column;
use crate::{
    errors::Errors,
    model::{Field, Identity, Model},
    parse::Columns,
    types::{Kind, Written, shown},
};

/// The id column; `None` when `errors` says why not.
pub(super) fn id(model: &Model, errors: &mut Errors) -> Option<String> {
    let mut marked = model.fields.iter().filter(|field| field.sync.id.is_some());
    let Some(field) = marked.next() else {
        if !model.fields.iter().any(|field| field.sync.misread) {
            errors.at(&model.ident, "no field is the record id: mark a `Uuid` field with `#[sync(id)]`");
        }
        return None;
    };
    for second in marked {
        errors.at(&second.sync.id, format!("`{}` is the record id already, a model has one", field.column));
    }
    if Written::of(&field.ty).kind != Kind::Uuid {
        errors.at(
            &field.ty,
            format!("the record id is a `Uuid` or an `Option<Uuid>`, not `{}`", shown(&field.ty)),
        );
    }
    Some(field.column.clone())
}

/// Where ids come from.
pub(super) fn identity(model: &Model, errors: &mut Errors) -> Identity {
    let container = &model.container;
    if let (Some(_), Some(key)) = (&container.identity, &container.natural_key) {
        errors.at(&key.written, "the record id comes from `identity` or from `natural_key`, not from both");
    }
    let parents =
        container.identity.as_ref().map(|columns| key_columns(model, columns, Source::Parents, errors));
    let natural =
        container.natural_key.as_ref().map(|columns| key_columns(model, columns, Source::Values, errors));
    match (parents, natural) {
        (Some(columns), _) => Identity::Parents(columns),
        (None, Some(columns)) => Identity::NaturalKey(columns),
        (None, None) => Identity::Column,
    }
}

/// What a derived id is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Parents,
    Values,
}

fn key_columns(model: &Model, columns: &Columns, source: Source, errors: &mut Errors) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for written in &columns.names {
        let name = written.value();
        if !seen.insert(name.clone()) {
            errors.at(written, format!("`{name}` is named twice"));
            continue;
        }
        if let Some(field) = known_column(model, &name, written, errors) {
            if let Some(reason) = unfit(model, field, source) {
                errors.at(written, format!("`{name}` {reason}"));
            }
            names.push(name);
        }
    }
    names
}

/// Why a column cannot be part of a derived id.
fn unfit(model: &Model, field: &Field, source: Source) -> Option<&'static str> {
    let alone = model.fields.iter().filter(|other| other.primary_key).count() == 1;
    if field.sync.id.is_some() {
        Some("is the record id itself, which is derived from other columns")
    } else if field.sync.skip.is_some() {
        Some("stays on this device, so no other device could derive the record id from it")
    } else if field.sync.merge.as_ref().is_some_and(|merge| merge.value() != "lww") {
        Some("merges by itself, so the record id would change without anyone writing it")
    } else if source == Source::Values && field.primary_key && alone {
        Some("is the local primary key, which never leaves the device")
    } else {
        None
    }
}
