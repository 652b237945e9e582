//! What the synced tables contain, as a hash for each model.

use sea_orm::{ConnectionTrait, Value as Sql};
use sync_core::ids::Hash;

use super::local::Local;
use crate::{
    catalog::quote,
    error::Result,
    space::Digest,
    store::{
        db::{cell, query, sqlite_row},
        rows,
    },
};

/// Rows read at a time.
const CHUNK: usize = 4_000;

/// BLAKE3 over every row in wire form, in order of the record ids.
pub(super) async fn of_tables(db: &(impl ConnectionTrait + ?Sized), local: &Local) -> Result<Digest> {
    let mut digest = Digest::default();
    for (model, sql) in local.catalog.models.iter().zip(local.sql.iter()) {
        let mut hasher = Hash::NONE;
        let column = quote(&model.id.column);
        let text = format!(
            "SELECT {} FROM {}{} WHERE a.{column} > ? ORDER BY a.{column} LIMIT {CHUNK}",
            sql.wire, sql.table, sql.joins
        );
        let mut after: Option<Vec<u8>> = None;
        loop {
            let from = Sql::Bytes(Some(after.clone().unwrap_or_default()));
            let found = query(db, &text, vec![from]).await?;
            let mut bytes = hasher.0.to_vec();
            for row in &found {
                let row = sqlite_row(row)?;
                let record = rows::record_id(model, row, 0)?;
                bytes.extend_from_slice(record.as_bytes());
                for (n, field) in model.fields.iter().enumerate() {
                    rows::wire_value(field, cell(row, n + 1)?, model)?.canonical(&mut bytes);
                }
                after = Some(record.as_bytes().to_vec());
            }
            if !found.is_empty() {
                hasher = Hash::of(&bytes);
            }
            if found.len() < CHUNK {
                break;
            }
        }
        digest.models.insert(model.name.clone(), hasher);
    }
    Ok(digest)
}
