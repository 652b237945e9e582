//! A thousand changes made while there was no connection, from dialling to equal databases.

use std::{path::Path, time::Duration};

use tokio::time::Instant;

use super::Extent;
use crate::{
    Outcome,
    measure::Series,
    place::{self, Pair},
    report::{Line, Verdict},
    schema::{Rows, item},
};

const CHANGES: usize = 1_000;

pub(super) async fn run(dir: &Path, extent: Extent) -> Outcome<Vec<Line>> {
    let (mut inserts, mut updates) = (Series::default(), Series::default());
    for round in 0..extent.rounds.min(5) {
        let (of_inserts, of_updates) = changes(dir, round).await?;
        inserts.push(of_inserts);
        updates.push(of_updates);
    }
    let shown = |series: &Series| {
        format!("{:.0} ms ({:.0} to {:.0})", series.median(), series.least(), series.greatest())
    };
    let line = |what: &str, series: &Series| {
        let verdict = Verdict::of(series.median() <= 100.0);
        Line::new(
            format!("{CHANGES} {what} in as many transactions, offline to converged"),
            "≤ 100 ms",
            shown(series),
            verdict,
        )
    };
    Ok(vec![line("inserts", &inserts), line("updates", &updates)])
}

async fn changes(dir: &Path, seed: usize) -> Outcome<(Duration, Duration)> {
    let pair = Pair::new(dir).await?;
    let address = pair.address()?;
    pair.here.connect(&address)?;
    pair.converge().await?;
    pair.here.disconnect_all();
    let mut rows = Rows::of(seed, pair.here.device_id());
    for _ in 0..CHANGES {
        place::insert::<item::Entity, _>(&pair.here, rows.drafts::<item::Entity>(1)).await?;
    }
    let inserted = reconnect(&pair, &address).await?;
    for id in 1..=i64::try_from(CHANGES)? {
        place::resize::<item::Entity, _>(&pair.here, id, -id).await?;
    }
    let updated = reconnect(&pair, &address).await?;
    pair.check().await?;
    pair.close().await?;
    Ok((inserted, updated))
}

async fn reconnect(pair: &Pair, address: &str) -> Outcome<Duration> {
    let start = Instant::now();
    pair.here.connect(address)?;
    pair.converge().await?;
    let time = start.elapsed();
    pair.here.disconnect_all();
    Ok(time)
}
