//! What a record must be, said the obvious way: keep every change, look at all of them for every question.

use std::collections::BTreeSet;

use super::{DeletePolicy, SetOperation};
use crate::{
    changeset::{Change, ChangeKind, FieldWrite},
    hlc::Stamp,
    ids::Origin,
    value::{MergeKind, Value},
};

/// All changes of a record that ever arrived.
pub(super) struct Reference<'a>(pub(super) &'a [Change]);

impl Reference<'_> {
    fn of_kind(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.0.iter().filter(move |change| change.kind == kind)
    }

    pub(super) fn insert(&self) -> Option<Stamp> {
        self.of_kind(ChangeKind::Insert).map(|change| change.version.stamp).max()
    }

    pub(super) fn delete(&self) -> Option<Stamp> {
        let deletes = self.of_kind(ChangeKind::Delete).map(|change| change.version.stamp);
        deletes.chain(self.of_kind(ChangeKind::Insert).filter_map(|change| change.over)).max()
    }

    pub(super) fn is_alive(&self, policy: DeletePolicy, fields: &[(&str, MergeKind)]) -> bool {
        let (Some(insert), delete) = (self.insert(), self.delete()) else { return false };
        let written = fields.iter().filter_map(|(name, kind)| self.highest(name, *kind)).max();
        match policy {
            DeletePolicy::Wins => Some(insert) > delete,
            DeletePolicy::Loses => Some(insert).max(written) > delete,
        }
    }

    fn all_writes(&self, name: &str, kind: MergeKind) -> Vec<(&Change, &FieldWrite)> {
        let mut all = Vec::new();
        for change in self.0.iter().filter(|change| change.kind != ChangeKind::Delete) {
            for write in &change.fields {
                if write.field.as_str() == name && write.merge == kind {
                    all.push((change, write));
                }
            }
        }
        all
    }

    /// The writes that saw the latest delete that any of them saw.
    fn latest_life(&self, name: &str, kind: MergeKind) -> Vec<(&Change, &FieldWrite)> {
        fn seen(change: &Change) -> Option<Stamp> {
            match change.kind {
                ChangeKind::Insert => change.seen_delete.max(change.over),
                _ => change.seen_delete,
            }
        }
        let mut all = self.all_writes(name, kind);
        let latest = all.iter().map(|(change, _)| seen(change)).max();
        all.retain(|(change, _)| Some(seen(change)) == latest);
        all
    }

    /// The writes of a counter that count: the last base, and the last of each author's shares.
    fn amounts(&self, name: &str) -> Vec<(&Change, &FieldWrite)> {
        let writes = self.latest_life(name, MergeKind::Counter);
        let authors: BTreeSet<Origin> =
            writes.iter().map(|(change, _)| change.version.stamp.origin).collect();
        let last = |belongs: &dyn Fn(&Change) -> bool| {
            writes.iter().copied().filter(|(change, _)| belongs(change)).max_by(later)
        };
        let base = last(&|change| change.kind == ChangeKind::Insert);
        let share = |author: Origin| {
            last(&|change| change.kind == ChangeKind::Write && change.version.stamp.origin == author)
        };
        base.into_iter().chain(authors.into_iter().filter_map(share)).collect()
    }

    /// The write that a maximum or minimum keeps.
    fn extreme(&self, name: &str, kind: MergeKind) -> Option<(&Change, &FieldWrite)> {
        let integer = |value: &Value| match value {
            Value::Null => None,
            Value::Integer(value) => Some(i128::from(*value) * if kind == MergeKind::Max { 1 } else { -1 }),
            other => panic!("the tests write integers, not {other:?}"),
        };
        let key = |(change, write): &(&Change, &FieldWrite)| (integer(&write.value), change.version);
        self.latest_life(name, kind).into_iter().max_by_key(key)
    }

    fn highest(&self, name: &str, kind: MergeKind) -> Option<Stamp> {
        let writes = match kind {
            MergeKind::LastWriter => self.all_writes(name, kind),
            MergeKind::Counter => self.amounts(name),
            MergeKind::Max | MergeKind::Min => self.extreme(name, kind).into_iter().collect(),
            MergeKind::Set => self.latest_life(name, kind),
        };
        writes.into_iter().map(|(change, _)| change.version.stamp).max()
    }

    pub(super) fn value(&self, name: &str, kind: MergeKind) -> Option<Value> {
        match kind {
            MergeKind::LastWriter => {
                self.all_writes(name, kind).into_iter().max_by(later).map(|(_, write)| write.value.clone())
            }
            MergeKind::Max | MergeKind::Min => self.extreme(name, kind).map(|(_, write)| write.value.clone()),
            MergeKind::Counter => {
                let amounts = self.amounts(name);
                let sum: i128 = amounts.iter().map(|(_, write)| amount(&write.value)).sum();
                let shown = sum.clamp(i64::MIN.into(), i64::MAX.into());
                (!amounts.is_empty()).then(|| Value::Integer(shown.try_into().unwrap_or_default()))
            }
            MergeKind::Set => self.set(name),
        }
    }

    fn set(&self, name: &str) -> Option<Value> {
        let writes = self.latest_life(name, MergeKind::Set);
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for (change, write) in &writes {
            let operation = SetOperation::from_value(&write.value)?;
            for element in operation.add {
                added.insert((element, super::Dot::from(change.version)));
            }
            for (element, dots) in operation.remove {
                removed.extend(dots.into_iter().map(|dot| (element.clone(), dot)));
            }
        }
        let live: BTreeSet<&str> = added.difference(&removed).map(|(element, _)| element.as_str()).collect();
        let text = live.into_iter().collect::<Vec<_>>().join(",");
        (!writes.is_empty()).then(|| Value::Text(format!("[{text}]")))
    }
}

fn amount(value: &Value) -> i128 {
    match value {
        Value::Integer(value) => i128::from(*value),
        other => panic!("a counter holds integers, not {other:?}"),
    }
}

/// Highest stamp, then larger bytes, then larger dot.
fn later(a: &(&Change, &FieldWrite), b: &(&Change, &FieldWrite)) -> std::cmp::Ordering {
    let bytes = |write: &FieldWrite| {
        let mut bytes = Vec::new();
        write.value.canonical(&mut bytes);
        bytes
    };
    a.0.version
        .stamp
        .cmp(&b.0.version.stamp)
        .then_with(|| bytes(a.1).cmp(&bytes(b.1)))
        .then_with(|| a.0.version.cmp(&b.0.version))
}
