//! Sections: consecutive changes of one model, one kind and one set of fields, stored by column. A changeset's
//! body and a page of state are both lists of sections; they differ only in where the versions come from.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Cells, Header};
use crate::{
    hlc::Stamp,
    ids::{Origin, RecordId, Seq},
    value::{MergeKind, Value},
};

/// Wire name of a model or field; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name(Arc<str>);

impl Name {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Stamp and dot of a write. The dot's origin differs from the stamp's only after a fork was healed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Version {
    /// Decides which write wins.
    pub stamp: Stamp,
    /// Who sent the changeset.
    pub origin: Origin,
    /// Which changeset.
    pub seq: Seq,
}

/// What happens to a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ChangeKind {
    /// It begins, with all its fields.
    Insert,
    /// Some fields get new values.
    Write,
    /// It ends.
    Delete,
}

/// The versions of a section's changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Versions {
    /// Every change has the changeset's own stamp and dot.
    Changeset,
    /// The changeset's dot, and a stamp for each change.
    Stamps(Vec<Stamp>),
    /// Stamp and dot of each change: pages of state.
    Explicit(Vec<Version>),
}

/// One column of a section.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Wire name of the field.
    pub field: Name,
    /// How its values merge.
    pub merge: MergeKind,
    /// One value for each change of the section.
    pub cells: Cells,
}

/// Consecutive changes of one model, kind and set of fields.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    /// Wire name of the model.
    pub model: Name,
    /// What happens.
    pub kind: ChangeKind,
    /// The records, in order.
    pub records: Vec<RecordId>,
    /// Their versions.
    pub versions: Versions,
    /// Inserts only: the highest stamp that the author knew of the dead record and of unresolved references to
    /// it (docs/merge.md section 6). Empty when no change has one.
    pub over: Vec<Option<Stamp>>,
    /// The delete that the author saw, for the values of counters, maxima, minima and sets. Empty when no change
    /// has one.
    pub seen_delete: Vec<Option<Stamp>>,
    /// The values.
    pub columns: Vec<Column>,
}

impl Section {
    /// An empty section; every change gets the changeset's version.
    pub fn new(model: Name, kind: ChangeKind, fields: impl IntoIterator<Item = (Name, MergeKind)>) -> Self {
        Self {
            model,
            kind,
            records: Vec::new(),
            versions: Versions::Changeset,
            over: Vec::new(),
            seen_delete: Vec::new(),
            columns: fields
                .into_iter()
                .map(|(field, merge)| Column { field, merge, cells: Cells::new() })
                .collect(),
        }
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Version of the change at `index`, given the header's where the section has no own ones.
    pub fn version(&self, index: usize, own: Version) -> Version {
        match &self.versions {
            Versions::Changeset => own,
            Versions::Stamps(stamps) => {
                Version { stamp: stamps.get(index).copied().unwrap_or(own.stamp), ..own }
            }
            Versions::Explicit(versions) => versions.get(index).copied().unwrap_or(own),
        }
    }

    /// The changes one by one. `own` is the changeset's version.
    pub fn changes(&self, own: Version) -> Vec<Change> {
        let mut cells: Vec<_> = self.columns.iter().map(|c| (c, c.cells.iter())).collect();
        self.records
            .iter()
            .enumerate()
            .map(|(index, record)| Change {
                model: self.model.clone(),
                record: *record,
                kind: self.kind,
                version: self.version(index, own),
                over: self.over.get(index).copied().flatten(),
                seen_delete: self.seen_delete.get(index).copied().flatten(),
                fields: cells
                    .iter_mut()
                    .filter_map(|(column, iter)| {
                        iter.next().map(|value| FieldWrite {
                            field: column.field.clone(),
                            merge: column.merge,
                            value: value.to_value(),
                        })
                    })
                    .collect(),
            })
            .collect()
    }
}

/// A change on its own, as merge sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Wire name of the model.
    pub model: Name,
    /// The record.
    pub record: RecordId,
    /// What happens.
    pub kind: ChangeKind,
    /// Stamp and dot.
    pub version: Version,
    /// See [`Section::over`].
    pub over: Option<Stamp>,
    /// See [`Section::seen_delete`].
    pub seen_delete: Option<Stamp>,
    /// The values.
    pub fields: Vec<FieldWrite>,
}

/// One value of a [`Change`].
#[derive(Clone, PartialEq, Debug)]
pub struct FieldWrite {
    /// Wire name of the field.
    pub field: Name,
    /// How it merges.
    pub merge: MergeKind,
    /// For last writer, max and min the value; for a counter the base (insert) or the origin's total share
    /// (write); for a set the encoded operation (`merge::SetOperation`).
    pub value: Value,
}

/// A list of sections.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Body {
    /// In the order in which they were written.
    pub sections: Vec<Section>,
}

impl Body {
    /// Number of changes.
    pub fn len(&self) -> usize {
        self.sections.iter().map(Section::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sections.iter().all(Section::is_empty)
    }

    /// All changes with the version of the changeset that `header` describes.
    pub fn changes(&self, header: &Header) -> Vec<Change> {
        self.sections.iter().flat_map(|section| section.changes(header.version())).collect()
    }

    /// Appends one change, to the last section where it fits.
    pub fn push(&mut self, change: &Change, own: Version) {
        let fits = self.sections.last().is_some_and(|s| {
            s.model == change.model
                && s.kind == change.kind
                && s.columns.len() == change.fields.len()
                && s.columns.iter().zip(&change.fields).all(|(c, f)| c.field == f.field && c.merge == f.merge)
        });
        if !fits {
            let fields = change.fields.iter().map(|f| (f.field.clone(), f.merge));
            self.sections.push(Section::new(change.model.clone(), change.kind, fields));
        }
        let Some(section) = self.sections.last_mut() else { return };
        section.push_change(change, own);
    }
}

impl Section {
    fn push_change(&mut self, change: &Change, own: Version) {
        let before = self.records.len();
        self.records.push(change.record);
        let v = change.version;
        let needs_dot = (v.origin, v.seq) != (own.origin, own.seq);
        match &mut self.versions {
            Versions::Explicit(all) => all.push(v),
            Versions::Stamps(all) if !needs_dot => all.push(v.stamp),
            Versions::Changeset if v == own => {}
            Versions::Changeset if !needs_dot => {
                let mut all = vec![own.stamp; before];
                all.push(v.stamp);
                self.versions = Versions::Stamps(all);
            }
            old => {
                let mut all: Vec<Version> = match old {
                    Versions::Stamps(stamps) => {
                        stamps.iter().map(|stamp| Version { stamp: *stamp, ..own }).collect()
                    }
                    _ => vec![own; before],
                };
                all.push(v);
                self.versions = Versions::Explicit(all);
            }
        }
        push_sparse(&mut self.over, before, change.over);
        push_sparse(&mut self.seen_delete, before, change.seen_delete);
        for (column, field) in self.columns.iter_mut().zip(&change.fields) {
            column.cells.push(field.value.as_ref());
        }
    }
}

/// Keeps a list empty until the first `Some`.
fn push_sparse(list: &mut Vec<Option<Stamp>>, before: usize, item: Option<Stamp>) {
    if list.is_empty() && item.is_none() {
        return;
    }
    list.resize(before, None);
    list.push(item);
}

impl Section {
    /// Whether the changes of `other` fit behind those of this one.
    pub fn can_take(&self, other: &Self) -> bool {
        self.model == other.model
            && self.kind == other.kind
            && self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(|(a, b)| a.field == b.field && a.merge == b.merge)
            && self.versions == Versions::Changeset
            && other.versions == Versions::Changeset
            && self.over.is_empty()
            && other.over.is_empty()
            && self.seen_delete.is_empty()
            && other.seen_delete.is_empty()
    }

    /// Appends the changes of a section that [`Self::can_take`].
    pub fn append(&mut self, other: Self) {
        self.records.extend(other.records);
        for (mine, theirs) in self.columns.iter_mut().zip(&other.columns) {
            theirs.cells.iter().for_each(|value| mine.cells.push(value));
        }
    }

    /// Whether both have the same columns in the same order.
    pub fn same_columns(&self, other: &Self) -> bool {
        self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(|(a, b)| a.field == b.field && a.merge == b.merge)
    }

    /// A section of the same form without changes, each of which will have its own version.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let fields = self.columns.iter().map(|c| (c.field.clone(), c.merge));
        Self { versions: Versions::Explicit(Vec::new()), ..Self::new(self.model.clone(), self.kind, fields) }
    }

    /// Appends the changes of a section of the same columns that has no versions of its own to one that has.
    pub fn append_as(&mut self, other: &Self, version: Version) {
        if let Versions::Explicit(versions) = &mut self.versions {
            versions.extend(std::iter::repeat_n(version, other.len()));
        }
        self.records.extend(&other.records);
        for (mine, theirs) in self.columns.iter_mut().zip(&other.columns) {
            theirs.cells.iter().for_each(|value| mine.cells.push(value));
        }
    }

    /// Takes a section with explicit versions apart where the changeset changes: each piece with its dot, and with
    /// `Versions::Changeset` where all its stamps are equal to `own(seq)`'s.
    pub fn by_changeset(&self, own: impl Fn(Seq) -> Option<Version>) -> Vec<(Seq, Self)> {
        let Versions::Explicit(versions) = &self.versions else { return Vec::new() };
        let mut cells: Vec<_> = self.columns.iter().map(|column| column.cells.iter()).collect();
        let mut out = Vec::new();
        let mut at = 0;
        for run in versions.chunk_by(|a, b| a.seq == b.seq) {
            let Some(first) = run.first() else { continue };
            let end = at + run.len();
            let mut piece = self.emptied();
            let plain = own(first.seq).is_some_and(|own| run.iter().all(|version| *version == own));
            piece.versions = if plain { Versions::Changeset } else { Versions::Explicit(run.to_vec()) };
            piece.records.extend(self.records.get(at..end).unwrap_or_default());
            piece.over.extend(self.over.get(at..end).unwrap_or_default());
            piece.seen_delete.extend(self.seen_delete.get(at..end).unwrap_or_default());
            for (column, from) in piece.columns.iter_mut().zip(&mut cells) {
                from.take(run.len()).for_each(|value| column.cells.push(value));
            }
            out.push((first.seq, piece));
            at = end;
        }
        out
    }

    /// Orders the changes by record id; for sections whose changes carry no versions of their own.
    pub fn sort_by_record(&mut self) {
        if self.records.is_sorted() {
            return;
        }
        let mut order: Vec<(RecordId, usize)> = self.records.iter().copied().zip(0..).collect();
        order.sort_unstable();
        for column in &mut self.columns {
            let values: Vec<_> = column.cells.iter().collect();
            let mut sorted = Cells::new();
            for (_, at) in &order {
                if let Some(value) = values.get(*at) {
                    sorted.push(*value);
                }
            }
            column.cells = sorted;
        }
        self.records = order.into_iter().map(|(record, _)| record).collect();
    }
}
