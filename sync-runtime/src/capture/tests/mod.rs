//! What the triggers note and keep, on real databases.

mod effects;
mod installed;
mod noted;
mod support;
