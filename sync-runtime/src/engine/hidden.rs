//! Records that are alive and have no row, with the reason.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, Value as Sql};

use super::local::Local;
use crate::{
    apply::{Reason, settle},
    catalog::ModelIndex,
    error::Result,
    space::HiddenRecord,
    store::{
        db::{blob, query, sqlite_row},
        versions::ShadowStatus,
    },
};

/// Lists them, by model and record id. The reasons are judged anew, so they are those of now.
pub(super) async fn list(tx: &DatabaseTransaction, local: &Local) -> Result<Vec<HiddenRecord>> {
    let mut places = BTreeSet::new();
    let sql = "SELECT r FROM _sync_shadow WHERE m = ? AND status = ?";
    for model in &local.catalog.models {
        let status = Sql::BigInt(Some(ShadowStatus::Hidden.number()));
        for row in query(tx, sql, vec![Sql::BigInt(Some(model.number)), status]).await? {
            if let Some(record) = blob(sqlite_row(&row)?, 0)?.and_then(sync_core::ids::RecordId::from_slice) {
                places.insert((model.index, record));
            }
        }
    }
    let reasons = settle::reasons(tx, local, places).await?;
    let mut out: Vec<HiddenRecord> = reasons
        .into_iter()
        .filter_map(|(place, reason)| {
            let (model, _) = local.model(place.0)?;
            let reason = match reason {
                Some(reason) => in_words(local, place.0, &reason),
                None => "nothing stands against it; write to it, and it is shown".to_owned(),
            };
            Some(HiddenRecord { model: model.name.clone(), record: place.1, reason })
        })
        .collect();
    out.sort_by(|a, b| (&a.model, a.record).cmp(&(&b.model, b.record)));
    Ok(out)
}

/// A reason in words, with what would show the record.
pub(super) fn in_words(local: &Local, model: ModelIndex, reason: &Reason) -> String {
    let name = |index: ModelIndex| local.model(index).map_or("?", |(m, _)| m.name.as_str());
    match reason {
        Reason::Reference { field, target, record, dead } => {
            let column =
                local.model(model).and_then(|(m, _)| m.field(*field)).map_or("?", |f| f.column.as_str());
            let state = if *dead { "is deleted" } else { "is not here or hidden itself" };
            format!(
                "{column} must refer to a row, and {} {record} {state}; set {column} to another row, or bring that \
                 one back",
                name(*target)
            )
        }
        Reason::Unique { index, winner } => format!(
            "{index} is unique, and {} {winner}, which is older, has the same value; change one of the two",
            name(model)
        ),
        Reason::Check { expression } => format!("it fails CHECK ({expression}); write values that pass"),
        Reason::NotOwner { owner } => {
            format!("it was written as device-owned by another device than its owner {owner}")
        }
    }
}
