//! The frozen catalog: what every other part knows of the application's models.

use std::{collections::HashMap, sync::Arc};

use sync_core::{changeset::Name, value::MergeKind};

pub use crate::registration::DeletePolicy;

/// Place of a model in the catalog; parents come before children wherever references allow an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModelIndex(pub usize);

/// Place of a field in [`Model::fields`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FieldIndex(pub usize);

/// All models, checked; never changes while a space is open.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// In dependency order.
    pub models: Vec<Arc<Model>>,
    /// By wire name.
    pub by_name: HashMap<Name, ModelIndex>,
    /// By table name.
    pub by_table: HashMap<String, ModelIndex>,
}

impl Catalog {
    /// The model at a place.
    pub fn model(&self, index: ModelIndex) -> Option<&Arc<Model>> {
        self.models.get(index.0)
    }

    /// The model with a wire name.
    pub fn named(&self, name: &str) -> Option<&Arc<Model>> {
        self.by_name.get(name).and_then(|index| self.model(*index))
    }
}

/// One synced model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Place in the catalog.
    pub index: ModelIndex,
    /// Number in the `_sync_` tables, from the dictionary `_sync_model`; stays the same for a name.
    pub number: i64,
    /// Wire name.
    pub name: Name,
    /// Table of the application.
    pub table: String,
    /// The local primary key; one to four columns.
    pub key: Vec<KeyColumn>,
    /// The key is one column that is an alias of SQLite's rowid, numbered by the database or the application.
    pub rowid_key: bool,
    /// The column that holds the record id.
    pub id: IdColumn,
    /// Who may write.
    pub regime: Ownership,
    /// Where record ids come from.
    pub identity: Derivation,
    /// What a delete does to concurrent writes.
    pub delete: DeletePolicy,
    /// The fields that sync, in declared order: not the id column, not a local key, not skipped columns.
    pub fields: Vec<Field>,
    /// UNIQUE constraints and indexes over synced columns, except those in which two records never meet: over the
    /// id column or a local key. A primary key of synced fields is among them, named `PRIMARY KEY`.
    pub uniques: Vec<Unique>,
    /// Every way in which a new row can remove an old one by REPLACE: primary key, id and all unique indexes.
    pub conflicts: Vec<Conflict>,
    /// Generated columns with their expressions, in the order of the table.
    pub generated: Vec<(String, String)>,
    /// CHECK constraints of the table, as SQL expressions over its columns.
    pub checks: Vec<String>,
    /// Groups of fields that win or lose together.
    pub groups: Vec<Vec<FieldIndex>>,
    /// Models that refer to this one: model and field.
    pub referrers: Vec<(ModelIndex, FieldIndex)>,
}

/// A column of the local primary key.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    /// Column name.
    pub column: String,
    /// The column is a synced field too (junctions keyed by their parents), else it stays here.
    pub field: Option<FieldIndex>,
}

/// The record id column.
#[derive(Clone, Debug)]
pub struct IdColumn {
    /// Column name.
    pub column: String,
    /// It is the primary key itself.
    pub is_key: bool,
    /// It may be NULL (the drain fills it).
    pub nullable: bool,
}

/// Who may write the rows of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Anyone.
    Shared,
    /// The device at the end of the path.
    Device {
        /// The steps; at least one.
        path: Vec<OwnerStep>,
        /// NULL along the path means shared instead of an error.
        otherwise_shared: bool,
    },
}

/// One column of an owner path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerStep {
    /// The model that has the column.
    pub model: ModelIndex,
    /// The column.
    pub column: String,
    /// The field, unless the column is the record id column itself (the `device` model).
    pub field: Option<FieldIndex>,
    /// The model that it refers to; `None` when the column holds the device id itself.
    pub target: Option<ModelIndex>,
}

/// Where record ids come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derivation {
    /// From the application, or drawn.
    Given,
    /// UUIDv5 over these fields' wire values in this order (references as record ids).
    Fields(Vec<FieldIndex>),
}

/// One synced column.
#[derive(Clone, Debug)]
pub struct Field {
    /// Wire name: the column's name.
    pub name: Name,
    /// Column name.
    pub column: String,
    /// How it merges.
    pub merge: MergeKind,
    /// Group in [`Model::groups`].
    pub group: Option<usize>,
    /// NULL is allowed.
    pub nullable: bool,
    /// What it refers to.
    pub reference: Option<Reference>,
    /// A merged counter is clamped to this range of its integer type.
    pub range: (i64, i64),
    /// It must not change after the insert: owner columns, columns of the key.
    pub fixed: bool,
    /// Equal values can differ in storage class here (1 and 1.0): the column converts nothing.
    pub untyped: bool,
}

/// A foreign key over one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The model it refers to.
    pub target: ModelIndex,
    /// The column holds the target's record id, not its local key.
    pub by_id: bool,
    /// What the database does when the target goes.
    pub on_delete: OnDelete,
}

/// Action of a foreign key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// The row goes too.
    Cascade,
    /// The column becomes NULL.
    SetNull,
    /// The database refuses (RESTRICT, NO ACTION, SET DEFAULT).
    Restrict,
}

/// A unique constraint or index.
#[derive(Clone, Debug)]
pub struct Unique {
    /// Name of the index in the database.
    pub name: String,
    /// What it compares, in its order.
    pub terms: Vec<UniqueTerm>,
    /// The synced fields that decide: those of the terms, of expressions and generated columns in them, and of the
    /// condition, in declared order.
    pub fields: Vec<FieldIndex>,
    /// WHERE of a partial index, as SQL.
    pub condition: Option<String>,
}

/// One term of a unique index.
#[derive(Clone, Debug)]
pub struct UniqueTerm {
    /// As SQL: `"name" COLLATE NOCASE`, `lower("name")`.
    pub sql: String,
    /// The synced field, when it is one as it stands; else the database has to say what the term is.
    pub field: Option<FieldIndex>,
    /// How texts are compared.
    pub collation: String,
}

/// A way in which a new row clashes with an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// SQL condition, true for an old row (bare column names) that the row `NEW` of a trigger clashes with.
    pub matches: String,
    /// The columns that decide.
    pub columns: Vec<String>,
}

impl Model {
    /// The field at a place.
    pub fn field(&self, index: FieldIndex) -> Option<&Field> {
        self.fields.get(index.0)
    }

    /// Place and field of a wire name.
    pub fn field_named(&self, name: &str) -> Option<(FieldIndex, &Field)> {
        self.fields.iter().enumerate().find(|(_, f)| f.name.as_str() == name).map(|(n, f)| (FieldIndex(n), f))
    }

    /// Whether rows of this model can be device-owned.
    pub fn may_be_owned(&self) -> bool {
        matches!(self.regime, Ownership::Device { .. })
    }

    /// Whether rows of this model can be shared.
    pub fn may_be_shared(&self) -> bool {
        matches!(self.regime, Ownership::Shared | Ownership::Device { otherwise_shared: true, .. })
    }

    /// Quoted name of the application's table.
    pub fn quoted(&self) -> String {
        quote(&self.table)
    }

    /// Quoted name of the table of record versions.
    pub fn versions_table(&self) -> String {
        quote(&format!("_sync_v_{}", self.table))
    }

    /// Quoted name of the table of old rows.
    pub fn images_table(&self) -> String {
        quote(&format!("_sync_i_{}", self.table))
    }

    /// Old rows are noted at the first touch of any kind, not only when a row goes: where the merge needs the
    /// value from before (counters, maxima, minima, sets, `loses` deletes, derived ids).
    pub fn needs_images(&self) -> bool {
        self.may_be_shared()
            && (self.fields.iter().any(|f| f.merge != MergeKind::LastWriter)
                || self.delete == DeletePolicy::Loses
                || self.identity != Derivation::Given)
    }
}

/// A name as an SQL identifier.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
