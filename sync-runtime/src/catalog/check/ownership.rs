//! Owner paths: from a row over references to the device that owns it.

use sea_orm::ColumnType;

use super::super::{
    freeze::{Draft, Mistakes},
    model::{FieldIndex, Model, ModelIndex, OnDelete, OwnerStep, Ownership},
};
use crate::registration::Regime;

/// Sets the models' regimes, and fixes the columns on owner paths.
pub(super) fn resolve(drafts: &[Draft], models: &mut [Model], mistakes: &mut Mistakes) {
    let mut regimes = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let (owner, otherwise_shared) = match draft.registration.regime {
            Regime::Shared => {
                regimes.push(Ownership::Shared);
                continue;
            }
            Regime::DeviceOwned { owner } => (owner, false),
            Regime::Hybrid { owner } => (owner, true),
        };
        match walk(drafts, models, at, owner) {
            Ok(path) => regimes.push(Ownership::Device { path, otherwise_shared }),
            Err(text) => {
                mistakes.add(draft, format!("the owner path \"{}\" {text}", owner.join(".")));
                regimes.push(Ownership::Shared);
            }
        }
    }
    for (regime, at) in regimes.into_iter().zip(0..) {
        if let Ownership::Device { path, .. } = &regime {
            for step in path {
                fix(drafts, models, step, mistakes);
            }
        }
        if let Some(model) = models.get_mut(at) {
            model.regime = regime;
        }
    }
}

/// The path of an owner column is its own id column: the model of the devices themselves.
fn is_device(draft: &Draft) -> bool {
    match draft.registration.regime {
        Regime::DeviceOwned { owner: [only] } | Regime::Hybrid { owner: [only] } => draft.is_id(only),
        _ => false,
    }
}

fn walk(drafts: &[Draft], models: &[Model], start: usize, owner: &[&str]) -> Result<Vec<OwnerStep>, String> {
    let mut path = Vec::new();
    let mut at = start;
    for (place, column) in owner.iter().enumerate() {
        let (Some(draft), Some(model)) = (drafts.get(at), models.get(at)) else { break };
        let last = place + 1 == owner.len();
        let field = model.fields.iter().position(|field| field.column.eq_ignore_ascii_case(column));
        let reference = field.and_then(|field| model.fields.get(field)).and_then(|field| field.reference);
        let step = OwnerStep {
            model: ModelIndex(at),
            column: (*column).to_owned(),
            field: field.map(FieldIndex),
            target: reference.map(|reference| reference.target),
        };
        path.push(step);
        if field.is_none() && !draft.is_id(column) {
            return Err(format!(
                "does not resolve: \"{}\" has no synced column \"{column}\"; correct it",
                draft.name
            ));
        }
        match reference {
            Some(reference) if last => {
                let target = drafts.get(reference.target.0);
                return match target.filter(|target| !is_device(target)) {
                    None => Ok(path),
                    Some(target) => Err(format!(
                        "ends at \"{0}\", which is not a device; go on to the column of \"{0}\" that leads to one",
                        target.name
                    )),
                };
            }
            Some(reference) => at = reference.target.0,
            None if !last => {
                return Err(format!(
                    "does not resolve: column \"{column}\" of \"{}\" is no reference; add its foreign key, or end the path there",
                    draft.name
                ));
            }
            None if draft.is_id(column) && !is_device(draft) => {
                return Err(format!(
                    "ends at the record id of \"{}\", which is not a device; correct it",
                    draft.name
                ));
            }
            None if !draft.is_id(column) && !holds_device_id(draft, column) => {
                return Err(format!(
                    "ends at column \"{column}\" of \"{}\", which holds no device id; make it Uuid or refer to the device's row",
                    draft.name
                ));
            }
            None => return Ok(path),
        }
    }
    Err("is empty; name the column that leads to the device".to_owned())
}

fn holds_device_id(draft: &Draft, column: &str) -> bool {
    let column = draft.meta.columns.iter().find(|declared| declared.name.eq_ignore_ascii_case(column));
    column.is_some_and(|column| {
        matches!(
            column.column_type,
            ColumnType::Uuid | ColumnType::Binary(16) | ColumnType::VarBinary(_) | ColumnType::Blob
        )
    })
}

fn fix(drafts: &[Draft], models: &mut [Model], step: &OwnerStep, mistakes: &mut Mistakes) {
    let (Some(field), Some(draft)) = (step.field, drafts.get(step.model.0)) else { return };
    let field = models.get_mut(step.model.0).and_then(|model| model.fields.get_mut(field.0));
    let Some(field) = field.filter(|field| !field.fixed) else { return };
    field.fixed = true;
    if field.reference.is_some_and(|reference| reference.on_delete == OnDelete::SetNull) {
        let text = format!(
            "column \"{}\" leads to the owner and must not change, but its foreign key says ON DELETE SET NULL; use CASCADE \
             or RESTRICT",
            field.column
        );
        mistakes.add(draft, text);
    }
}
