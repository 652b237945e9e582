//! Bytes that a small row takes on the way, against the same rows as compressed CSV.

use std::path::Path;

use sea_orm::{EntityTrait, IntoActiveModel};

use crate::{
    Outcome,
    measure::{bytes_f64, to_f64},
    place::{self, Pair},
    relay::Relay,
    report::{Line, Verdict},
    schema::{Row, Rows, Sample, entry, item},
};

/// zstd's default, and what the exchange uses.
const LEVEL: i32 = 3;

pub(super) async fn run(dir: &Path) -> Outcome<Vec<Line>> {
    let mut lines = Vec::new();
    for rows in [100_000, 1_000] {
        lines.push(measure::<item::Entity>(dir, rows, "shared").await?);
        lines.push(measure::<entry::Entity>(dir, rows, "device-owned").await?);
    }
    Ok(lines)
}

async fn measure<E: Sample + EntityTrait>(dir: &Path, count: usize, what: &str) -> Outcome<Line>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let pair = Pair::new(dir).await?;
    let relay = Relay::to(&pair.address()?).await?;
    pair.here.connect(relay.url())?;
    place::insert::<E, _>(&pair.here, Rows::of(9, pair.here.device_id()).drafts::<E>(10)).await?;
    pair.converge().await?;
    let before = relay.there();
    let rows: Vec<Row> = Rows::of(6, pair.here.device_id()).take(count).collect();
    let csv = csv(&rows)?;
    place::insert::<E, _>(&pair.here, rows.iter().map(E::draft).collect()).await?;
    pair.converge().await?;
    let sent = relay.there() - before;
    pair.check().await?;
    pair.close().await?;
    let per_row = |bytes: u64| bytes_f64(bytes) / to_f64(count);
    let ratio = bytes_f64(sent) / bytes_f64(csv);
    let measured = format!("{ratio:.2} ×; {:.1} bytes a row against {:.1}", per_row(sent), per_row(csv));
    let name = format!("bytes on the wire of {count} small rows, {what}, against zstd-compressed CSV");
    Ok(Line::new(name, "≤ 1.3 ×", measured, Verdict::of(ratio <= 1.3)))
}

/// Bytes of the rows as compressed CSV, ids in hexadecimal.
fn csv(rows: &[Row]) -> Outcome<u64> {
    let mut text = String::from("uuid,device,name,size,kind,modified\n");
    for row in rows {
        let (uuid, device) = (row.uuid.simple(), row.device.simple());
        text.push_str(&format!("{uuid},{device},{},{},{},{}\n", row.name, row.size, row.kind, row.modified));
    }
    Ok(u64::try_from(zstd::bulk::compress(text.as_bytes(), LEVEL)?.len())?)
}
