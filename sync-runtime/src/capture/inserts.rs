//! The quick way for models of which a transaction only inserted rows: they are read once, column by column,
//! and their versions are placed by one statement.

use futures_util::future::join;
use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{changeset::Section, ids::Seq};

use super::changes::LocalBody;
use crate::{
    catalog::{Model, Ownership, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        db::{self, blob, integer, query, query_one, sqlite_row},
        model_sql::{ModelSql, OwnerSql},
        rows,
    },
};

/// Rows read at a time.
const CHUNK: i64 = 4_000;

/// Reads the inserted rows of a model into the body.
pub(super) async fn collect(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    sql: &ModelSql,
    body: &mut LocalBody,
) -> Result<()> {
    if let (Ownership::Device { otherwise_shared: false, .. }, Some(owner)) = (&model.regime, &sql.owner) {
        // Told without looking at the rows twice where they name the device themselves.
        if rows::all_owned_by(&rows::row_section(model), model, local.origin.device).is_none() {
            refuse_foreign_rows(tx, local, model, sql, owner).await?;
        }
    }
    let hybrid = model.may_be_owned() && model.may_be_shared();
    let (device, joins) = match &sql.owner {
        Some(owner) if hybrid => (owner.device.as_str(), owner.joins.as_str()),
        _ => ("NULL", ""),
    };
    let text = format!(
        "SELECT {}, p.n, {device} FROM _sync_pending p CROSS JOIN {} ON {}{}{joins}
         WHERE p.m = ? AND p.n > ? ORDER BY p.n LIMIT {CHUNK}",
        sql.wire, sql.table, sql.pending_join, sql.joins
    );
    let last_column = model.fields.len() + 1;
    let mut shared = rows::row_section(model);
    let mut owned = rows::row_section(model);
    let read = |after: i64| query(tx, &text, vec![Sql::BigInt(Some(model.number)), Sql::BigInt(Some(after))]);
    let mut chunk = read(0).await?;
    while let Some(last) = chunk.last() {
        let after = integer(sqlite_row(last)?, last_column)?;
        let is_last = i64::try_from(chunk.len()).unwrap_or(CHUNK) < CHUNK;
        let next = async { if is_last { Ok(Vec::new()) } else { read(after).await } };
        let append = async {
            if hybrid {
                split_hybrids(local, model, &chunk, &mut shared, &mut owned)
            } else if model.may_be_owned() {
                rows::append(&mut owned, model, &chunk)
            } else {
                rows::append(&mut shared, model, &chunk)
            }
        };
        // The database's thread reads the next rows while these are taken over here.
        let (next, appended) = join(next, append).await;
        appended?;
        chunk = next?;
    }
    if rows::all_owned_by(&owned, model, local.origin.device) == Some(false) {
        return Err(not_owner(model));
    }
    body.push_inserts(shared, owned);
    Ok(())
}

fn split_hybrids(
    local: &Local,
    model: &Model,
    chunk: &[sea_orm::QueryResult],
    shared: &mut Section,
    owned: &mut Section,
) -> Result<()> {
    for row in chunk {
        let device = blob(sqlite_row(row)?, model.fields.len() + 2)?;
        let target = match device {
            None => &mut *shared,
            Some(id) if id == local.origin.device.as_bytes() => &mut *owned,
            Some(_) => return Err(not_owner(model)),
        };
        rows::append(target, model, std::slice::from_ref(row))?;
    }
    Ok(())
}

async fn refuse_foreign_rows(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    sql: &ModelSql,
    owner: &OwnerSql,
) -> Result<()> {
    let text = format!(
        "SELECT 1 FROM _sync_pending p CROSS JOIN {} a ON {}{} WHERE p.m = ? AND {} IS NOT ? LIMIT 1",
        model.quoted(),
        sql.pending_join,
        owner.joins,
        owner.device
    );
    let own = Sql::Bytes(Some(local.origin.device.as_bytes().to_vec()));
    match query_one(tx, &text, vec![Sql::BigInt(Some(model.number)), own]).await? {
        None => Ok(()),
        Some(_) => Err(not_owner(model)),
    }
}

/// The row belongs to another device, or to nobody.
pub(super) fn not_owner(model: &Model) -> Error {
    let path = match &model.regime {
        Ownership::Device { path, .. } => {
            path.iter().map(|step| step.column.as_str()).collect::<Vec<_>>().join(".")
        }
        Ownership::Shared => String::new(),
    };
    Error::new(
        ErrorKind::NotOwner,
        "commit",
        format!(
            "a row of \"{}\" is owned by another device (or by none) through {path}; only its owner may write it, \
             nothing was written",
            model.table
        ),
    )
}

/// Gives every inserted row of the model its version. Returns how many.
pub(super) async fn place_versions(
    tx: &DatabaseTransaction,
    local: &Local,
    model: &Model,
    sql: &ModelSql,
    seq: Seq,
) -> Result<u64> {
    let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
    let from_keys = (0..sql.key_columns).map(|n| format!("p.k{n}")).collect::<Vec<_>>().join(", ");
    let owner = sql.owner.as_ref().filter(|_| model.may_be_owned() && model.may_be_shared());
    let text = match owner {
        Some(owner) => format!(
            "INSERT INTO {} ({keys}, o, s, w) SELECT {from_keys}, ?, ?, {} IS NOT NULL FROM _sync_pending p
             JOIN {} a ON {}{} WHERE p.m = ? ORDER BY p.n",
            model.versions_table(),
            owner.device,
            model.quoted(),
            sql.pending_join,
            owner.joins
        ),
        None => format!(
            "INSERT INTO {} ({keys}, o, s) SELECT {from_keys}, ?, ? FROM _sync_pending p WHERE p.m = ? ORDER BY p.n",
            model.versions_table()
        ),
    };
    let values = vec![
        Sql::BigInt(Some(local.own.0)),
        Sql::BigInt(Some(db::signed(seq.0))),
        Sql::BigInt(Some(model.number)),
    ];
    Ok(db::execute(tx, &text, values).await?.rows_affected())
}

/// Whether one of the inserted rows has a record id that the shadow knows (a dead record that begins again, a
/// record that waits).
pub(super) async fn meets_shadow(tx: &DatabaseTransaction, model: &Model, sql: &ModelSql) -> Result<bool> {
    let text = format!(
        "SELECT 1 FROM _sync_pending p CROSS JOIN {} a ON {} WHERE p.m = ?1 AND (
            EXISTS (SELECT 1 FROM _sync_shadow s WHERE s.m = ?1 AND s.r = a.{id})
            OR EXISTS (SELECT 1 FROM _sync_wants w WHERE w.m = ?1 AND w.w = a.{id})) LIMIT 1",
        model.quoted(),
        sql.pending_join,
        id = quote(&model.id.column)
    );
    Ok(query_one(tx, &text, vec![Sql::BigInt(Some(model.number))]).await?.is_some())
}
