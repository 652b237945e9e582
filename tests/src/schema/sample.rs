//! One column of each storage class, for values that must arrive bit for bit.

use sea_orm::entity::prelude::*;
use sync_kit::Syncable;

/// One sample.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "sample")]
#[sync(shared)]
pub struct Model {
    /// Local key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Record id.
    #[sea_orm(unique)]
    #[sync(id)]
    pub uuid: Uuid,
    /// Any integer.
    pub whole: Option<i64>,
    /// Any float.
    pub real: Option<f64>,
    /// Any text.
    pub text: Option<String>,
    /// Any bytes.
    pub bytes: Option<Vec<u8>>,
    /// A boolean.
    pub flag: Option<bool>,
    /// An identifier.
    pub other: Option<Uuid>,
    /// A time.
    pub at: Option<DateTime>,
    /// Stays on its device.
    #[sync(skip)]
    pub local: Option<String>,
}

/// Relations of the model; it holds no foreign keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
