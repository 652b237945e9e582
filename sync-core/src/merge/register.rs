//! Fields of one value: last writer, and the largest or smallest.

use std::cmp::Ordering;

use super::record::Joined;
use crate::{changeset::Version, hlc::Stamp, value::Value};

/// A last-writer field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// Which write it was.
    pub version: Version,
    /// What it wrote.
    pub value: Value,
}

impl Register {
    /// Keeps the write with the highest stamp. Equal stamps with different bytes are a fault of their author: the
    /// larger bytes stay.
    pub(super) fn join(&mut self, version: Version, value: &Value) -> Joined {
        let (order, equivocation) = precedence((&version, value), (&self.version, &self.value));
        let changed = order == Ordering::Greater;
        if changed {
            self.version = version;
            self.value.clone_from(value);
        }
        Joined { changed, equivocation }
    }
}

/// Compares two writes of one register; also tells whether they are an equivocation.
fn precedence(a: (&Version, &Value), b: (&Version, &Value)) -> (Ordering, bool) {
    match a.0.stamp.cmp(&b.0.stamp) {
        Ordering::Equal if a.1 == b.1 => (a.0.cmp(b.0), false),
        Ordering::Equal => (a.1.cmp(b.1), true),
        order => (order, false),
    }
}

/// Which end of the order an [`Extreme`] keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Largest,
    Smallest,
}

/// A field that keeps its largest or smallest value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extreme {
    /// The delete that the author saw; a higher one replaces the value.
    pub epoch: Option<Stamp>,
    /// Which write it was.
    pub version: Version,
    /// The value.
    pub value: Value,
}

impl Extreme {
    pub(super) fn join(&mut self, other: &Self, end: End) -> Joined {
        let equal_epoch = self.epoch == other.epoch;
        let order = other
            .epoch
            .cmp(&self.epoch)
            .then_with(|| toward(end, &other.value, &self.value))
            .then_with(|| other.version.cmp(&self.version));
        let equivocation =
            equal_epoch && self.version.stamp == other.version.stamp && self.value != other.value;
        let changed = order == Ordering::Greater;
        if changed {
            self.clone_from(other);
        }
        Joined { changed, equivocation }
    }
}

/// Greater: `a` is nearer to that end than `b`. NULL is the farthest from both.
fn toward(end: End, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ if end == End::Largest => natural(a, b),
        _ => natural(b, a),
    }
}

/// The order of SQLite's storage classes and, within one, its binary order. Total, and equal only for equal
/// bytes.
fn natural(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        (Value::Reference(a), Value::Reference(b)) => a.cmp(b),
        _ => class(a).cmp(&class(b)),
    }
}

fn class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) => 1,
        Value::Real(_) => 2,
        Value::Text(_) => 3,
        Value::Blob(_) => 4,
        Value::Reference(_) => 5,
    }
}
