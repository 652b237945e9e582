//! A batch of new rows that arrives: from its first bytes at the receiver to visible in its database, against
//! inserting the same rows with SeaORM.

use std::{path::Path, time::Duration};

use sea_orm::IntoActiveModel;
use tokio::time::Instant;

use super::{
    Extent,
    insert::{ROWS, plain},
};
use crate::{
    Outcome,
    measure::{Comparison, Series, processor_time},
    place::{self, Pair},
    relay::Relay,
    report::{Line, Verdict},
    schema::{Rows, Sample, entry, item},
};

struct Arrival {
    /// First bytes of the batch to visible.
    apply: Duration,
    /// Dialling to visible.
    whole: Duration,
    /// Processor time of both sides and the relay.
    processor: Duration,
}

pub(super) async fn run(dir: &Path, extent: Extent) -> Outcome<Vec<Line>> {
    let mut lines = measure::<item::Entity>(dir, extent, "shared").await?;
    lines.extend(measure::<entry::Entity>(dir, extent, "device-owned").await?);
    Ok(lines)
}

async fn measure<E: Sample>(dir: &Path, extent: Extent, what: &str) -> Outcome<Vec<Line>>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut compared = Comparison::default();
    let (mut whole, mut processor) = (Series::default(), Series::default());
    for round in 0..extent.rounds.min(5) {
        let without = plain::<E>(dir, round).await?;
        let arrival = arrive::<E>(dir, round).await?;
        compared.push(without, arrival.apply);
        whole.push(arrival.whole);
        processor.push(arrival.processor);
    }
    let measured = format!(
        "{}; {:.0} ms against {:.0} ms; from dialling {:.0} ms; processor time of both sides {:.0} ms",
        compared.shown(),
        compared.synced.median(),
        compared.plain.median(),
        whole.median(),
        processor.median()
    );
    let verdict = Verdict::of(compared.ratio() <= 1.6);
    let name =
        format!("apply of a received batch of {ROWS} new rows, {what}, against inserting them with SeaORM");
    Ok(vec![Line::new(name, "≤ 1.6 ×", measured, verdict)])
}

async fn arrive<E: Sample>(dir: &Path, seed: usize) -> Outcome<Arrival>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let pair = Pair::new(dir).await?;
    place::insert::<E, _>(&pair.here, Rows::of(seed, pair.here.device_id()).drafts::<E>(ROWS)).await?;
    let vector = pair.here.vector().await?;
    let relay = Relay::to(&pair.address()?).await?;
    let before = processor_time()?;
    let start = Instant::now();
    relay.watch();
    pair.here.connect(relay.url())?;
    pair.there.caught_up_with(&vector).await?;
    let whole = start.elapsed();
    let apply = relay.begun().ok_or("no batch was seen")?.elapsed();
    let processor = processor_time()?.saturating_sub(before);
    pair.check().await?;
    pair.close().await?;
    Ok(Arrival { apply, whole, processor })
}
