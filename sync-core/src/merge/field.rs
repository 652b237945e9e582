//! The state of one field, whatever its merge kind.

use std::collections::BTreeMap;

use super::{
    counter::{Amount, Counter},
    record::Joined,
    register::{End, Extreme, Register},
    set::{SetOperation, SetState},
};
use crate::{
    changeset::Version,
    hlc::Stamp,
    value::{MergeKind, Value},
};

/// The state of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldState {
    /// The highest stamp wins.
    Last(Register),
    /// A base and shares.
    Counter(Counter),
    /// The largest value.
    Max(Extreme),
    /// The smallest value.
    Min(Extreme),
    /// A set of elements.
    Set(SetState),
}

/// Where a written value comes from.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// Stamp and dot.
    pub(super) version: Version,
    /// The delete that the author saw.
    pub(super) epoch: Option<Stamp>,
    /// An insert sets a counter's base, a write a share.
    pub(super) insert: bool,
}

impl FieldState {
    /// The state that one write makes; `None` when the value is not one of this kind ([`super::check`] refuses
    /// such a change before it gets here).
    pub(super) fn written(merge: MergeKind, value: &Value, source: Source) -> Option<Self> {
        let Source { version, epoch, insert } = source;
        let extreme = || Extreme { epoch, version, value: value.clone() };
        Some(match (merge, value) {
            (MergeKind::LastWriter, _) => Self::Last(Register { version, value: value.clone() }),
            (MergeKind::Max, _) => Self::Max(extreme()),
            (MergeKind::Min, _) => Self::Min(extreme()),
            (MergeKind::Counter, Value::Integer(amount)) => {
                let amount = Amount { version, amount: *amount };
                Self::Counter(if insert {
                    Counter { epoch, base: Some(amount), shares: BTreeMap::new() }
                } else {
                    Counter { epoch, base: None, shares: BTreeMap::from([(version.stamp.origin, amount)]) }
                })
            }
            (MergeKind::Set, value) => {
                Self::Set(SetState::operated(&SetOperation::from_value(value)?, version, epoch))
            }
            (MergeKind::Counter, _) => return None,
        })
    }

    /// Joins the state of the same field and kind.
    pub(super) fn join(&mut self, other: &Self) -> Joined {
        match (self, other) {
            (Self::Last(mine), Self::Last(theirs)) => mine.join(theirs.version, &theirs.value),
            (Self::Counter(mine), Self::Counter(theirs)) => mine.join(theirs),
            (Self::Max(mine), Self::Max(theirs)) => mine.join(theirs, End::Largest),
            (Self::Min(mine), Self::Min(theirs)) => mine.join(theirs, End::Smallest),
            (Self::Set(mine), Self::Set(theirs)) => mine.join(theirs),
            // Fields are kept apart by kind, so this pair never meets.
            _ => Joined::default(),
        }
    }

    /// How it merges.
    pub const fn kind(&self) -> MergeKind {
        match self {
            Self::Last(_) => MergeKind::LastWriter,
            Self::Counter(_) => MergeKind::Counter,
            Self::Max(_) => MergeKind::Max,
            Self::Min(_) => MergeKind::Min,
            Self::Set(_) => MergeKind::Set,
        }
    }

    /// The version of its last write that counts.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Last(register) => Some(register.version),
            Self::Max(extreme) | Self::Min(extreme) => Some(extreme.version),
            Self::Counter(counter) => counter.amounts().map(|amount| amount.version).max(),
            Self::Set(set) => Some(set.latest),
        }
    }

    /// The delete that its values have seen: what a local write to a counter, maximum, minimum or set carries, so
    /// that it merges with them.
    pub const fn epoch(&self) -> Option<Stamp> {
        match self {
            Self::Last(_) => None,
            Self::Counter(counter) => counter.epoch,
            Self::Max(extreme) | Self::Min(extreme) => extreme.epoch,
            Self::Set(set) => set.epoch,
        }
    }

    /// What a column shows: a counter's sum at the bounds of an integer, a set as a JSON array.
    pub fn value(&self) -> Value {
        match self {
            Self::Last(register) => register.value.clone(),
            Self::Max(extreme) | Self::Min(extreme) => extreme.value.clone(),
            Self::Counter(counter) => {
                let sum = counter.sum().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
                Value::Integer(i64::try_from(sum).unwrap_or_default())
            }
            Self::Set(set) => Value::Text(set.to_json()),
        }
    }

    /// Every version in it.
    pub(super) fn for_each_version(&self, mut visit: impl FnMut(Version)) {
        match self {
            Self::Last(register) => visit(register.version),
            Self::Max(extreme) | Self::Min(extreme) => visit(extreme.version),
            Self::Counter(counter) => counter.amounts().for_each(|amount| visit(amount.version)),
            Self::Set(set) => {
                visit(set.latest);
                set.for_each_entry(|_, dot, presence| visit(presence.version(dot)));
            }
        }
    }

    /// The highest stamp of any write in it.
    pub(super) fn highest(&self) -> Stamp {
        let mut highest = Stamp::ZERO;
        self.for_each_version(|version| highest = highest.max(version.stamp));
        highest
    }
}
