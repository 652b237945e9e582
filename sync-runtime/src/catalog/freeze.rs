//! Joins what the annotations, SeaORM and the live schema say of each model, checks it, and numbers the models.

use std::{collections::HashMap, sync::Arc};

use sea_orm::{ConnectionTrait, Statement, Value};

use super::{
    check,
    live::{LiveTable, TableKind, read_table},
    model::{Catalog, Model, ModelIndex},
    order,
};
use crate::{
    Error, ErrorKind, Result,
    registration::{EntityMeta, FieldRule, Registration},
};

/// Everything that is known of one model before it is checked.
pub(super) struct Draft {
    pub(super) registration: &'static Registration,
    pub(super) meta: EntityMeta,
    pub(super) name: String,
    pub(super) live: LiveTable,
}

impl Draft {
    /// What the annotations say of a column.
    pub(super) fn rule(&self, column: &str) -> Option<&'static FieldRule> {
        self.registration.fields.iter().find(|rule| rule.column.eq_ignore_ascii_case(column))
    }

    /// The column stays on this device by annotation.
    pub(super) fn is_skipped(&self, column: &str) -> bool {
        self.rule(column).is_some_and(|rule| rule.skip)
    }

    /// The column holds the record id.
    pub(super) fn is_id(&self, column: &str) -> bool {
        self.registration.id.eq_ignore_ascii_case(column)
    }

    /// The column is a local key: one integer that SQLite numbers and that is no reference.
    pub(super) fn is_local_key(&self, column: &str) -> bool {
        self.live.has_rowid_key()
            && self.live.key().iter().all(|key| key.name.eq_ignore_ascii_case(column))
            && !self.is_id(column)
            && !self
                .live
                .foreign_keys
                .iter()
                .any(|key| matches!(key.from.as_slice(), [one] if one.eq_ignore_ascii_case(column)))
    }

    /// The entity has the column.
    pub(super) fn declares(&self, column: &str) -> bool {
        self.meta.columns.iter().any(|declared| declared.name.eq_ignore_ascii_case(column))
    }

    /// The column travels as a field.
    pub(super) fn is_field(&self, column: &str) -> bool {
        self.declares(column)
            && !self.is_id(column)
            && !self.is_skipped(column)
            && !self.is_local_key(column)
            && self.live.column(column).is_some_and(|live| !live.generated)
    }
}

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Mistakes(Vec<String>);

impl Mistakes {
    /// Notes a mistake of a registration; `text` says what is wrong and what to do.
    pub(super) fn of(&mut self, registration: &Registration, name: &str, text: impl AsRef<str>) {
        let source = registration.source;
        self.0.push(format!("model \"{name}\" ({}:{}): {}", source.file, source.line, text.as_ref()));
    }

    /// Notes a mistake of a draft.
    pub(super) fn add(&mut self, draft: &Draft, text: impl AsRef<str>) {
        self.of(draft.registration, &draft.name, text);
    }

    fn into_result(mut self) -> Result<()> {
        self.0.dedup();
        let message = match self.0.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            all => format!("{} mistakes:\n- {}", all.len(), all.join("\n- ")),
        };
        Err(Error::new(ErrorKind::Catalog, "catalog", message))
    }
}

/// Makes the catalog of the registered models from the database `db`, in which their tables and the framework's
/// own exist. Every mistake is reported in one error of kind [`ErrorKind::Catalog`]. Models get the numbers that
/// `_sync_model` has for their names; new names get new ones.
pub async fn freeze(
    db: &impl ConnectionTrait,
    registrations: impl IntoIterator<Item = &'static Registration, IntoIter: Send> + Send,
) -> Result<Catalog> {
    let registrations: Vec<_> = registrations.into_iter().collect();
    let mut mistakes = Mistakes::default();
    let described: Vec<_> = registrations
        .into_iter()
        .map(|registration| {
            let meta = (registration.entity)();
            let name = registration.name.map_or_else(|| meta.table.clone(), str::to_owned);
            (registration, meta, name)
        })
        .collect();
    check::names::check(&described, &mut mistakes);
    let mut drafts: Vec<Draft> = Vec::new();
    for (registration, meta, name) in described {
        let live = read_table(db, &meta.table).await?;
        let repeated =
            drafts.iter().any(|d| d.name == name || d.meta.table.eq_ignore_ascii_case(&meta.table));
        match usable(live) {
            Ok(live) if !repeated && !check::names::is_ours(&meta.table) => {
                drafts.push(Draft { registration, meta, name, live });
            }
            Ok(_) => {}
            Err(text) => mistakes.of(registration, &name, format!("table \"{}\" {text}", meta.table)),
        }
    }
    let models = check::models(&order::sort(drafts, &mut mistakes), &mut mistakes);
    mistakes.into_result()?;
    number(db, models).await
}

fn usable(live: Option<LiveTable>) -> Result<LiveTable, &'static str> {
    match live {
        None => Err("is not in the database; make it in a migration, or remove the model"),
        Some(live) => match live.kind {
            TableKind::Table => Ok(live),
            TableKind::View => Err("is a view; only tables sync"),
            TableKind::Virtual => Err("is a virtual table; only ordinary tables sync"),
        },
    }
}

/// Gives the models their numbers and closes the catalog.
async fn number(db: &impl ConnectionTrait, models: Vec<Model>) -> Result<Catalog> {
    let backend = db.get_database_backend();
    let mut numbers = HashMap::new();
    for row in db.query_all_raw(Statement::from_string(backend, "SELECT name, m FROM _sync_model")).await? {
        numbers.insert(row.try_get::<String>("", "name")?, row.try_get::<i64>("", "m")?);
    }
    let mut highest = numbers.values().copied().max().unwrap_or(0);
    let mut catalog = Catalog::default();
    for mut model in models {
        let name = model.name.as_str().to_owned();
        model.number = match numbers.get(&name) {
            Some(number) => *number,
            None => {
                highest += 1;
                let values = [Value::from(highest), Value::from(name)];
                let insert = "INSERT INTO _sync_model (m, name) VALUES (?, ?)";
                db.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await?;
                highest
            }
        };
        model.index = ModelIndex(catalog.models.len());
        catalog.by_name.insert(model.name.clone(), model.index);
        catalog.by_table.insert(model.table.clone(), model.index);
        catalog.models.push(Arc::new(model));
    }
    Ok(catalog)
}
