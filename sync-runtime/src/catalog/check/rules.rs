//! What the annotations say of fields: merge kinds, groups, and where record ids come from.

use sync_core::value::MergeKind;

use super::super::{
    freeze::{Draft, Mistakes},
    live::Affinity,
    model::{Derivation, FieldIndex, Model},
};
use crate::registration::{Identity, Regime};

/// Sets groups and identity, and checks merge kinds.
pub(super) fn apply(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    check_merges(draft, model, mistakes);
    set_groups(draft, model, mistakes);
    set_identity(draft, model, mistakes);
}

fn check_merges(draft: &Draft, model: &Model, mistakes: &mut Mistakes) {
    for field in model.fields.iter().filter(|field| field.merge != MergeKind::LastWriter) {
        let column = &field.column;
        let kind = match field.merge {
            MergeKind::LastWriter => "lww",
            MergeKind::Counter => "counter",
            MergeKind::Max => "max",
            MergeKind::Min => "min",
            MergeKind::Set => "set",
        };
        let mut wrong =
            |text: &str| mistakes.add(draft, format!("column \"{column}\" merges as a {kind}: {text}"));
        let affinity = draft.live.column(column).map_or(Affinity::Blob, |live| Affinity::of(&live.declared));
        match field.merge {
            MergeKind::Counter if affinity != Affinity::Integer => {
                wrong("the column must be an integer; change its type");
            }
            MergeKind::Max | MergeKind::Min if affinity == Affinity::Real => {
                wrong("floats cannot; use an integer or text column, or remove the merge kind");
            }
            MergeKind::Set if !matches!(affinity, Affinity::Text | Affinity::Blob) => {
                wrong("the column must be text or bytes; change its type");
            }
            _ => {}
        }
        if field.merge == MergeKind::Counter && field.nullable {
            wrong("NULL cannot be counted; make the column NOT NULL");
        }
        if field.reference.is_some() {
            wrong("a reference cannot; remove the merge kind");
        }
        if field.fixed {
            wrong("a column of the primary key does not change; remove the merge kind");
        }
        if matches!(draft.registration.regime, Regime::DeviceOwned { .. }) {
            wrong("only the owner writes these rows, so there is nothing to merge; remove the merge kind");
        }
    }
}

fn set_groups(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    let mut names: Vec<&str> = Vec::new();
    for (place, field) in model.fields.iter_mut().enumerate() {
        let Some(name) = draft.rule(&field.column).and_then(|rule| rule.group) else { continue };
        if field.merge != MergeKind::LastWriter {
            let text = format!(
                "column \"{}\" is in group \"{name}\" and has a merge kind of its own; remove one of them",
                field.column
            );
            mistakes.add(draft, text);
        }
        let group = names.iter().position(|known| *known == name).unwrap_or(names.len());
        if group == names.len() {
            names.push(name);
            model.groups.push(Vec::new());
        }
        field.group = Some(group);
        if let Some(members) = model.groups.get_mut(group) {
            members.push(FieldIndex(place));
        }
    }
}

fn set_identity(draft: &Draft, model: &mut Model, mistakes: &mut Mistakes) {
    let (columns, parents) = match draft.registration.identity {
        Identity::Column => return,
        Identity::Parents(columns) => (columns, true),
        Identity::NaturalKey(columns) => (columns, false),
    };
    let word = if parents { "identity" } else { "natural_key" };
    let mut fields = Vec::new();
    if columns.is_empty() {
        mistakes.add(draft, format!("{word} names no column; name those that make the record id"));
    }
    for column in columns {
        let field = model.fields.iter().enumerate().find(|(_, f)| f.column.eq_ignore_ascii_case(column));
        let Some((place, field)) = field else {
            mistakes.add(
                draft,
                format!("{word} names \"{column}\", which is not a field that syncs; name one that is"),
            );
            continue;
        };
        fields.push(FieldIndex(place));
        if field.merge != MergeKind::LastWriter {
            mistakes.add(draft, format!("{word} names \"{column}\", which has a merge kind; remove it"));
        }
        if parents && field.reference.is_none() {
            let text = format!("{word} names \"{column}\", which refers to no synced model; use natural_key");
            mistakes.add(draft, text);
        }
        if field.nullable && field.reference.is_some() {
            let text = format!(
                "{word} names \"{column}\", a nullable reference, and the record id would change with what it refers to; make \
                 the column NOT NULL"
            );
            mistakes.add(draft, text);
        }
    }
    model.identity = Derivation::Fields(fields);
}
