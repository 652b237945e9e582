//! What was measured, as a table for the terminal and for docs/benchmarks.md.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sea_orm::prelude::ChronoDateTimeUtc;
use sync_runtime::host::RuntimeHost;

use crate::{Outcome, measure};

/// Whether a figure is where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Within the limit.
    Reached,
    /// Beyond it.
    Missed,
}

impl Verdict {
    /// Reached if so.
    pub(crate) fn of(reached: bool) -> Self {
        if reached { Self::Reached } else { Self::Missed }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Reached => "yes",
            Self::Missed => "no",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What was measured.
    pub(crate) what: String,
    /// The limit, in words.
    pub(crate) limit: String,
    /// The figure, in words, with its spread.
    pub(crate) measured: String,
    /// Whether it is reached.
    pub(crate) verdict: Verdict,
}

impl Line {
    /// A row.
    pub(crate) fn new(
        what: impl Into<String>,
        limit: impl Into<String>,
        measured: String,
        verdict: Verdict,
    ) -> Self {
        Self { what: what.into(), limit: limit.into(), measured, verdict }
    }
}

/// A run of the benchmarks.
#[derive(Debug)]
pub(crate) struct Report {
    command: String,
    date: String,
    commit_before: measure::Series,
    commit_after: Option<measure::Series>,
    load: f64,
    lines: Vec<Line>,
}

impl Report {
    /// Looks at the machine.
    pub(crate) async fn begin(dir: &Path, command: String) -> Outcome<Self> {
        let now = RuntimeHost::context().now().unix_ms;
        let date = ChronoDateTimeUtc::from_timestamp_millis(i64::try_from(now)?).unwrap_or_default();
        Ok(Self {
            command,
            date: date.format("%Y-%m-%d").to_string(),
            load: measure::load()?,
            commit_before: measure::commits(dir).await?,
            commit_after: None,
            lines: Vec::new(),
        })
    }

    /// Looks at the disk again.
    pub(crate) async fn end(&mut self, dir: &Path) -> Outcome<()> {
        self.commit_after = Some(measure::commits(dir).await?);
        Ok(())
    }

    /// Enters a row.
    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Cores, system, disk, load.
    pub(crate) fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let after = match &self.commit_after {
            Some(after) => format!(", {:.2} ms afterwards", after.median()),
            None => String::new(),
        };
        format!(
            "{cores} cores, {} {}; a tiny durable commit takes {:.2} ms (p50; p99 {:.2} ms{after}); load before the run {:.1}",
            std::env::consts::OS,
            std::env::consts::ARCH,
            self.commit_before.median(),
            self.commit_before.percentile(0.99),
            self.load,
        )
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut out = String::from("| what | limit | measured | reached |\n|---|---|---|---|\n");
        for line in &self.lines {
            let row = [&line.what, &line.limit, &line.measured, line.verdict.word()];
            out.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        out
    }

    /// Writes the page; says where.
    pub(crate) fn write(&self) -> Outcome<PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        let mut page = String::from(include_str!("../page/head.md"));
        write!(
            page,
            "\n## Last run\n`cargo run --release -p sync-bench -- {}`, {}.\n\n{}.\n\n{}",
            self.command,
            self.date,
            self.machine(),
            self.table()
        )?;
        page.push_str(include_str!("../page/foot.md"));
        fs::write(&path, page)?;
        Ok(path)
    }
}
