//! What `#[derive(Syncable)]` submits for each model. It is data only: the catalog reads SeaORM's metadata
//! through [`Registration::entity`] and checks everything when it is frozen.

use sea_orm::{ColumnType, EntityTrait, sea_query::ForeignKeyAction};

pub use sync_core::{merge::DeletePolicy, value::MergeKind};

/// One model as its annotations describe it; collected by `inventory`.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// Wire name of the model when `#[sync(name = "…")]` gives one; else the table's name is used.
    pub name: Option<&'static str>,
    /// Where the model is defined, for error messages.
    pub source: Source,
    /// Who may write the rows.
    pub regime: Regime,
    /// Column that holds the record id.
    pub id: &'static str,
    /// Where record ids come from.
    pub identity: Identity,
    /// What a delete does to concurrent writes.
    pub delete: DeletePolicy,
    /// Columns that depart from last-writer-wins; every other column is a plain last-writer-wins field.
    pub fields: &'static [FieldRule],
    /// SeaORM's metadata of the entity.
    pub entity: fn() -> EntityMeta,
}

inventory::collect!(Registration);

/// Place in the application's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path of the type, as `module_path!()` gives it.
    pub module: &'static str,
    /// File name.
    pub file: &'static str,
    /// Line of the derive.
    pub line: u32,
}

/// Who may write the rows of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Anyone; concurrent writes merge.
    Shared,
    /// Only the owning device.
    DeviceOwned {
        /// Column path from the row to the device: the first is a column of this model; each further one a
        /// column of the model that the one before refers to. The last holds a device id or refers to a device row.
        owner: &'static [&'static str],
    },
    /// As `DeviceOwned` where the path leads to a device; shared where a column on it is NULL.
    Hybrid {
        /// As in [`Regime::DeviceOwned`].
        owner: &'static [&'static str],
    },
}

/// Where record ids come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The application sets the id column, or the drain draws a random one where it is NULL.
    Column,
    /// UUIDv5 of the model's name over the record ids that these reference columns point at (junctions).
    Parents(&'static [&'static str]),
    /// UUIDv5 of the model's name over the values of these columns.
    NaturalKey(&'static [&'static str]),
}

/// What the annotations say of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// Column name in the database.
    pub column: &'static str,
    /// Stays on this device.
    pub skip: bool,
    /// How concurrent values merge.
    pub merge: MergeKind,
    /// Fields of one group win or lose together.
    pub group: Option<&'static str>,
}

/// SeaORM's metadata of one entity, free of its type.
#[derive(Clone, Debug)]
pub struct EntityMeta {
    /// Table name.
    pub table: String,
    /// Columns in declared order.
    pub columns: Vec<ColumnMeta>,
    /// Names of the primary key's columns.
    pub primary_key: Vec<String>,
    /// The database numbers the rows.
    pub auto_increment: bool,
    /// Foreign keys that this entity holds.
    pub relations: Vec<RelationMeta>,
    /// Columns of each unique index that the entity declares, single columns included.
    pub uniques: Vec<Vec<String>>,
}

/// One column of an entity.
#[derive(Clone, Debug)]
pub struct ColumnMeta {
    /// Column name in the database.
    pub name: String,
    /// SeaORM's type.
    pub column_type: ColumnType,
    /// NULL is allowed.
    pub nullable: bool,
}

/// One foreign key of an entity.
#[derive(Clone, Debug)]
pub struct RelationMeta {
    /// Columns of this entity.
    pub from: Vec<String>,
    /// The table they refer to.
    pub to_table: String,
    /// The columns they refer to.
    pub to: Vec<String>,
    /// What the database does when the target goes.
    pub on_delete: Option<ForeignKeyAction>,
}

/// Every model with `#[derive(Syncable)]` that is linked into this program.
pub fn registered() -> impl Iterator<Item = &'static Registration> {
    inventory::iter::<Registration>()
}

/// The registration of entity `E`, to choose models by; `None` when it does not derive `Syncable`.
pub fn registration_of<E: EntityTrait>() -> Option<&'static Registration> {
    let table = sea_orm::EntityName::table_name(&E::default()).to_owned();
    registered().find(|registration| (registration.entity)().table == table)
}

/// The metadata of entity `E`; the derive puts this function into the registration.
pub fn entity_meta<E: EntityTrait>() -> EntityMeta {
    crate::catalog::describe_entity::<E>()
}
