//! Puts the triggers and tables of the catalog into the database, touching only what differs from it.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use super::triggers::{self, Object, full_word, words};
use crate::{
    Error, ErrorKind, Result,
    catalog::{Catalog, Model, ModelIndex, quote},
};

/// What [`install`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Models that had no table of versions: all their rows are to be adopted.
    pub(crate) created: Vec<ModelIndex>,
    /// Models with a table of versions of which a trigger was missing or different: what changed meanwhile is to be
    /// looked for.
    pub(crate) rebuilt: Vec<ModelIndex>,
}

/// Brings tables and triggers up to the catalog. Triggers of tables that are no longer synced go; tables of
/// versions never do. Undrained update notes of a rebuilt model count every field as changed, because their bits
/// were set by other triggers.
pub(crate) async fn install(db: &impl ConnectionTrait, catalog: &Catalog) -> Result<Installed> {
    let mut present = present(db).await?;
    let mut installed = Installed::default();
    for model in &catalog.models {
        let known = present.contains_key(&name_key(&format!("_sync_v_{}", model.table)));
        let wanted = triggers::triggers(model);
        let same = wanted.iter().all(|w| present.get(&name_key(&w.name)).is_some_and(|p| p.sql == w.sql));
        for trigger in &wanted {
            let found = present.remove(&name_key(&trigger.name));
            if !same && found.is_some() {
                drop_trigger(db, &trigger.name).await?;
            }
        }
        install_tables(db, model, &present).await?;
        if same {
            continue;
        }
        for trigger in &wanted {
            db.execute_unprepared(&trigger.sql).await?;
        }
        if known {
            installed.rebuilt.push(model.index);
            widen_notes(db, model).await?;
        } else {
            installed.created.push(model.index);
        }
    }
    for stale in present.values().filter(|object| object.is_trigger) {
        drop_trigger(db, &stale.name).await?;
    }
    Ok(installed)
}

/// Drops every trigger of ours, for migrations.
pub(crate) async fn remove_triggers(db: &impl ConnectionTrait) -> Result<()> {
    for object in present(db).await?.values().filter(|object| object.is_trigger) {
        drop_trigger(db, &object.name).await?;
    }
    Ok(())
}

/// An object of ours that the database has.
struct Present {
    name: String,
    sql: String,
    is_trigger: bool,
}

/// SQLite's names do not tell upper case from lower.
fn name_key(name: &str) -> String {
    name.to_ascii_lowercase()
}

async fn present(db: &impl ConnectionTrait) -> Result<HashMap<String, Present>, DbErr> {
    let sql = "SELECT type, name, sql FROM main.sqlite_master
               WHERE substr(lower(name), 1, 8) IN ('_sync_t_', '_sync_v_', '_sync_i_', '_sync_vs')";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let mut out = HashMap::new();
    for row in db.query_all_raw(statement).await? {
        let name: String = row.try_get("", "name")?;
        let sql: Option<String> = row.try_get("", "sql")?;
        let is_trigger = row.try_get::<String>("", "type")? == "trigger";
        out.insert(name_key(&name), Present { name, sql: sql.unwrap_or_default(), is_trigger });
    }
    Ok(out)
}

async fn drop_trigger(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    db.execute_unprepared(&format!("DROP TRIGGER {}", quote(name))).await?;
    Ok(())
}

/// Makes what is missing and adds columns that came with new fields.
async fn install_tables(
    db: &impl ConnectionTrait,
    model: &Model,
    present: &HashMap<String, Present>,
) -> Result<()> {
    for object in triggers::tables(model) {
        match present.get(&name_key(&object.name)) {
            None => {
                db.execute_unprepared(&object.sql).await?;
            }
            Some(found) if found.sql == object.sql => {}
            Some(_) if object.name.starts_with("_sync_vs_") => {
                db.execute_unprepared(&format!("DROP INDEX {}", quote(&object.name))).await?;
                db.execute_unprepared(&object.sql).await?;
            }
            Some(_) => adapt_table(db, model, &object).await?,
        }
    }
    Ok(())
}

async fn adapt_table(db: &impl ConnectionTrait, model: &Model, wanted: &Object) -> Result<()> {
    let columns = columns(db, &wanted.name).await?;
    let key: Vec<_> = columns.iter().filter(|(_, in_key)| *in_key).map(|(name, _)| name.as_str()).collect();
    if key.join(", ") != triggers::key_names(model) {
        return Err(Error::new(
            ErrorKind::Storage,
            "install",
            format!(
                "the primary key of table \"{}\" had {} column(s) when it was first synced and has {} now; \
                 the versions of its rows are kept by primary key, so give it its former key again",
                model.table,
                key.len(),
                model.key.len()
            ),
        ));
    }
    let mut needed: Vec<String> = match wanted.name.starts_with("_sync_i_") {
        true => triggers::image_columns(model),
        false if model.may_be_owned() && model.may_be_shared() => vec![quote("w")],
        false => Vec::new(),
    };
    needed.retain(|column| !columns.iter().any(|(name, _)| quote(name).eq_ignore_ascii_case(column)));
    for column in needed {
        db.execute_unprepared(&format!("ALTER TABLE {} ADD COLUMN {column}", quote(&wanted.name))).await?;
    }
    Ok(())
}

/// Names of a table's columns, and whether each is in the primary key.
async fn columns(db: &impl ConnectionTrait, table: &str) -> Result<Vec<(String, bool)>, DbErr> {
    let sql = "SELECT name, pk > 0 AS in_key FROM pragma_table_info(?1, 'main') ORDER BY cid";
    let values = [Value::from(table.to_owned())];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get("", "name")?, row.try_get::<i64>("", "in_key")? != 0))).collect()
}

async fn widen_notes(db: &impl ConnectionTrait, model: &Model) -> Result<(), DbErr> {
    let sets: Vec<_> =
        (0..words(model)).map(|word| format!("w{word} = {}", full_word(model, word))).collect();
    if !sets.is_empty() {
        let (sets, number, kind) = (sets.join(", "), model.number, triggers::NOTE_UPDATE);
        db.execute_unprepared(&format!("UPDATE _sync_pending SET {sets} WHERE m = {number} AND t = {kind}"))
            .await?;
    }
    Ok(())
}
