//! The records of a run: a pair that is always written together, notes whose deletes win, tasks whose deletes lose.

use std::sync::LazyLock;

use sync_core::{
    changeset::{Change, Name},
    ids::RecordId,
    merge::DeletePolicy,
    value::MergeKind,
};

use crate::reference::{Delete, Field, Model, Place, Schema};

/// The pair: two records whose values are equal whenever a transaction is whole.
pub(super) const PAIR: [usize; 2] = [0, 1];
/// How many notes there are, and how many tasks.
const EACH: usize = 4;
/// The first note.
pub(super) const NOTES: usize = 2;
/// The first task.
const TASKS: usize = NOTES + EACH;
/// How many records there are.
pub(super) const RECORDS: usize = TASKS + EACH;

/// A field of notes and tasks.
pub(super) const FIELDS: [(&str, MergeKind); 6] = [
    ("title", MergeKind::LastWriter),
    ("body", MergeKind::LastWriter),
    ("count", MergeKind::Counter),
    ("high", MergeKind::Max),
    ("low", MergeKind::Min),
    ("tags", MergeKind::Set),
];

/// Names and places, made once.
pub(super) struct Names {
    pub(super) places: Vec<Place>,
    pub(super) fields: Vec<(Name, MergeKind)>,
    pub(super) value: Name,
    pub(super) schema: Schema,
}

/// The names of all runs.
pub(super) static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let models = ["pair", "note", "task"].map(Name::from);
    let [pair, note, task] = &models;
    let place = |slot: usize| {
        let model = if slot < NOTES {
            pair
        } else if slot < TASKS {
            note
        } else {
            task
        };
        (model.clone(), RecordId::from_bytes([slot.to_le_bytes()[0]; 16]))
    };
    let fields = || FIELDS.iter().map(|(name, kind)| Field::value(name, *kind, true)).collect();
    let mut tasks = Model::new("task", fields());
    tasks.delete = Delete::Loses;
    let value = Field::value("value", MergeKind::LastWriter, true);
    Names {
        places: (0..RECORDS).map(place).collect(),
        fields: FIELDS.iter().map(|(name, kind)| (Name::from(*name), *kind)).collect(),
        value: value.name.clone(),
        schema: Schema { models: vec![Model::new("pair", vec![value]), Model::new("note", fields()), tasks] },
    }
});

/// The slot of a change's record.
pub(super) fn slot(change: &Change) -> Option<usize> {
    let slot = usize::from(*change.record.as_bytes().first()?);
    let place = NAMES.places.get(slot)?;
    (place.0 == change.model && place.1 == change.record).then_some(slot)
}

/// What a delete of this record means.
pub(super) const fn policy(slot: usize) -> DeletePolicy {
    if slot < TASKS { DeletePolicy::Wins } else { DeletePolicy::Loses }
}
