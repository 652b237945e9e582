//! Local primary keys. They name rows in this database only; no type of `sync-core` is made from one.

use sea_orm::Value as Sql;
use sqlx::sqlite::SqliteRow;
use sync_core::value::{Value, ValueRef};

use super::db::{bind, cell};
use crate::error::Result;

/// The local primary key of a row: one value for rowid tables, up to four otherwise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    /// An integer key.
    Integer(i64),
    /// Any other.
    Columns(Vec<Value>),
}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Integer(v) => v.hash(state),
            Self::Columns(values) => {
                let mut bytes = Vec::new();
                for value in values {
                    value.canonical(&mut bytes);
                }
                bytes.hash(state);
            }
        }
    }
}

impl Key {
    /// Reads `columns` columns of a row from `first` on.
    pub(crate) fn read(row: &SqliteRow, first: usize, columns: usize) -> Result<Self> {
        if columns == 1
            && let ValueRef::Integer(v) = cell(row, first)?
        {
            return Ok(Self::Integer(v));
        }
        let values =
            (first..first + columns).map(|n| cell(row, n).map(ValueRef::to_value)).collect::<Result<_>>()?;
        Ok(Self::Columns(values))
    }

    /// Appends the values to bind.
    pub(crate) fn push_to(&self, out: &mut Vec<Sql>) {
        match self {
            Self::Integer(v) => out.push(Sql::BigInt(Some(*v))),
            Self::Columns(values) => out.extend(values.iter().map(|v| bind(v.as_ref()))),
        }
    }

    /// The values to bind.
    pub(crate) fn to_sql(&self) -> Vec<Sql> {
        let mut out = Vec::with_capacity(1);
        self.push_to(&mut out);
        out
    }

    /// The integer of a rowid key.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(v) => Some(*v),
            Self::Columns(_) => None,
        }
    }
}
