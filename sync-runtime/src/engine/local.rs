//! What the engine's parts need to know about this device and its models; fixed while the space is open.

use std::{collections::HashMap, sync::Arc};

use sync_core::{
    changeset::Name,
    ids::{Origin, SpaceId},
};

use super::incarnation::Predecessor;
use crate::{
    catalog::{Catalog, Model, ModelIndex},
    store::{model_sql::ModelSql, origins::OriginNumber},
};

/// This device in this space.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) sql: Arc<Vec<ModelSql>>,
    pub(crate) numbers: Arc<HashMap<i64, ModelIndex>>,
    pub(crate) space: SpaceId,
    pub(crate) origin: Origin,
    pub(crate) own: OriginNumber,
    /// What the present incarnation comes after.
    pub(crate) predecessor: Option<Predecessor>,
}

impl Local {
    /// Makes the SQL of every model.
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        space: SpaceId,
        origin: Origin,
        own: OriginNumber,
        predecessor: Option<Predecessor>,
    ) -> Self {
        let sql = catalog.models.iter().map(|m| ModelSql::new(&catalog, m)).collect();
        let numbers = catalog.models.iter().map(|m| (m.number, m.index)).collect();
        Self { catalog, sql: Arc::new(sql), numbers: Arc::new(numbers), space, origin, own, predecessor }
    }

    /// The same under another incarnation.
    pub(crate) fn under(&self, origin: Origin, own: OriginNumber, predecessor: Predecessor) -> Self {
        Self { origin, own, predecessor: Some(predecessor), ..self.clone() }
    }

    /// A model and its SQL.
    pub(crate) fn model(&self, index: ModelIndex) -> Option<(&Arc<Model>, &ModelSql)> {
        self.catalog.model(index).zip(self.sql.get(index.0))
    }

    /// The model with a number.
    pub(crate) fn numbered(&self, number: i64) -> Option<(&Arc<Model>, &ModelSql)> {
        self.numbers.get(&number).and_then(|index| self.model(*index))
    }

    /// The model with a wire name.
    pub(crate) fn named(&self, name: &Name) -> Option<(&Arc<Model>, &ModelSql)> {
        self.catalog.by_name.get(name).and_then(|index| self.model(*index))
    }
}
