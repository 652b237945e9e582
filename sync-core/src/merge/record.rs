//! The merged state of one record.

use std::ops::BitOrAssign;

use super::{
    counter::Counter,
    field::{FieldState, Source},
    register::Register,
};
use crate::{
    changeset::{Change, ChangeKind, FieldWrite, Name, Version},
    hlc::Stamp,
    ids::{Origin, Seq},
    value::{MergeKind, Value},
};

/// What a delete means for edits that did not know of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DeletePolicy {
    /// The record is gone until an insert above the delete.
    #[default]
    Wins,
    /// A write above the delete brings it back.
    Loses,
}

/// What a join did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Joined {
    /// The state is another one than before.
    pub changed: bool,
    /// Two writes had equal stamps and different bytes.
    pub equivocation: bool,
}

impl BitOrAssign for Joined {
    fn bitor_assign(&mut self, other: Self) {
        self.changed |= other.changed;
        self.equivocation |= other.equivocation;
    }
}

/// What an insert declares to be dead (docs/merge.md section 6), and which insert. It keeps the insert's dot even when
/// a later insert without it has won, so that whoever lacks it is served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Over {
    /// Everything up to this stamp is dead.
    pub stamp: Stamp,
    /// The insert that says so.
    pub insert: Version,
}

/// One field, by wire name. A name with two merge kinds is two fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) state: FieldState,
}

/// The merged state of one record: a join of changes, the same in whatever order and however often they come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record {
    pub(super) insert: Option<Version>,
    pub(super) delete: Option<Version>,
    /// Only where it is above `delete`; a lower one says nothing.
    pub(super) over: Option<Over>,
    /// Ordered by name and kind. A sorted list takes one allocation for a whole row.
    pub(super) fields: Vec<Field>,
}

/// Raises `mine` to `theirs`.
fn raise<T: Ord + Copy>(mine: &mut Option<T>, theirs: Option<T>) -> bool {
    let changed = theirs > *mine;
    if changed {
        *mine = theirs;
    }
    changed
}

impl Record {
    /// Keeps the higher of insert and delete alone: what a device-owned record goes by (docs/merge.md, section 3).
    pub fn reduce_to_highest(&mut self) {
        let (Some(insert), Some(delete)) = (self.insert, self.delete) else { return };
        if insert.stamp < delete.stamp {
            *self = Self { delete: Some(delete), ..Self::default() };
        } else {
            self.delete = None;
        }
    }

    /// Joins one change.
    pub fn join_change(&mut self, change: &Change) -> Joined {
        let mut joined = Joined::default();
        let insert = change.kind == ChangeKind::Insert;
        match change.kind {
            ChangeKind::Delete => {
                joined.changed = raise(&mut self.delete, Some(change.version));
                self.drop_covered_over();
                return joined;
            }
            ChangeKind::Insert => {
                joined.changed = raise(&mut self.insert, Some(change.version));
                let over = change.over.map(|stamp| Over { stamp, insert: change.version });
                joined.changed |= self.raise_over(over);
            }
            ChangeKind::Write => {}
        }
        // A re-insert begins a new life: its values replace those that only knew of earlier deletes.
        let epoch = if insert { change.seen_delete.max(change.over) } else { change.seen_delete };
        if self.fields.is_empty() {
            self.fields.reserve_exact(change.fields.len());
        }
        for write in &change.fields {
            joined |= self.join_write(write, Source { version: change.version, epoch, insert });
        }
        joined
    }

    fn join_write(&mut self, write: &FieldWrite, source: Source) -> Joined {
        match self.position(write.field.as_str(), write.merge) {
            Ok(at) => match (self.fields.get_mut(at).map(|field| &mut field.state), write.merge) {
                (Some(FieldState::Last(register)), MergeKind::LastWriter) => {
                    register.join(source.version, &write.value)
                }
                (Some(state), _) => FieldState::written(write.merge, &write.value, source)
                    .map_or(Joined::default(), |written| state.join(&written)),
                (None, _) => Joined::default(),
            },
            Err(at) => {
                let Some(state) = FieldState::written(write.merge, &write.value, source) else {
                    return Joined::default();
                };
                self.fields.insert(at, Field { name: write.field.clone(), state });
                Joined { changed: true, equivocation: false }
            }
        }
    }

    /// Joins another state of the same record.
    pub fn join(&mut self, other: &Self) -> Joined {
        let mut joined = Joined::default();
        joined.changed |= raise(&mut self.insert, other.insert);
        joined.changed |= raise(&mut self.delete, other.delete);
        joined.changed |= self.raise_over(other.over);
        self.drop_covered_over();
        for field in &other.fields {
            match self.position(field.name.as_str(), field.state.kind()) {
                Ok(at) => {
                    if let Some(mine) = self.fields.get_mut(at) {
                        joined |= mine.state.join(&field.state);
                    }
                }
                Err(at) => {
                    self.fields.insert(at, field.clone());
                    joined.changed = true;
                }
            }
        }
        joined
    }

    fn raise_over(&mut self, over: Option<Over>) -> bool {
        let covered = over.map(|over| over.stamp) <= self.delete.map(|delete| delete.stamp);
        !covered && raise(&mut self.over, over)
    }

    pub(super) fn drop_covered_over(&mut self) {
        if self.over.map(|over| over.stamp) <= self.delete.map(|delete| delete.stamp) {
            self.over = None;
        }
    }

    pub(super) fn position(&self, name: &str, kind: MergeKind) -> Result<usize, usize> {
        self.fields.binary_search_by(|field| {
            field.name.as_str().cmp(name).then_with(|| field.state.kind().cmp(&kind))
        })
    }

    /// Whether it lives. A record without a known insert does not.
    pub fn is_alive(&self, policy: DeletePolicy) -> bool {
        let Some(insert) = self.insert else { return false };
        let Some(delete) = self.delete_stamp() else { return true };
        insert.stamp > delete
            || (policy == DeletePolicy::Loses
                && self.fields.iter().any(|field| field.state.highest() > delete))
    }

    /// The highest insert.
    pub fn insert(&self) -> Option<&Version> {
        self.insert.as_ref()
    }

    /// The highest delete that somebody authored.
    pub fn delete(&self) -> Option<&Version> {
        self.delete.as_ref()
    }

    /// What an insert declared dead, where that is above [`Self::delete`].
    pub fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// Up to which stamp the record is dead: docs/merge.md's `d`.
    pub fn delete_stamp(&self) -> Option<Stamp> {
        self.over.map(|over| over.stamp).max(self.delete.map(|delete| delete.stamp))
    }

    /// The highest stamp of anything in it; [`Stamp::ZERO`] when it is empty.
    pub fn highest(&self) -> Stamp {
        let fields =
            self.fields.iter().map(|f| f.state.highest().max(f.state.epoch().unwrap_or(Stamp::ZERO)));
        let insert = self.insert.map(|insert| insert.stamp);
        fields.chain(insert).chain(self.delete_stamp()).max().unwrap_or(Stamp::ZERO)
    }

    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        self.insert.is_none() && self.delete.is_none() && self.over.is_none() && self.fields.is_empty()
    }

    /// Every field with its state, by name and kind.
    pub fn fields(&self) -> impl Iterator<Item = (&Name, &FieldState)> {
        self.fields.iter().map(|field| (&field.name, &field.state))
    }

    /// The field of that name; of several kinds the first in the order of [`MergeKind`]. Whoever knows the
    /// schema asks with [`Self::field_as`].
    pub fn field(&self, name: &str) -> Option<&FieldState> {
        let at = self.fields.partition_point(|field| field.name.as_str() < name);
        self.fields.get(at).filter(|field| field.name.as_str() == name).map(|field| &field.state)
    }

    /// The field of that name and kind; a name that arrived with another kind is another field.
    pub fn field_as(&self, name: &str, kind: MergeKind) -> Option<&FieldState> {
        let at = self.position(name, kind).ok()?;
        self.fields.get(at).map(|field| &field.state)
    }

    /// The value that [`Self::field`] shows.
    pub fn value(&self, name: &str) -> Option<Value> {
        self.field(name).map(FieldState::value)
    }

    /// The value that [`Self::field_as`] shows.
    pub fn value_as(&self, name: &str, kind: MergeKind) -> Option<Value> {
        self.field_as(name, kind).map(FieldState::value)
    }

    /// The counter of that name, for its exact sum.
    pub fn counter(&self, name: &str) -> Option<&Counter> {
        match self.field_as(name, MergeKind::Counter) {
            Some(FieldState::Counter(counter)) => Some(counter),
            _ => None,
        }
    }

    /// Version of the field's last write; the insert's when there is none.
    pub fn version_of(&self, name: &str) -> Option<Version> {
        self.field(name).and_then(FieldState::version).or(self.insert)
    }

    /// What an origin has added to a counter in total.
    pub fn own_share(&self, name: &str, origin: Origin) -> i64 {
        self.counter(name).and_then(|counter| counter.shares.get(&origin)).map_or(0, |share| share.amount)
    }

    /// What a local write to a field carries as `seen_delete`: the delete that the field's values have seen, so
    /// that it merges with what the author saw in the column. The record's own delete can be a later one that a
    /// newer insert outlived; to carry that would replace the value instead.
    pub fn epoch(&self, name: &str, kind: MergeKind) -> Option<Stamp> {
        self.field_as(name, kind).map_or_else(|| self.delete_stamp(), FieldState::epoch)
    }

    /// Drops last-writer values at or below the delete of a record whose deletes win. They are void: an insert
    /// above the delete brings its own. Dropping before or after a join gives the same, so a store may do it at
    /// any time, once it knows the policy.
    pub fn drop_void(&mut self, policy: DeletePolicy) {
        let (DeletePolicy::Wins, Some(delete)) = (policy, self.delete_stamp()) else { return };
        self.fields.retain(|field| match &field.state {
            FieldState::Last(Register { version, .. }) => version.stamp > delete,
            _ => true,
        });
    }

    /// Every dot in it, in no order, some more than once.
    pub fn dots(&self) -> impl Iterator<Item = (Origin, Seq)> {
        self.versions().into_iter().map(|version| (version.origin, version.seq))
    }

    /// Every version in it.
    pub(super) fn versions(&self) -> Vec<Version> {
        let mut all = Vec::with_capacity(self.fields.len().saturating_add(3));
        all.extend(self.insert);
        all.extend(self.delete);
        all.extend(self.over.map(|over| over.insert));
        for field in &self.fields {
            field.state.for_each_version(|version| all.push(version));
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}
