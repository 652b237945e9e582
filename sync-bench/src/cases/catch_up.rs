//! Catching up costs by what is new, not by what is there.

use std::{path::Path, time::Duration};

use tokio::time::Instant;

use crate::{
    Outcome,
    measure::{bytes_f64, milliseconds},
    place::{self, Pair},
    relay::Relay,
    report::{Line, Verdict},
    schema::{Rows, item},
};

const NEW: usize = 1_000;

pub(super) async fn run(dir: &Path) -> Outcome<Vec<Line>> {
    let (few_time, few_bytes) = catch_up(dir, 1_000).await?;
    let (many_time, many_bytes) = catch_up(dir, 100_000).await?;
    let measured = format!(
        "{NEW} new rows among 1,000: {:.0} ms, {few_bytes} bytes; among 100,000: {:.0} ms, {many_bytes} bytes",
        milliseconds(few_time),
        milliseconds(many_time)
    );
    // The same rows compress alike within a few percent; time has the disk's jitter in it.
    let bytes_alike = bytes_f64(many_bytes) <= bytes_f64(few_bytes) * 1.1;
    let time_alike = milliseconds(many_time) <= milliseconds(few_time) * 2.0 + 10.0;
    let verdict = Verdict::of(bytes_alike && time_alike);
    Ok(vec![Line::new("catching up d changes among n", "grows with d, not n", measured, verdict)])
}

async fn catch_up(dir: &Path, old: usize) -> Outcome<(Duration, u64)> {
    let pair = Pair::new(dir).await?;
    let relay = Relay::to(&pair.address()?).await?;
    let mut rows = Rows::of(5, pair.here.device_id());
    place::insert::<item::Entity, _>(&pair.here, rows.drafts::<item::Entity>(old)).await?;
    pair.here.connect(relay.url())?;
    pair.converge().await?;
    pair.here.disconnect_all();
    place::insert::<item::Entity, _>(&pair.here, rows.drafts::<item::Entity>(NEW)).await?;
    let before = relay.there() + relay.back();
    let start = Instant::now();
    pair.here.connect(relay.url())?;
    pair.converge().await?;
    let time = start.elapsed();
    let bytes = relay.there() + relay.back() - before;
    pair.check().await?;
    pair.close().await?;
    Ok((time, bytes))
}
