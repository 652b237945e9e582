//! The closure tables against a full computation of what they should hold, on a plain database: what the
//! framework's hooks call is called by hand.

mod entries;
mod support;
mod tags;
