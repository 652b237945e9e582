//! From drafts in dependency order to models, one concern after another.

use super::{columns, constraints, keys, ownership, references, rules};
use crate::catalog::{
    freeze::{Draft, Mistakes},
    model::Model,
};

/// The models of the drafts, in their order. What is wrong is added to `mistakes`; the models are of use only when
/// nothing was.
pub(in crate::catalog) fn models(drafts: &[Draft], mistakes: &mut Mistakes) -> Vec<Model> {
    let mut models: Vec<Model> = drafts.iter().map(|draft| columns::model(draft, mistakes)).collect();
    for (draft, model) in drafts.iter().zip(&mut models) {
        keys::check(draft, model, mistakes);
    }
    references::resolve(drafts, &mut models, mistakes);
    for (draft, model) in drafts.iter().zip(&mut models) {
        rules::apply(draft, model, mistakes);
    }
    ownership::resolve(drafts, &mut models, mistakes);
    for (draft, model) in drafts.iter().zip(&mut models) {
        constraints::read(draft, model, mistakes);
    }
    models
}
