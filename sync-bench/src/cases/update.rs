//! Single-row transactions against the same without sync, both fully durable, in alternating slices.

use std::path::Path;

use sea_orm::{IntoActiveModel, TransactionTrait};

use super::{Extent, insert::some_device};
use crate::{
    Outcome,
    measure::{Comparison, Cost, Meter},
    place,
    report::{Line, Verdict},
    schema::{Rows, Sample, entry, item},
};

/// Rows in the table, each updated once in a round.
const ROWS: usize = 1_000;
/// Transactions before it is the other's turn.
const SLICE: i64 = 50;

pub(super) async fn run(dir: &Path, extent: Extent) -> Outcome<Vec<Line>> {
    let shared = compare::<item::Entity>(dir, extent).await?;
    let owned = compare::<entry::Entity>(dir, extent).await?;
    let line = |what: &str, compared: &Comparison| {
        let each = |total: f64| total / crate::measure::to_f64(ROWS);
        let measured = format!(
            "{}; {:.2} ms against {:.2} ms each",
            compared.shown(),
            each(compared.synced.median()),
            each(compared.plain.median())
        );
        let verdict = Verdict::of(compared.ratio() <= 1.6);
        Line::new(
            format!("{ROWS} single-row update transactions, {what} model"),
            "≤ 1.6 ×",
            measured,
            verdict,
        )
    };
    Ok(vec![line("shared", &shared), line("device-owned", &owned)])
}

async fn compare<E: Sample>(dir: &Path, extent: Extent) -> Outcome<Comparison>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let folder = tempfile::tempdir_in(dir)?;
    let db = place::plain(&folder.path().join("plain.db")).await?;
    let space = place::create(&folder.path().join("synced.db")).await?;
    place::insert::<E, _>(&db, Rows::of(1, some_device()).drafts::<E>(ROWS)).await?;
    place::insert::<E, _>(&space, Rows::of(1, space.device_id()).drafts::<E>(ROWS)).await?;
    let mut compared = Comparison::default();
    let last = i64::try_from(ROWS)?;
    for round in 0..i64::try_from(extent.rounds)? {
        let (mut plain, mut synced) = (Cost::default(), Cost::default());
        let mut first = 1;
        while first <= last {
            plain += slice::<E, _>(&db, first, round).await?;
            synced += slice::<E, _>(&space, first, round).await?;
            first += SLICE;
        }
        compared.push(plain, synced);
    }
    db.close().await?;
    space.close().await?;
    Ok(compared)
}

async fn slice<E: Sample, C: TransactionTrait>(db: &C, first: i64, round: i64) -> Outcome<Cost>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let meter = Meter::start()?;
    for id in first..first + SLICE {
        place::resize::<E, _>(db, id, id * 1_000 + round).await?;
    }
    meter.read()
}
