//! Which cases there are, and how thoroughly each is measured.

use std::path::Path;

use clap::ValueEnum;

use super::{apply, catch_up, delete, idle, insert, metadata, million, offline, propagation, update, wire};
use crate::{
    Outcome,
    report::{Line, Verdict},
};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// The word on the command line.
    pub(crate) name: &'static str,
    /// Turns of a comparison.
    pub(crate) rounds: usize,
    /// Commits whose propagation is timed.
    pub(crate) commits: usize,
    /// Also what takes minutes.
    pub(crate) long: bool,
}

impl Extent {
    /// Some minutes.
    pub(crate) fn quick() -> Self {
        Self { name: "quick", rounds: 5, commits: 500, long: false }
    }

    /// As long as it takes.
    pub(crate) fn all() -> Self {
        Self { name: "all", rounds: 9, commits: 2_000, long: true }
    }
}

/// A case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Bulk inserts.
    Insert,
    /// Transactions of one update.
    Update,
    /// Applying a batch that came.
    Apply,
    /// Bytes of metadata.
    Metadata,
    /// Deleting many rows.
    Delete,
    /// Commit to visible, one peer.
    Propagation,
    /// Commit to visible, ten peers.
    Fanout,
    /// A thousand changes made offline.
    Offline,
    /// A million rows to a new device.
    Million,
    /// Catching up d changes among n.
    CatchUp,
    /// Bytes of a small row.
    Wire,
    /// Bytes of silence.
    Idle,
}

impl Case {
    /// The chosen ones, or those that belong to the extent.
    pub(crate) fn chosen(named: &[Self], extent: Extent) -> Vec<Self> {
        if named.is_empty() {
            let all = Self::value_variants().iter().copied();
            all.filter(|case| extent.long || *case != Self::Million).collect()
        } else {
            named.to_vec()
        }
    }

    /// Measures.
    pub(crate) async fn run(self, dir: &Path, extent: Extent) -> Outcome<Vec<Line>> {
        match self {
            Self::Insert => insert::run(dir, extent).await,
            Self::Update => update::run(dir, extent).await,
            Self::Apply => apply::run(dir, extent).await,
            Self::Metadata => metadata::run(dir).await,
            Self::Delete => delete::run(dir, extent).await,
            Self::Propagation => propagation::run(dir, extent, 1).await,
            Self::Fanout => propagation::run(dir, extent, 10).await,
            Self::Offline => offline::run(dir, extent).await,
            Self::Million => million::run(dir).await,
            Self::CatchUp => catch_up::run(dir).await,
            Self::Wire => wire::run(dir).await,
            Self::Idle => idle::run(dir).await,
        }
    }

    /// The row of a case that failed.
    pub(crate) fn failed(self, why: &str) -> Line {
        Line::new(format!("{self:?}"), "", format!("failed: {why}"), Verdict::Missed)
    }
}
