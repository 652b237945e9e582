//! What the demo found, for people and for scripts.

use std::fmt;

use serde::Serialize;

use super::protocol::Table;
use crate::{
    index::Indexed,
    output::{self, bytes},
};

/// The outcome of one conflict.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    /// What is not as expected, in words; empty when everything is.
    pub(super) wrong: Vec<String>,
}

/// One synced table on both sides.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    pub(super) model: String,
    pub(super) laptop: Option<(u64, String)>,
    pub(super) phone: Option<(u64, String)>,
}

impl Compared {
    /// Pairs the tables of both sides by model.
    pub(super) fn all(laptop: &[Table], phone: &[Table]) -> Vec<Self> {
        let mut models: Vec<&str> = laptop.iter().chain(phone).map(|table| table.model.as_str()).collect();
        models.sort_unstable();
        models.dedup();
        let of = |tables: &[Table], model: &str| {
            tables.iter().find(|table| table.model == model).map(|table| (table.rows, table.digest.clone()))
        };
        models
            .into_iter()
            .map(|model| Self { model: model.to_owned(), laptop: of(laptop, model), phone: of(phone, model) })
            .collect()
    }

    /// Both sides have the table with the same content.
    pub(super) fn equal(&self) -> bool {
        self.laptop.is_some() && self.laptop == self.phone
    }
}

/// Sizes in bytes.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sizes {
    pub(super) laptop_database: u64,
    pub(super) phone_database: u64,
    /// Frames that the phone received until it had everything.
    pub(super) copied: u64,
    /// Frames in both directions when the two met again.
    pub(super) healed: u64,
}

/// Durations in seconds.
#[derive(Debug, Default, Serialize)]
pub(super) struct Seconds {
    pub(super) pair_and_copy: f64,
    pub(super) heal: f64,
    pub(super) total: f64,
}

/// Everything that the demo found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) indexed: Indexed,
    pub(super) copied_rows: u64,
    pub(super) changes_apart: usize,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) tables: Vec<Compared>,
    pub(super) sizes: Sizes,
    pub(super) seconds: Seconds,
    pub(super) converged: bool,
}

impl Report {
    /// What is wrong, one line each.
    pub(super) fn faults(&self) -> Vec<String> {
        let outcomes = self
            .outcomes
            .iter()
            .flat_map(|outcome| outcome.wrong.iter().map(move |wrong| format!("{}: {wrong}", outcome.name)));
        let tables =
            self.tables.iter().filter(|table| !table.equal()).map(|table| {
                format!("table {} differs: {:?} and {:?}", table.model, table.laptop, table.phone)
            });
        outcomes.chain(tables).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = &self.seconds;
        let rate = output::per_second(self.copied_rows, seconds.pair_and_copy);
        writeln!(f, "indexed    {}", self.indexed)?;
        writeln!(
            f,
            "joined     {} rows copied to the second device in {:.2} s ({rate} rows/s), {} on the wire",
            self.copied_rows,
            seconds.pair_and_copy,
            bytes(self.sizes.copied)
        )?;
        writeln!(f, "cut        {} changes made apart from each other", self.changes_apart)?;
        writeln!(f, "healed     in {:.3} s, {} on the wire", seconds.heal, bytes(self.sizes.healed))?;
        for outcome in &self.outcomes {
            let mark = if outcome.wrong.is_empty() { "ok" } else { "WRONG" };
            writeln!(f, "  {mark:<6} {}: {}", outcome.name, outcome.expected)?;
            for wrong in &outcome.wrong {
                writeln!(f, "         {wrong}")?;
            }
        }
        writeln!(f, "tables")?;
        for table in &self.tables {
            let mark = if table.equal() { "equal" } else { "DIFFER" };
            let (rows, digest) = table.laptop.clone().unwrap_or_default();
            let digest = digest.get(..16).unwrap_or(&digest);
            writeln!(f, "  {mark:<6} {:<18} {rows:>9} rows  {digest}", table.model)?;
        }
        writeln!(
            f,
            "databases  {} and {}",
            bytes(self.sizes.laptop_database),
            bytes(self.sizes.phone_database)
        )?;
        let verdict = if self.converged { "converged" } else { "NOT CONVERGED" };
        write!(f, "{verdict} in {:.2} s", seconds.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(model: &str, rows: u64, digest: &str) -> Table {
        Table { model: model.to_owned(), rows, digest: digest.to_owned() }
    }

    #[test]
    fn a_table_that_differs_or_is_missing_is_a_fault() {
        let laptop = [table("tag", 2, "aa"), table("entry", 1, "bb"), table("volume", 0, "cc")];
        let phone = [table("tag", 2, "aa"), table("entry", 1, "b0")];
        let report = Report {
            indexed: Indexed::default(),
            copied_rows: 0,
            changes_apart: 0,
            outcomes: vec![Outcome { name: "a", expected: "b", wrong: vec!["c".to_owned()] }],
            tables: Compared::all(&laptop, &phone),
            sizes: Sizes::default(),
            seconds: Seconds::default(),
            converged: false,
        };
        assert_eq!(
            report.faults(),
            [
                "a: c",
                r#"table entry differs: Some((1, "bb")) and Some((1, "b0"))"#,
                r#"table volume differs: Some((0, "cc")) and None"#,
            ]
        );
    }
}
