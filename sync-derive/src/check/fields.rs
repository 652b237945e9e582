//! What the annotations say of single columns: `skip`, `merge`, `group`.

use std::collections::BTreeMap;

use syn::LitStr;

use super::is_lower_snake;
use crate::{
    attributes::did_you_mean,
    errors::Errors,
    model::{Field, Merge, Model, Rule},
    types::{Kind, Written, shown},
};

/// The columns that depart from the default.
pub(super) fn rules(model: &Model, errors: &mut Errors) -> Vec<Rule> {
    let container = &model.container;
    let whole_rows =
        container.device_owned.is_some() && container.otherwise.is_none() && container.shared.is_none();
    let mut rules = Vec::new();
    for field in &model.fields {
        refuse_on_keys(field, errors);
        refuse_beside_skip(field, errors);
        if whole_rows {
            refuse_on_whole_rows(field, errors);
        }
        let merge = merge(field, errors);
        let rule = Rule {
            column: field.column.clone(),
            skip: field.sync.skip.is_some(),
            merge,
            group: field.sync.group.as_ref().map(LitStr::value),
        };
        if rule.skip || rule.merge != Merge::LastWriter || rule.group.is_some() {
            rules.push(rule);
        }
    }
    check_groups(model, errors);
    rules
}

/// The record id never changes and the primary key never leaves: neither has anything to merge.
fn refuse_on_keys(field: &Field, errors: &mut Errors) {
    let (what, skip) = if field.sync.id.is_some() {
        (
            "the record id never changes",
            "the record id is how other devices know the row: it cannot stay here",
        )
    } else if field.primary_key {
        ("the primary key does not merge", "the primary key stays on this device by itself")
    } else {
        return;
    };
    if let Some(written) = &field.sync.skip {
        errors.at(written, skip);
    }
    if let Some(written) = &field.sync.merge {
        errors.at(written, format!("{what}: `merge` has no meaning on it"));
    }
    if let Some(written) = &field.sync.group {
        errors.at(written, format!("{what}: `group` has no meaning on it"));
    }
}

fn refuse_beside_skip(field: &Field, errors: &mut Errors) {
    if field.sync.skip.is_none() || field.sync.id.is_some() || field.primary_key {
        return;
    }
    for (name, written) in [("merge", &field.sync.merge), ("group", &field.sync.group)] {
        if let Some(written) = written {
            errors.at(written, format!("the field stays on this device, so `{name}` has no meaning on it"));
        }
    }
}

/// One device writes a device-owned row, and it travels whole.
fn refuse_on_whole_rows(field: &Field, errors: &mut Errors) {
    if let Some(written) = &field.sync.merge
        && written.value() != "lww"
    {
        errors.at(written, "rows of a device-owned model have one writer and travel whole: nothing merges");
    }
    if let Some(written) = &field.sync.group {
        errors.at(written, "rows of a device-owned model travel whole: their fields are one group already");
    }
}

fn merge(field: &Field, errors: &mut Errors) -> Merge {
    const KINDS: [(&str, Merge); 5] = [
        ("lww", Merge::LastWriter),
        ("counter", Merge::Counter),
        ("max", Merge::Max),
        ("min", Merge::Min),
        ("set", Merge::Set),
    ];
    let Some(written) = &field.sync.merge else {
        return Merge::LastWriter;
    };
    let name = written.value();
    let Some((_, merge)) = KINDS.iter().find(|(known, _)| *known == name) else {
        let hint = did_you_mean(&name, KINDS.iter().map(|(known, _)| *known));
        let known: Vec<String> = KINDS.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        errors.at(written, format!("no merge is called \"{name}\"; there are {}{hint}", known.join(", ")));
        return Merge::LastWriter;
    };
    if field.sync.id.is_none() && !field.primary_key {
        if let Some(reason) = misfit(*merge, field) {
            errors.at(&field.ty, reason);
        }
        if *merge != Merge::LastWriter
            && let Some(group) = &field.sync.group
        {
            errors
                .at(group, format!("the fields of a group win or lose together, a {name} merges by itself"));
        }
    }
    *merge
}

/// Why a merge does not fit the field's type, as far as tokens tell.
fn misfit(merge: Merge, field: &Field) -> Option<String> {
    let Written { kind, nullable } = Written::of(&field.ty);
    let ty = shown(&field.ty);
    match merge {
        Merge::LastWriter => None,
        Merge::Counter => match kind {
            Kind::Decimal => Some("a `Decimal` counter is not supported yet".to_owned()),
            Kind::Integer | Kind::Other => {
                nullable.then(|| format!("a counter is never NULL: take the `Option` off `{ty}`"))
            }
            _ => Some(format!("a counter is an integer, not `{ty}`")),
        },
        Merge::Max | Merge::Min => match kind {
            Kind::Integer | Kind::Text | Kind::Time | Kind::Other => None,
            _ => Some(format!("max and min are for integers, `String`, dates and times, not for `{ty}`")),
        },
        Merge::Set => match kind {
            Kind::Json | Kind::Text | Kind::Other => {
                nullable.then(|| format!("an empty set is `[]`, never NULL: take the `Option` off `{ty}`"))
            }
            _ => Some(format!("a set is a JSON array in a `Json` or `String` column, not `{ty}`")),
        },
    }
}

fn check_groups(model: &Model, errors: &mut Errors) {
    let mut groups: BTreeMap<String, Vec<&LitStr>> = BTreeMap::new();
    for written in model.fields.iter().filter_map(|field| field.sync.group.as_ref()) {
        if is_lower_snake(&written.value()) {
            groups.entry(written.value()).or_default().push(written);
        } else {
            errors.at(
                written,
                format!(
                    "`{}` is no group name: lower case letters, digits and `_`, a letter first",
                    written.value()
                ),
            );
        }
    }
    for (name, members) in &groups {
        if let [only] = members.as_slice() {
            let others = groups.keys().filter(|other| *other != name);
            let hint = did_you_mean(name, others.map(String::as_str));
            errors.at(
                only,
                format!("the group `{name}` has one member only, a group is two fields or more{hint}"),
            );
        }
    }
}
