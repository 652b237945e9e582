//! Deleting n rows takes time that grows with n, not faster.

use std::{path::Path, time::Duration};

use sea_orm::EntityTrait;
use tokio::time::Instant;

use super::Extent;
use crate::{
    Outcome,
    measure::Series,
    place,
    report::{Line, Verdict},
    schema::{Rows, item},
};

const ROWS: usize = 20_000;

pub(super) async fn run(dir: &Path, extent: Extent) -> Outcome<Vec<Line>> {
    let mut series = [Series::default(), Series::default(), Series::default()];
    for round in 0..extent.rounds.min(5) {
        for (series, factor) in series.iter_mut().zip([1, 2, 4]) {
            series.push(delete(dir, round, ROWS * factor).await?);
        }
    }
    let [once, twice, four_times] = series.map(|series| series.median());
    let growth = four_times / once;
    let measured =
        format!("n, 2n, 4n (n = {ROWS}): {once:.0}, {twice:.0}, {four_times:.0} ms; {growth:.1} × for 4 ×");
    // A quarter for what caches do; quadratic growth would be 16.
    let verdict = Verdict::of(growth <= 5.0);
    Ok(vec![Line::new("deleting n rows, shared model", "linear", measured, verdict)])
}

async fn delete(dir: &Path, seed: usize, rows: usize) -> Outcome<Duration> {
    let folder = tempfile::tempdir_in(dir)?;
    let space = place::create(&folder.path().join("synced.db")).await?;
    place::insert::<item::Entity, _>(&space, Rows::of(seed, space.device_id()).drafts::<item::Entity>(rows))
        .await?;
    let start = Instant::now();
    item::Entity::delete_many().exec(&space).await?;
    let time = start.elapsed();
    space.close().await?;
    Ok(time)
}
