//! Short forms for the calls that the engine makes on a transaction: text, positional values, typed columns.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, ExecResult, QueryResult, Statement, Value as Sql,
};
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef as _, sqlite::SqliteRow};

use sync_core::value::ValueRef;

use crate::error::{Error, ErrorKind, Result};

/// Most variables in one statement (SQLite's limit is 32,766).
pub(crate) const MAX_VARIABLES: usize = 30_000;

/// Runs a statement, or several in one text.
pub(crate) async fn execute(tx: &DatabaseTransaction, sql: &str, values: Vec<Sql>) -> Result<ExecResult> {
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    Ok(tx.execute_raw(statement).await?)
}

/// Reads all rows.
pub(crate) async fn query(
    tx: &(impl ConnectionTrait + ?Sized),
    sql: &str,
    values: Vec<Sql>,
) -> Result<Vec<QueryResult>> {
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    Ok(tx.query_all_raw(statement).await?)
}

/// Reads the first row.
pub(crate) async fn query_one(
    tx: &(impl ConnectionTrait + ?Sized),
    sql: &str,
    values: Vec<Sql>,
) -> Result<Option<QueryResult>> {
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    Ok(tx.query_one_raw(statement).await?)
}

/// SQLite's own row behind SeaORM's.
pub(crate) fn sqlite_row(row: &QueryResult) -> Result<&SqliteRow> {
    row.try_as_sqlite_row().ok_or_else(|| Error::new(ErrorKind::Database, "read", "not a row of SQLite"))
}

/// The value in a column as it is stored.
pub(crate) fn cell(row: &SqliteRow, index: usize) -> Result<ValueRef<'_>> {
    let raw = row.try_get_raw(index).map_err(|e| decode_error(index, &e.to_string()))?;
    if raw.is_null() {
        return Ok(ValueRef::Null);
    }
    let class = raw.type_info();
    let value = match class.name() {
        "INTEGER" => <i64 as Decode<Sqlite>>::decode(raw).map(ValueRef::Integer),
        "REAL" => <f64 as Decode<Sqlite>>::decode(raw).map(ValueRef::Real),
        "TEXT" => <&str as Decode<Sqlite>>::decode(raw).map(ValueRef::Text),
        _ => <&[u8] as Decode<Sqlite>>::decode(raw).map(ValueRef::Blob),
    };
    value.map_err(|e| decode_error(index, &e.to_string()))
}

fn decode_error(index: usize, why: &str) -> Error {
    Error::new(ErrorKind::Value, "read", format!("column {index} holds a value that cannot be read: {why}"))
}

/// An integer column.
pub(crate) fn integer(row: &SqliteRow, index: usize) -> Result<i64> {
    match cell(row, index)? {
        ValueRef::Integer(v) => Ok(v),
        other => Err(decode_error(index, &format!("an integer was expected, not {other:?}"))),
    }
}

/// An integer column that may be NULL.
pub(crate) fn optional_integer(row: &SqliteRow, index: usize) -> Result<Option<i64>> {
    match cell(row, index)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(v) => Ok(Some(v)),
        other => Err(decode_error(index, &format!("an integer was expected, not {other:?}"))),
    }
}

/// A blob column; NULL reads as `None`.
pub(crate) fn blob(row: &SqliteRow, index: usize) -> Result<Option<&[u8]>> {
    match cell(row, index)? {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(v) => Ok(Some(v)),
        other => Err(decode_error(index, &format!("bytes were expected, not {other:?}"))),
    }
}

/// A value to bind. References are bound as their sixteen bytes.
pub(crate) fn bind(value: ValueRef<'_>) -> Sql {
    match value {
        ValueRef::Null => Sql::BigInt(None),
        ValueRef::Integer(v) => Sql::BigInt(Some(v)),
        ValueRef::Real(v) => Sql::Double(Some(v)),
        ValueRef::Text(v) => Sql::String(Some(v.to_owned())),
        ValueRef::Blob(v) => Sql::Bytes(Some(v.to_vec())),
        ValueRef::Reference(v) => Sql::Bytes(Some(v.as_bytes().to_vec())),
    }
}

/// `(?,?,?),(?,?,?)`: `rows` groups of `columns` placeholders.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let group = format!("({})", vec!["?"; columns].join(","));
    vec![group.as_str(); rows].join(",")
}

/// `?,?,?`.
pub(crate) fn marks(n: usize) -> String {
    vec!["?"; n].join(",")
}

/// An unsigned number as SQLite keeps it.
pub(crate) fn signed(value: u64) -> i64 {
    value.cast_signed()
}
