//! Bytes of two connected devices between which nothing happens.

use std::{path::Path, time::Duration};

use tokio::time::sleep;

use crate::{
    Outcome,
    place::{self, Pair},
    relay::Relay,
    report::{Line, Verdict},
    schema::{Rows, item},
};

pub(super) async fn run(dir: &Path) -> Outcome<Vec<Line>> {
    let pair = Pair::new(dir).await?;
    let relay = Relay::to(&pair.address()?).await?;
    pair.here.connect(relay.url())?;
    place::insert::<item::Entity, _>(
        &pair.here,
        Rows::of(7, pair.here.device_id()).drafts::<item::Entity>(100),
    )
    .await?;
    pair.converge().await?;
    // What convergence leaves to say is said within one heartbeat.
    sleep(Duration::from_secs(31)).await;
    let (there, back) = (relay.there(), relay.back());
    sleep(Duration::from_mins(1)).await;
    let (there, back) = (relay.there() - there, relay.back() - back);
    pair.close().await?;
    let measured =
        format!("{there} and {back} bytes of TCP payload in a minute, encryption and framing included");
    Ok(vec![Line::new(
        "idle peers, each",
        "≤ 1 KiB a minute",
        measured,
        Verdict::of(there.max(back) <= 1024),
    )])
}
