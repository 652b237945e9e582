//! Who may write: `shared`, `device_owned(owner = "…")`, `otherwise = "shared"`.

use syn::LitStr;

use super::known_column;
use crate::{
    errors::Errors,
    model::{Model, Regime},
    parse::DeviceOwned,
};

/// The regime; `None` when `errors` says why not.
pub(super) fn regime(model: &Model, errors: &mut Errors) -> Option<Regime> {
    let container = &model.container;
    let hybrid = otherwise_shared(model, errors);
    match (&container.shared, &container.device_owned) {
        (Some(shared), Some(owned)) => {
            errors.at(
                shared,
                "a model is `shared` or `device_owned`; for both by row write `device_owned(…), otherwise = \"shared\"`",
            );
            owner_path(model, owned, errors);
            None
        }
        (Some(_), None) => Some(Regime::Shared),
        (None, Some(owned)) => {
            let path = owner_path(model, owned, errors)?;
            Some(if hybrid { Regime::Hybrid(path) } else { Regime::DeviceOwned(path) })
        }
        (None, None) => {
            if !container.misread {
                errors.at(
                    &model.ident,
                    "say who writes the rows: `#[sync(shared)]` or `#[sync(device_owned(owner = \"…\"))]`",
                );
            }
            None
        }
    }
}

fn otherwise_shared(model: &Model, errors: &mut Errors) -> bool {
    let container = &model.container;
    let Some(otherwise) = &container.otherwise else {
        return false;
    };
    if otherwise.value() != "shared" {
        errors.at(otherwise, format!("`otherwise` can only be \"shared\", not \"{}\"", otherwise.value()));
    }
    if container.device_owned.is_none() {
        errors.at(
            otherwise,
            "`otherwise` is for rows without an owner and needs `device_owned(owner = \"…\")`",
        );
    }
    true
}

/// The owner path's columns. Only the first is a column of this model; the catalog follows the rest.
fn owner_path(model: &Model, owned: &DeviceOwned, errors: &mut Errors) -> Option<Vec<String>> {
    let written = owned.owner.as_ref()?;
    let path: Vec<String> = written.value().split('.').map(str::to_owned).collect();
    if !path.iter().all(|segment| is_column_word(segment)) {
        errors.at(
            written,
            format!("`{}` is no owner path: write a column, or columns joined by `.`", written.value()),
        );
        return None;
    }
    let first = path.first()?;
    check_first(model, first, written, errors)?;
    Some(path)
}

fn check_first(model: &Model, name: &str, written: &LitStr, errors: &mut Errors) -> Option<()> {
    let field = known_column(model, name, written, errors)?;
    if let Some(skip) = &field.sync.skip {
        errors.at(skip, format!("`{name}` says who owns the row, so it cannot stay here"));
    }
    if let Some(merge) = &field.sync.merge
        && merge.value() != "lww"
    {
        errors.at(merge, format!("`{name}` says who owns the row and is fixed when the row is made"));
    }
    Some(())
}

fn is_column_word(segment: &str) -> bool {
    let mut letters = segment.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
}
