//! Bytes that sync keeps in the database for each row, by table, vacuumed.

use std::path::Path;

use sea_orm::{ConnectionTrait, DbBackend, IntoActiveModel, Statement};

use crate::{
    Outcome,
    measure::{bytes_f64, to_f64},
    place,
    report::{Line, Verdict},
    schema::{Rows, Sample, entry, item},
};

pub(super) async fn run(dir: &Path) -> Outcome<Vec<Line>> {
    let mut lines = measure::<item::Entity>(dir, 100_000, 5_000, "shared").await?;
    lines.extend(measure::<item::Entity>(dir, 5_000, 1, "shared").await?);
    lines.extend(measure::<entry::Entity>(dir, 100_000, 5_000, "device-owned").await?);
    lines.extend(measure::<entry::Entity>(dir, 5_000, 1, "device-owned").await?);
    Ok(lines)
}

async fn measure<E: Sample>(dir: &Path, rows: usize, each: usize, what: &str) -> Outcome<Vec<Line>>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let folder = tempfile::tempdir_in(dir)?;
    let path = folder.path().join("synced.db");
    let space = place::create(&path).await?;
    space.close().await?;
    // Tables take a page each even when they are empty, which is no matter of rows.
    let (empty, empty_log) = vacuumed(&path).await?;
    let space = place::open(&path).await?;
    let mut source = Rows::of(3, space.device_id());
    for _ in 0..rows / each {
        place::insert::<E, _>(&space, source.drafts::<E>(each)).await?;
    }
    space.close().await?;
    let (kept, log) = vacuumed(&path).await?;
    let (kept, log) = (kept.saturating_sub(empty), log.saturating_sub(empty_log));
    let per_row = |bytes: u64| bytes_f64(bytes) / to_f64(rows);
    let measured = format!(
        "{:.1} bytes; the log, which is not pruned yet, {:.1} more; {empty} bytes in all without any row",
        per_row(kept),
        per_row(log)
    );
    let verdict = Verdict::of(per_row(kept) <= 32.0);
    let name = format!("metadata kept per row without the log, {what}, {each} rows a transaction, vacuumed");
    Ok(vec![Line::new(name, "≤ 32 bytes", measured, verdict)])
}

async fn vacuumed(path: &Path) -> Outcome<(u64, u64)> {
    let db = place::plain(path).await?;
    db.execute_unprepared("VACUUM").await?;
    let sizes = sizes(&db).await?;
    db.close().await?;
    Ok(sizes)
}

/// Bytes of all that belongs to sync without the log, and of the log.
async fn sizes(db: &impl ConnectionTrait) -> Outcome<(u64, u64)> {
    // An index counts with its table.
    let sql = "SELECT coalesce(sum(pgsize) FILTER (WHERE m.tbl_name <> '_sync_log'), 0),
            coalesce(sum(pgsize) FILTER (WHERE m.tbl_name = '_sync_log'), 0)
        FROM dbstat s JOIN sqlite_master m ON m.name = s.name WHERE m.tbl_name GLOB '_sync_*' AND s.aggregate = TRUE";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?.ok_or("no row")?;
    Ok((u64::try_from(row.try_get_by_index::<i64>(0)?)?, u64::try_from(row.try_get_by_index::<i64>(1)?)?))
}
