//! What is in the tables of a database, read without the framework: every row of every table as text, references as
//! the record ids of what they point at, local keys left out. Two replicas are equal when these are.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Rows by table, each row as text, in order.
pub type Contents = BTreeMap<String, Vec<String>>;

/// The first column of every row that `query` answers, as text.
pub async fn texts(db: &impl ConnectionTrait, query: impl Into<String>) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// The whole number that `query` answers.
pub async fn number(db: &impl ConnectionTrait, query: impl Into<String>) -> i64 {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Everything in the tables whose name has nothing to do with the framework; closure tables by their ends' ids.
pub async fn contents(db: &impl ConnectionTrait) -> Contents {
    let tables = texts(
        db,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 6) <> '_sync_'
         AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations' AND name NOT LIKE '%_closure' ORDER BY name",
    )
    .await;
    let mut contents = Contents::new();
    for table in tables {
        let query = row_query(db, &table).await;
        contents.insert(table, texts(db, query).await);
    }
    contents
}

/// A query that answers each row of `table` as one text.
async fn row_query(db: &impl ConnectionTrait, table: &str) -> String {
    let columns = texts(db, format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name")).await;
    let references = texts(
        db,
        format!(
            "SELECT \"from\" || ' ' || \"table\" || ' ' || coalesce(\"to\", 'id') FROM pragma_foreign_key_list('{table}')"
        ),
    )
    .await;
    let mut parts = Vec::new();
    for column in columns.iter().filter(|column| !["id", "local"].contains(&column.as_str())) {
        let reference = references.iter().find_map(|text| {
            let mut words = text.split(' ');
            (words.next() == Some(column)).then(|| (words.next().unwrap(), words.next().unwrap()))
        });
        parts.push(match reference {
            Some((target, key)) => format!(
                "'{column}=' || coalesce((SELECT quote(p.uuid) FROM \"{target}\" p WHERE p.\"{key}\" = t.\"{column}\"), \
                 CASE WHEN t.\"{column}\" IS NULL THEN 'NULL' ELSE 'DANGLING' END)"
            ),
            None => format!("'{column}=' || typeof(t.\"{column}\") || quote(t.\"{column}\")"),
        });
    }
    format!("SELECT {} AS line FROM \"{table}\" t ORDER BY line", parts.join(" || ' ' || "))
}
