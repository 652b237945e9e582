//! Bulk inserts of both regimes against the same insert without sync.

use std::path::Path;

use sea_orm::IntoActiveModel;
use sync_core::ids::DeviceId;

use super::Extent;
use crate::{
    Outcome,
    measure::{Comparison, Cost, Meter},
    place,
    report::{Line, Verdict},
    schema::{Rows, Sample, entry, item},
};

/// Rows of each insert.
pub(super) const ROWS: usize = 100_000;

pub(super) async fn run(dir: &Path, extent: Extent) -> Outcome<Vec<Line>> {
    let (mut owned, mut shared) = (Comparison::default(), Comparison::default());
    for round in 0..extent.rounds {
        // The order turns round, so that nobody always comes after the same one.
        if round % 2 == 0 {
            owned.push(plain::<entry::Entity>(dir, round).await?, synced::<entry::Entity>(dir, round).await?);
            shared.push(plain::<item::Entity>(dir, round).await?, synced::<item::Entity>(dir, round).await?);
        } else {
            let synced_first = synced::<item::Entity>(dir, round).await?;
            shared.push(plain::<item::Entity>(dir, round).await?, synced_first);
            let synced_first = synced::<entry::Entity>(dir, round).await?;
            owned.push(plain::<entry::Entity>(dir, round).await?, synced_first);
        }
    }
    let line = |what: &str, limit: f64, compared: &Comparison| {
        let measured = format!(
            "{}; {:.0} ms against {:.0} ms",
            compared.shown(),
            compared.synced.median(),
            compared.plain.median()
        );
        let verdict = Verdict::of(compared.ratio() <= limit);
        Line::new(
            format!("insert of {ROWS} rows through SeaORM, {what}"),
            format!("≤ {limit} ×"),
            measured,
            verdict,
        )
    };
    Ok(vec![line("device-owned model", 1.3, &owned), line("shared model, log included", 1.7, &shared)])
}

/// Any device, for rows without sync.
pub(super) fn some_device() -> DeviceId {
    DeviceId::from_bytes([7; 16])
}

/// What it takes without sync.
pub(super) async fn plain<E: Sample>(dir: &Path, seed: usize) -> Outcome<Cost>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let folder = tempfile::tempdir_in(dir)?;
    let db = place::plain(&folder.path().join("plain.db")).await?;
    let rows = Rows::of(seed, some_device()).drafts::<E>(ROWS);
    let meter = Meter::start()?;
    place::insert::<E, _>(&db, rows).await?;
    let cost = meter.read()?;
    db.close().await?;
    Ok(cost)
}

async fn synced<E: Sample>(dir: &Path, seed: usize) -> Outcome<Cost>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let folder = tempfile::tempdir_in(dir)?;
    let space = place::create(&folder.path().join("synced.db")).await?;
    let rows = Rows::of(seed, space.device_id()).drafts::<E>(ROWS);
    let meter = Meter::start()?;
    place::insert::<E, _>(&space, rows).await?;
    let cost = meter.read()?;
    space.close().await?;
    Ok(cost)
}
