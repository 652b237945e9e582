//! Puts right what an audit finds. First every wrong record is settled anew from its changesets; then, where the
//! tables are to be believed, what they showed is written again, and captured like any other write.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{authorship::DeviceKey, merge::Record};

use super::{
    compare::compare,
    history::{self, Pass},
    report::{Audit, Finding, RepairBy},
    tables::hidden,
};
use crate::{
    apply::{context::Place, settle},
    catalog::quote,
    engine::local::Local,
    error::Result,
    store::{
        db::{bind, cell, execute, query_one, sqlite_row},
        versions::id,
    },
};

/// Settles what is wrong, inside the caller's transaction. Returns how much it was. What the tables showed is written
/// again where `by` says so, for the next drain to take up.
pub(crate) async fn repair(
    tx: &DatabaseTransaction,
    local: &Local,
    key: &DeviceKey,
    by: RepairBy,
) -> Result<u64> {
    let mut repaired = 0;
    let mut again = Vec::new();
    for pass in Pass::all(history::shared_changes(tx).await?) {
        let mut audit = Audit::default();
        let states = history::read(tx, local, key, pass, &mut audit).await?;
        let wrong = compare(tx, local, states, &mut audit).await?;
        if by == RepairBy::Tables {
            again.extend(shown(tx, local, &audit).await?);
        }
        repaired += wrong.len() as u64;
        forget_leftovers(tx, local, &wrong).await?;
        settle::settle_anew(tx, local, wrong, BTreeSet::new()).await?;
    }
    let hidden = hidden(tx, local).await?;
    let mut groundless = BTreeSet::new();
    for (place, reason) in settle::reasons(tx, local, hidden).await? {
        if reason.is_none() {
            groundless.insert(place);
        }
    }
    repaired += groundless.len() as u64;
    settle::settle_anew(tx, local, Vec::new(), groundless).await?;
    for (sql, values) in again {
        execute(tx, &sql, values).await?;
    }
    Ok(repaired)
}

/// Statements that make the tables show again what they show now.
async fn shown(tx: &DatabaseTransaction, local: &Local, audit: &Audit) -> Result<Vec<(String, Vec<Sql>)>> {
    let mut out = Vec::new();
    for finding in &audit.findings {
        let (name, record) = match finding {
            Finding::Differs { model, record, .. } | Finding::Missing { model, record } => (model, *record),
            _ => continue,
        };
        let Some((model, _)) = local.named(name) else { continue };
        let (table, by_id) = (model.quoted(), format!("{} = ?", quote(&model.id.column)));
        let Finding::Differs { columns, .. } = finding else {
            out.push((format!("DELETE FROM {table} WHERE {by_id}"), vec![id(record)]));
            continue;
        };
        let quoted: Vec<String> = columns.iter().map(|column| quote(column)).collect();
        let text = format!("SELECT {} FROM {table} WHERE {by_id}", quoted.join(", "));
        let Some(row) = query_one(tx, &text, vec![id(record)]).await? else { continue };
        let row = sqlite_row(&row)?;
        let mut values = (0..quoted.len()).map(|n| cell(row, n).map(bind)).collect::<Result<Vec<_>>>()?;
        values.push(id(record));
        let set = quoted.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(", ");
        out.push((format!("UPDATE {table} SET {set} WHERE {by_id}"), values));
    }
    Ok(out)
}

/// Versions whose rows are gone.
async fn forget_leftovers(tx: &DatabaseTransaction, local: &Local, wrong: &[(Place, Record)]) -> Result<()> {
    let models: BTreeSet<_> = wrong.iter().map(|(place, _)| place.0).collect();
    for index in models {
        let Some((model, sql)) = local.model(index) else { continue };
        let versions = model.versions_table();
        let text = format!(
            "DELETE FROM {versions} AS v WHERE NOT EXISTS (SELECT 1 FROM {} WHERE {})",
            sql.table, sql.version_join
        );
        execute(tx, &text, vec![]).await?;
    }
    Ok(())
}
