//! Times, their middle and their spread; what the machine is and does.

use std::{fs, path::Path, time::Duration};

use sea_orm::ConnectionTrait;
use tokio::time::Instant;

use crate::{Outcome, place};

/// Figures of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// Enters a time, in milliseconds.
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(milliseconds(time));
    }

    /// Enters a figure.
    pub(crate) fn push_figure(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// The figure below which `share` of all lie (nearest rank).
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * to_f64(sorted.len())).ceil();
        let at = sorted.iter().enumerate().find(|(n, _)| to_f64(n + 1) >= rank);
        at.map_or(f64::NAN, |(_, figure)| *figure)
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.percentile(0.5)
    }

    /// The least.
    pub(crate) fn least(&self) -> f64 {
        self.percentile(0.0)
    }

    /// The greatest.
    pub(crate) fn greatest(&self) -> f64 {
        self.percentile(1.0)
    }
}

/// What something took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// On the clock.
    pub(crate) time: Duration,
    /// Of the processors, all threads together.
    pub(crate) processor: Duration,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.processor += other.processor;
    }
}

/// Measures what happens until [`Meter::read`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    start: Instant,
    processor: Duration,
}

impl Meter {
    /// From now on.
    pub(crate) fn start() -> Outcome<Self> {
        Ok(Self { processor: processor_time()?, start: Instant::now() })
    }

    /// Until now.
    pub(crate) fn read(self) -> Outcome<Cost> {
        let time = self.start.elapsed();
        Ok(Cost { time, processor: processor_time()?.saturating_sub(self.processor) })
    }
}

/// The two sides of a comparison, measured in turns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    /// Without sync.
    pub(crate) plain: Series,
    /// With it.
    pub(crate) synced: Series,
    ratios: Series,
    plain_processor: Series,
    synced_processor: Series,
}

impl Comparison {
    /// Enters one turn.
    pub(crate) fn push(&mut self, plain: Cost, synced: Cost) {
        self.plain.push(plain.time);
        self.synced.push(synced.time);
        self.ratios.push_figure(synced.time.as_secs_f64() / plain.time.as_secs_f64());
        self.plain_processor.push(plain.processor);
        self.synced_processor.push(synced.processor);
    }

    /// How many times as long it takes with sync: median against median.
    pub(crate) fn ratio(&self) -> f64 {
        self.synced.median() / self.plain.median()
    }

    /// `1.52 × (1.43 to 1.60), processor 1.48 ×`: the ratio, the least and greatest of a single turn, and the ratio
    /// of processor time, which does not see who else uses the machine.
    pub(crate) fn shown(&self) -> String {
        let processor = self.synced_processor.median() / self.plain_processor.median();
        let (least, greatest) = (self.ratios.least(), self.ratios.greatest());
        format!("{:.2} × ({least:.2} to {greatest:.2}), processor time {processor:.2} ×", self.ratio())
    }
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A count as a number to calculate with; exact below 2^32.
pub(crate) fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Bytes as a number to calculate with.
pub(crate) fn bytes_f64(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Times of tiny durable commits on the disk, in milliseconds.
pub(crate) async fn commits(dir: &Path) -> Outcome<Series> {
    let folder = tempfile::tempdir_in(dir)?;
    let db = place::plain(&folder.path().join("commit.db")).await?;
    db.execute_unprepared("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (0)").await?;
    let mut series = Series::default();
    for _ in 0..300 {
        let start = Instant::now();
        db.execute_unprepared("UPDATE t SET n = n + 1").await?;
        series.push(start.elapsed());
    }
    db.close().await?;
    Ok(series)
}

/// Processor time of the threads of this process so far; of threads that ended nothing is known.
pub(crate) fn processor_time() -> Outcome<Duration> {
    let mut total = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        total += text.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

/// The most memory that this process had resident, in KiB.
pub(crate) fn resident_peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// How many processes ran or waited in the last minute, on average.
pub(crate) fn load() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or("0").parse()?)
}
