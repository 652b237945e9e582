//! The models that the workspace's tests sync: one for each rule of merging and showing, no more.

pub mod assignment;
pub mod folder;
pub mod gauge;
pub mod invoice;
pub mod label;
pub mod memo;
pub mod parcel;
pub mod project;
pub mod reading;
pub mod sample;
pub mod seat;
pub mod setting;
pub mod sketch;
pub mod span;
mod tables;
pub mod task;

pub use tables::{TABLES, models};
