//! The house rules that a test can hold. Each check is a pure function from files to findings, so that it can be
//! shown to find what was planted; one test runs it over the workspace.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

mod dependencies;
mod documents;
mod facade;
mod habits;
mod invariants;
mod layout;
mod lessons;
mod licences;
mod plugins;
mod script;
mod tokens;
mod tree;
