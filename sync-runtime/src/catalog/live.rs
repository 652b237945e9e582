//! The schema as the database has it: columns, unique indexes, foreign keys, and what only the text of CREATE
//! TABLE tells. It knows nothing of models.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use super::sql::{TableText, read_create_index, read_create_table};

/// What a table-like thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TableKind {
    /// An ordinary table.
    Table,
    /// A view.
    View,
    /// A virtual table or a part of one.
    Virtual,
}

/// How SQLite converts what is stored in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    /// Integers.
    Integer,
    /// Text.
    Text,
    /// Nothing is converted.
    Blob,
    /// Floats.
    Real,
    /// Numbers.
    Numeric,
}

impl Affinity {
    /// The rules of SQLite's documentation, "Determination Of Column Affinity".
    pub(super) fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") || declared.is_empty() {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}

/// One column.
#[derive(Clone, Debug)]
pub(super) struct LiveColumn {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) not_null: bool,
    pub(super) has_default: bool,
    /// Place in the primary key from 1; 0 when it is not in it.
    pub(super) key: i64,
    pub(super) generated: bool,
}

/// One term of a unique index.
#[derive(Clone, Debug)]
pub(super) struct LiveTerm {
    /// The column, unless it is an expression.
    pub(super) column: Option<String>,
    /// The expression.
    pub(super) expression: Option<String>,
    pub(super) collation: String,
}

/// A unique index.
#[derive(Clone, Debug)]
pub(super) struct LiveUnique {
    pub(super) name: String,
    /// It is the primary key's.
    pub(super) primary: bool,
    pub(super) terms: Vec<LiveTerm>,
    pub(super) condition: Option<String>,
}

impl LiveUnique {
    /// The columns when it is a plain UNIQUE over columns.
    pub(super) fn plain_columns(&self) -> Option<Vec<String>> {
        if self.condition.is_some() {
            return None;
        }
        self.terms.iter().map(|term| term.column.clone()).collect()
    }
}

/// A foreign key.
#[derive(Clone, Debug)]
pub(super) struct LiveForeignKey {
    pub(super) from: Vec<String>,
    pub(super) to_table: String,
    /// The columns it refers to; `None` is the primary key.
    pub(super) to: Vec<Option<String>>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct LiveTable {
    pub(super) kind: TableKind,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
    pub(super) columns: Vec<LiveColumn>,
    pub(super) uniques: Vec<LiveUnique>,
    pub(super) foreign_keys: Vec<LiveForeignKey>,
    pub(super) text: TableText,
}

impl LiveTable {
    /// The column of a name.
    pub(super) fn column(&self, name: &str) -> Option<&LiveColumn> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The names of all columns.
    pub(super) fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The columns of the primary key in its order.
    pub(super) fn key(&self) -> Vec<&LiveColumn> {
        let mut key: Vec<_> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        key
    }

    /// The key is one column that is another name of the rowid.
    pub(super) fn has_rowid_key(&self) -> bool {
        let integer = matches!(self.key().as_slice(), [one] if one.declared.eq_ignore_ascii_case("integer"));
        // INTEGER PRIMARY KEY DESC is no alias: it has an index of its own.
        integer && !self.without_rowid && !self.uniques.iter().any(|unique| unique.primary)
    }

    /// Values of different storage classes can be equal in this column: 1 and 1.0.
    pub(super) fn is_untyped(&self, column: &LiveColumn) -> bool {
        if self.strict {
            column.declared.eq_ignore_ascii_case("any")
        } else {
            Affinity::of(&column.declared) == Affinity::Blob
        }
    }
}

/// Reads a table; `None` when there is none of that name.
pub(super) async fn read_table(db: &impl ConnectionTrait, table: &str) -> Result<Option<LiveTable>, DbErr> {
    let listed = rows(
        db,
        "SELECT l.type AS type, l.wr AS wr, l.strict AS strict, coalesce(s.sql, '') AS sql, l.name AS name
         FROM pragma_table_list l LEFT JOIN main.sqlite_master s ON s.name = l.name AND s.type IN ('table', 'view')
         WHERE l.schema = 'main' AND lower(l.name) = lower(?1)",
        table,
    )
    .await?;
    let Some(listed) = listed.first() else { return Ok(None) };
    let kind = match listed.try_get::<String>("", "type")?.as_str() {
        "table" => TableKind::Table,
        "view" => TableKind::View,
        _ => TableKind::Virtual,
    };
    let name: String = listed.try_get("", "name")?;
    Ok(Some(LiveTable {
        kind,
        without_rowid: listed.try_get::<i64>("", "wr")? != 0,
        strict: listed.try_get::<i64>("", "strict")? != 0,
        columns: read_columns(db, &name).await?,
        uniques: read_uniques(db, &name).await?,
        foreign_keys: read_foreign_keys(db, &name).await?,
        text: read_create_table(&listed.try_get::<String>("", "sql")?),
    }))
}

async fn rows(db: &impl ConnectionTrait, sql: &str, table: &str) -> Result<Vec<QueryResult>, DbErr> {
    let values = [Value::from(table.to_owned())];
    db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await
}

async fn read_columns(db: &impl ConnectionTrait, table: &str) -> Result<Vec<LiveColumn>, DbErr> {
    let sql = "SELECT name, type AS declared, \"notnull\" AS not_null, dflt_value IS NOT NULL AS has_default,
               pk AS key, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
    let mut columns = Vec::new();
    for row in rows(db, sql, table).await? {
        columns.push(LiveColumn {
            name: row.try_get("", "name")?,
            declared: row.try_get("", "declared")?,
            not_null: row.try_get::<i64>("", "not_null")? != 0,
            has_default: row.try_get::<i64>("", "has_default")? != 0,
            key: row.try_get("", "key")?,
            generated: row.try_get::<i64>("", "hidden")? > 1,
        });
    }
    Ok(columns)
}

async fn read_uniques(db: &impl ConnectionTrait, table: &str) -> Result<Vec<LiveUnique>, DbErr> {
    let sql = "SELECT i.name AS index_name, i.origin AS origin, x.name AS column_name, x.coll AS collation,
               s.sql AS sql
               FROM pragma_index_list(?1, 'main') i JOIN pragma_index_xinfo(i.name, 'main') x
               LEFT JOIN main.sqlite_master s ON s.type = 'index' AND s.name = i.name
               WHERE i.\"unique\" AND x.key ORDER BY i.seq, x.seqno";
    let mut uniques: Vec<LiveUnique> = Vec::new();
    let mut expressions = Vec::new();
    for row in rows(db, sql, table).await? {
        let name: String = row.try_get("", "index_name")?;
        if uniques.last().is_none_or(|last| last.name != name) {
            let sql: Option<String> = row.try_get("", "sql")?;
            let (terms, condition) = read_create_index(sql.as_deref().unwrap_or_default());
            expressions = terms;
            let primary = row.try_get::<String>("", "origin")? == "pk";
            uniques.push(LiveUnique { name, primary, terms: Vec::new(), condition });
        }
        let Some(unique) = uniques.last_mut() else { continue };
        let column: Option<String> = row.try_get("", "column_name")?;
        let expression = if column.is_none() { expressions.get(unique.terms.len()).cloned() } else { None };
        let collation: Option<String> = row.try_get("", "collation")?;
        unique.terms.push(LiveTerm {
            column,
            expression,
            collation: collation.unwrap_or_else(|| "BINARY".to_owned()),
        });
    }
    Ok(uniques)
}

async fn read_foreign_keys(db: &impl ConnectionTrait, table: &str) -> Result<Vec<LiveForeignKey>, DbErr> {
    let sql =
        "SELECT id, \"table\" AS to_table, \"from\" AS from_column, \"to\" AS to_column, on_update, on_delete
               FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq";
    let mut keys: Vec<(i64, LiveForeignKey)> = Vec::new();
    for row in rows(db, sql, table).await? {
        let id: i64 = row.try_get("", "id")?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let key = LiveForeignKey {
                from: Vec::new(),
                to_table: row.try_get("", "to_table")?,
                to: Vec::new(),
                on_update: row.try_get("", "on_update")?,
                on_delete: row.try_get("", "on_delete")?,
            };
            keys.push((id, key));
        }
        let Some((_, key)) = keys.last_mut() else { continue };
        key.from.push(row.try_get("", "from_column")?);
        key.to.push(row.try_get("", "to_column")?);
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}
