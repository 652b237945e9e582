//! A schema as data: models, fields, references, uniques, and checks as closures.

use std::{collections::BTreeMap, fmt, sync::Arc};

use sync_core::{
    changeset::Name,
    value::{MergeKind, Value},
};

/// What a table shows of a record: a value for each field of the model.
pub type Row = BTreeMap<Name, Value>;

/// All models.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// In any order.
    pub models: Vec<Model>,
}

impl Schema {
    /// The model with this wire name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name.as_str() == name)
    }
}

/// What a delete means for writes that did not know of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delete {
    /// Dead until an insert above the delete.
    Wins,
    /// A write above the delete brings the record back.
    Loses,
}

/// One model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Wire name.
    pub name: Name,
    /// What a delete means.
    pub delete: Delete,
    /// Whether each record belongs to one device and merges as a whole row.
    pub owned: bool,
    /// All fields.
    pub fields: Vec<Field>,
    /// UNIQUE constraints and indexes.
    pub uniques: Vec<Unique>,
    /// CHECK constraints.
    pub checks: Vec<Check>,
}

impl Model {
    /// A shared model without constraints, whose deletes win.
    pub fn new(name: &str, fields: Vec<Field>) -> Self {
        Self {
            name: Name::from(name),
            delete: Delete::Wins,
            owned: false,
            fields,
            uniques: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// The field with this wire name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }
}

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Wire name.
    pub name: Name,
    /// How it merges.
    pub kind: MergeKind,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Where it leads, when it is a foreign key.
    pub reference: Option<Reference>,
}

impl Field {
    /// A field that is not a reference.
    pub fn value(name: &str, kind: MergeKind, nullable: bool) -> Self {
        Self { name: Name::from(name), kind, nullable, reference: None }
    }

    /// A foreign key.
    pub fn reference(name: &str, target: &str, on_delete: OnDelete, nullable: bool) -> Self {
        let reference = Some(Reference { target: Name::from(target), on_delete });
        Self { name: Name::from(name), kind: MergeKind::LastWriter, nullable, reference }
    }
}

/// Where a field leads.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Wire name of the model that it refers to.
    pub target: Name,
    /// What becomes of the record when the target is deleted.
    pub on_delete: OnDelete,
}

/// What becomes of a record when what it refers to is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnDelete {
    /// It goes too.
    Cascade,
    /// Anything else: NULL where the field may be NULL, else the database refuses.
    Other,
}

/// One claim to be the only row with a value.
type Key = Arc<dyn Fn(&Row) -> Option<Vec<Value>> + Send + Sync>;

/// A UNIQUE constraint or index.
#[derive(Clone)]
pub struct Unique {
    /// For reports.
    pub name: String,
    /// What a row claims, compared as the database does; `None` when the index does not hold the row (a NULL, or
    /// the condition of a partial index).
    pub key: Key,
}

impl Unique {
    /// Over these fields, compared exactly; a row with a NULL among them claims nothing.
    pub fn over(name: &str, fields: &[&str]) -> Self {
        let fields: Vec<Name> = fields.iter().map(|field| Name::from(*field)).collect();
        let key = move |row: &Row| {
            let values = fields.iter().map(|field| row.get(field).cloned().filter(|v| *v != Value::Null));
            values.collect::<Option<Vec<Value>>>()
        };
        Self { name: name.to_owned(), key: Arc::new(key) }
    }
}

impl fmt::Debug for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unique({})", self.name)
    }
}

/// Whether a row may stand in its table.
type Holds = Arc<dyn Fn(&Row) -> bool + Send + Sync>;

/// A CHECK constraint.
#[derive(Clone)]
pub struct Check {
    /// For reports.
    pub name: String,
    /// Whether a row passes.
    pub holds: Holds,
}

impl Check {
    /// A constraint that `holds` decides.
    pub fn new(name: &str, holds: impl Fn(&Row) -> bool + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), holds: Arc::new(holds) }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({})", self.name)
    }
}
