//! The quick way for models of which a transaction only inserted rows: they are read once, column by column,
//! and their versions are placed by one statement.

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::ids::Seq;

use super::{changes::LocalBody, gather::Gathered};
use crate::{
    catalog::{Model, Ownership, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        db::{self, query_one},
        model_sql::{ModelSql, OwnerSql},
        rows,
    },
};

/// Reads the inserted rows of a model into the body, but for those that were read ahead.
pub(super) async fn collect(
    tx: &DatabaseTransaction,
    local: &Local,
    (model, sql): (&Model, &ModelSql),
    notes: (i64, i64),
    ahead: Option<Gathered>,
    body: &mut LocalBody,
) -> Result<()> {
    if let (Ownership::Device { otherwise_shared: false, .. }, Some(owner)) = (&model.regime, &sql.owner) {
        // Told without looking at the rows twice where they name the device themselves.
        if rows::all_owned_by(&rows::row_section(model), model, local.origin.device).is_none() {
            refuse_foreign_rows(tx, local, model, sql, owner).await?;
        }
    }
    let mut gathered = ahead.unwrap_or_else(|| Gathered::new(model));
    gathered.go_on(tx, local, (model, sql), notes).await?;
    if rows::all_owned_by(&gathered.owned, model, local.origin.device) == Some(false) {
        return Err(not_owner(model));
    }
    body.push_inserts(gathered.shared, gathered.owned);
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

/// Gives the inserted rows of the model their versions, from one note to another. Returns how many.
pub(super) async fn place_versions(
    tx: &DatabaseTransaction,
    local: &Local,
    (model, sql): (&Model, &ModelSql),
    seq: Seq,
    (first, last): (i64, i64),
) -> Result<u64> {
    let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
    let from_keys = (0..sql.key_columns).map(|n| format!("p.k{n}")).collect::<Vec<_>>().join(", ");
    let owner = sql.owner.as_ref().filter(|_| model.may_be_owned() && model.may_be_shared());
    let text = match owner {
        Some(owner) => format!(
            "INSERT INTO {} ({keys}, o, s, w) SELECT {from_keys}, ?, ?, {} IS NOT NULL FROM _sync_pending p
             JOIN {} a ON {}{} WHERE p.m = ? AND p.n BETWEEN ? AND ? ORDER BY p.n",
            model.versions_table(),
            owner.device,
            model.quoted(),
            sql.pending_join,
            owner.joins
        ),
        None => format!(
            "INSERT INTO {} ({keys}, o, s) SELECT {from_keys}, ?, ? FROM _sync_pending p
             WHERE p.m = ? AND p.n BETWEEN ? AND ? ORDER BY p.n",
            model.versions_table()
        ),
    };
    let values = vec![
        Sql::BigInt(Some(local.own.0)),
        Sql::BigInt(Some(db::signed(seq.0))),
        Sql::BigInt(Some(model.number)),
        Sql::BigInt(Some(first)),
        Sql::BigInt(Some(last)),
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
