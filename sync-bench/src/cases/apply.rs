//! A batch of new rows that arrives: from its first bytes at the receiver to visible in its database, against
//! inserting the same rows with SeaORM.

use std::{path::Path, time::Duration};

use sea_orm::IntoActiveModel;

use super::{
    Extent,
    insert::{ROWS, plain},
};
use crate::{
    Outcome,
    measure::{Comparison, Cost, Meter, Series},
    place::{self, Pair},
    relay::Relay,
    report::{Line, Verdict},
    schema::{Rows, Sample, entry, item},
};

struct Arrival {
    /// First bytes of the batch to visible; processor time of both sides and the relay.
    apply: Cost,
    /// Dialling to visible.
    whole: Duration,
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
    let mut whole = Series::default();
    for round in 0..extent.rounds.min(5) {
        let without = plain::<E>(dir, round).await?;
        let arrival = arrive::<E>(dir, round).await?;
        compared.push(without, arrival.apply);
        whole.push(arrival.whole);
    }
    let measured = format!(
        "{} of both sides together; {:.0} ms against {:.0} ms; from dialling {:.0} ms",
        compared.shown(),
        compared.synced.median(),
        compared.plain.median(),
        whole.median()
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
    let meter = Meter::start()?;
    relay.watch();
    pair.here.connect(relay.url())?;
    pair.there.caught_up_with(&vector).await?;
    let time = relay.begun().ok_or("no batch was seen")?.elapsed();
    let Cost { time: whole, processor } = meter.read()?;
    pair.check().await?;
    pair.close().await?;
    Ok(Arrival { apply: Cost { time, processor }, whole })
}
