//! From the return of a commit on one device to the row being read from the databases of its peers.

use std::{path::Path, time::Duration};

use sea_orm::EntityTrait;
use sync_runtime::Space;
use tokio::time::{Instant, sleep};

use super::Extent;
use crate::{
    Outcome,
    measure::Series,
    place,
    report::{Line, Verdict},
    schema::{Rows, item},
};

/// Between two commits: what the last one led to is over then.
const PAUSE: Duration = Duration::from_millis(3);

pub(super) async fn run(dir: &Path, extent: Extent, peers: usize) -> Outcome<Vec<Line>> {
    let folder = tempfile::tempdir_in(dir)?;
    let hub = place::create_listening(&folder.path().join("hub.db")).await?;
    let mut others = Vec::new();
    for n in 0..peers {
        others.push(place::join(&folder.path().join(format!("peer-{n}.db")), hub.invite()?).await?);
    }
    let mut rows = Rows::of(4, hub.device_id());
    let mut series = Series::default();
    let (warm_up, commits) = if peers == 1 { (50, extent.commits) } else { (20, extent.commits / 2) };
    for n in 0..warm_up + commits {
        let time = slowest(&hub, &others, &mut rows, i64::try_from(n + 1)?).await?;
        if n >= warm_up {
            series.push(time);
        }
        sleep(PAUSE).await;
    }
    for other in others {
        if other.digest().await? != hub.digest().await? {
            return Err("the databases differ".into());
        }
        other.close().await?;
    }
    hub.close().await?;
    Ok(vec![line(&series, peers)])
}

fn line(series: &Series, peers: usize) -> Line {
    let (p50, p99) = (series.median(), series.percentile(0.99));
    let measured = format!("p50 {p50:.2} ms, p99 {p99:.2} ms, worst {:.2} ms", series.greatest());
    if peers == 1 {
        let verdict = Verdict::of(p50 <= 2.0 && p99 <= 10.0);
        return Line::new(
            "commit to visible in the other's database, WebSocket",
            "p50 ≤ 2 ms, p99 ≤ 10 ms",
            measured,
            verdict,
        );
    }
    let verdict = Verdict::of(p99 <= 50.0);
    Line::new(format!("the same, {peers} peers, slowest of them"), "p99 ≤ 50 ms", measured, verdict)
}

/// Commits a row and waits until all have it.
async fn slowest(hub: &Space, others: &[Space], rows: &mut Rows, id: i64) -> Outcome<Duration> {
    place::insert::<item::Entity, _>(hub, rows.drafts::<item::Entity>(1)).await?;
    let start = Instant::now();
    let vector = hub.status().vector;
    let mut slowest = Duration::ZERO;
    for other in others {
        other.caught_up_with(&vector).await?;
    }
    for other in others {
        item::Entity::find_by_id(id).one(other).await?.ok_or("the row is not there")?;
        slowest = slowest.max(start.elapsed());
    }
    Ok(slowest)
}
