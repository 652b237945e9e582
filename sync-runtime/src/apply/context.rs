//! The records that a change may concern, loaded as far as needed, with what the view makes of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::DatabaseTransaction;
use sync_core::{hlc::Stamp, ids::RecordId, value::Value};

use super::{
    load::{self, Loaded, Standing},
    verdict::Verdict,
};
use crate::{
    capture::shown_value,
    catalog::{FieldIndex, Model, ModelIndex},
    engine::local::Local,
    error::Result,
    store::{origins::Origins, versions::ShadowStatus},
};

/// A record of a model.
pub(crate) type Place = (ModelIndex, RecordId);

/// What others can see of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Shown,
    Hidden,
    Dead,
    Unknown,
}

/// A record in focus.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// As stored; `record` is the merged state, already joined with what came.
    pub(crate) loaded: Loaded,
    /// What the view makes of it now.
    pub(crate) class: Class,
    /// The full verdict, once judged.
    pub(crate) verdict: Option<Verdict>,
    /// Its merged state changed.
    pub(crate) changed: bool,
    /// Its insert or delete changed: whoever refers to it must be judged again.
    pub(crate) moved: bool,
    /// Unique values that it claims.
    pub(crate) claims: Vec<Vec<u8>>,
    /// Unique values of its row that are free for others as it was last judged.
    pub(crate) freed: BTreeSet<Vec<u8>>,
    /// How often its class changed; bounds paradoxes.
    pub(crate) flips: u8,
}

impl Entry {
    fn new(loaded: Loaded) -> Self {
        let class = match loaded.standing {
            Standing::Shown | Standing::Shadow(ShadowStatus::Altered) => Class::Shown,
            Standing::Shadow(ShadowStatus::Hidden) => Class::Hidden,
            Standing::Shadow(ShadowStatus::Dead) => Class::Dead,
            Standing::Absent | Standing::Shadow(ShadowStatus::Waiting) => Class::Unknown,
        };
        Self {
            loaded,
            class,
            verdict: None,
            changed: false,
            moved: false,
            claims: Vec::new(),
            freed: BTreeSet::new(),
            flips: 0,
        }
    }

    /// Order in which records claim unique values, and in which they are judged within a model.
    pub(crate) fn order(&self) -> (Stamp, RecordId) {
        (self.loaded.record.insert().map_or(Stamp::ZERO, |v| v.stamp), self.loaded.id)
    }

    /// The records that it refers to in its merged state.
    pub(crate) fn references(&self, model: &Model) -> Vec<(FieldIndex, Place)> {
        let fields = model.fields.iter().enumerate();
        fields
            .filter_map(|(n, field)| {
                let reference = field.reference?;
                match shown_value(field, &self.loaded.record)? {
                    Value::Reference(target) => Some((FieldIndex(n), (reference.target, target))),
                    _ => None,
                }
            })
            .collect()
    }
}

/// All records in focus.
#[derive(Debug, Default)]
pub(crate) struct Focus {
    pub(crate) entries: HashMap<Place, Entry>,
    children: HashMap<Place, BTreeSet<Place>>,
    pub(crate) claims: HashMap<Vec<u8>, BTreeSet<Place>>,
}

impl Focus {
    /// Puts a loaded record into focus; one that is there already stays as it is.
    pub(crate) fn add(&mut self, local: &Local, loaded: Loaded) {
        let place = (loaded.model, loaded.id);
        if self.entries.contains_key(&place) {
            return;
        }
        self.entries.insert(place, Entry::new(loaded));
        self.index(local, place);
    }

    /// Enters a record's references; again after its merged state changed.
    pub(crate) fn index(&mut self, local: &Local, place: Place) {
        let (Some(entry), Some((model, _))) = (self.entries.get(&place), local.model(place.0)) else {
            return;
        };
        for (_, target) in entry.references(model) {
            self.children.entry(target).or_default().insert(place);
        }
    }

    /// Records in focus that refer, or referred, to this one.
    pub(crate) fn children(&self, place: Place) -> impl Iterator<Item = Place> + '_ {
        self.children.get(&place).into_iter().flatten().copied()
    }

    /// Sets what a record claims.
    pub(crate) fn set_claims(&mut self, place: Place, claims: Vec<Vec<u8>>) {
        let Some(entry) = self.entries.get_mut(&place) else { return };
        let old = std::mem::replace(&mut entry.claims, claims.clone());
        for claim in old {
            if let Some(holders) = self.claims.get_mut(&claim) {
                holders.remove(&place);
            }
        }
        for claim in claims {
            self.claims.entry(claim).or_default().insert(place);
        }
    }

    /// Loads those of `places` that are not in focus.
    pub(crate) async fn load(
        &mut self,
        tx: &DatabaseTransaction,
        local: &Local,
        origins: &Origins,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<()> {
        let mut missing: BTreeMap<ModelIndex, Vec<RecordId>> = BTreeMap::new();
        let wanted: BTreeSet<Place> = places.into_iter().filter(|p| !self.entries.contains_key(p)).collect();
        for (model, record) in wanted {
            missing.entry(model).or_default().push(record);
        }
        for (model, ids) in missing {
            for loaded in load::by_id(tx, local, origins, model, &ids).await? {
                self.add(local, loaded);
            }
        }
        Ok(())
    }
}
