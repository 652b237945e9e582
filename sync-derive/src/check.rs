//! Finds everything that a macro can know to be wrong, and turns what is right into the plain description. Types
//! and relations behind aliases, and everything about other models, are left to the catalog.

mod fields;
mod keys;
mod regime;

use crate::{
    attributes::did_you_mean,
    errors::Errors,
    model::{Checked, Field, Model},
    parse,
};

/// Longest wire name in bytes.
const NAME_LIMIT: usize = 64;

/// The description of the model; `None` when `errors` says why not.
pub(crate) fn check(model: &Model, errors: &mut Errors) -> Option<Checked> {
    let id = keys::id(model, errors);
    let identity = keys::identity(model, errors);
    let regime = regime::regime(model, errors);
    let rules = fields::rules(model, errors);
    let name = wire_name(model, errors);
    let delete_loses = delete_loses(model, errors);
    if !errors.is_empty() {
        return None;
    }
    Some(Checked { name, regime: regime?, id: id?, identity, delete_loses, rules })
}

/// The column called `name`, or a message at `place` that says which exist.
fn known_column<'a>(
    model: &'a Model,
    name: &str,
    place: &syn::LitStr,
    errors: &mut Errors,
) -> Option<&'a Field> {
    if let Some(field) = model.column(name) {
        return Some(field);
    }
    let by_field = model.fields.iter().find(|field| parse::plain(&field.ident) == name);
    let message = match by_field {
        Some(field) => format!("the field `{name}` is stored as column `{}`: write that name", field.column),
        None => {
            let columns = model.fields.iter().map(|field| field.column.as_str());
            let hint = did_you_mean(name, columns.clone());
            let listed: Vec<String> = columns.map(|column| format!("`{column}`")).collect();
            format!("the model has no column `{name}`; it has {}{hint}", listed.join(", "))
        }
    };
    errors.at(place, message);
    None
}

/// Lower snake case: what every name of ours on the wire is made of.
fn is_lower_snake(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

fn wire_name(model: &Model, errors: &mut Errors) -> Option<String> {
    let written = model.container.name.as_ref()?;
    let name = written.value();
    if name.len() > NAME_LIMIT {
        errors.at(written, format!("the name has {} bytes, at most {NAME_LIMIT} are allowed", name.len()));
    } else if !is_lower_snake(&name) {
        errors.at(
            written,
            format!("`{name}` is no wire name: lower case letters, digits and `_`, a letter first"),
        );
    }
    Some(name)
}

fn delete_loses(model: &Model, errors: &mut Errors) -> bool {
    let Some(written) = &model.container.delete else {
        return false;
    };
    match written.value().as_str() {
        "wins" => false,
        "loses" => true,
        other => {
            errors.at(written, format!("`delete` is \"wins\" or \"loses\", not \"{other}\""));
            false
        }
    }
}
