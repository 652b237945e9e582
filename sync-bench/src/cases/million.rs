//! A million device-owned rows to a new device, each side a process of its own.

use std::path::Path;

use crate::{
    Outcome, million,
    report::{Line, Verdict},
};

const ROWS: usize = 1_000_000;

pub(super) async fn run(dir: &Path) -> Outcome<Vec<Line>> {
    let taken = million::hand_over(dir, ROWS).await?;
    let mib = |kib: u64| kib.div_ceil(1024);
    let measured = format!(
        "{:.1} s; at most {} MiB resident at the giver, {} MiB at the taker",
        taken.seconds,
        mib(taken.giver_kib),
        mib(taken.taker_kib)
    );
    let verdict = Verdict::of(taken.seconds <= 20.0 && mib(taken.giver_kib.max(taken.taker_kib)) <= 256);
    Ok(vec![Line::new(
        format!("{ROWS} device-owned rows to a new device"),
        "≤ 20 s, ≤ 256 MiB each",
        measured,
        verdict,
    )])
}
