//! Named hostile inputs, each with how it is made and the typed error that it must get.

mod bodies;
mod build;
mod frames;
mod list;
mod messages;
mod plugins;
mod runs;
mod sessions;
mod states;
mod vectors;

pub use list::{Hostile, List, all};
