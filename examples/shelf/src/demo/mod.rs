//! `shelf demo`: two shelves as two processes on this machine. One indexes a folder, the other joins it; they
//! are cut apart, both change things that are in each other's way, and meet again. Every outcome is checked.

mod acts;
mod node;
mod peer;
mod play;
mod protocol;
mod report;
mod scenes;
mod synthetic;

pub(crate) use node::node;
pub(crate) use play::run;
