//! From drafts in dependency order to models; one file for each thing that is checked.

mod columns;
mod constraints;
mod keys;
pub(super) mod names;
mod ownership;
mod references;
mod rules;

use super::{
    freeze::{Draft, Mistakes},
    model::Model,
};

/// The models of the drafts, in their order. What is wrong is added to `mistakes`; the models are of use only when
/// nothing was.
pub(super) fn models(drafts: &[Draft], mistakes: &mut Mistakes) -> Vec<Model> {
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
