//! `shelf doctor`.

use std::{fmt, path::Path};

use serde::Serialize;
use sync_kit::{Audit, RepairBy};

use crate::{
    cli::{Doctor, Trust},
    error::Failure,
    library,
    output::Output,
};

/// What was found, and what was done about it.
#[derive(Debug, Serialize)]
struct Report {
    /// Changesets whose chain, signature and content were checked.
    changesets: u64,
    /// Shared records that were compared with them.
    records: u64,
    /// Put right.
    repaired: u64,
    /// What does not fit.
    findings: Vec<String>,
}

impl Report {
    fn of(audit: &Audit, repaired: u64) -> Self {
        let mut findings: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
        if audit.more > 0 {
            findings.push(format!("and {} more", audit.more));
        }
        Self { changesets: audit.changesets, records: audit.records, repaired, findings }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checked {} changesets and {} shared records", self.changesets, self.records)?;
        if self.repaired > 0 {
            write!(f, "\nput right: {}", self.repaired)?;
        }
        if self.findings.is_empty() {
            return write!(f, "\neverything fits");
        }
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

/// Audits the library, and repairs it where that is asked for. What does not fit afterwards is a failure.
pub(super) async fn run(path: &Path, arguments: &Doctor, output: Output) -> Result<(), Failure> {
    let space = library::existing(path).await?;
    let waiting = output.spinner("comparing the library with its changes");
    let report = match arguments.repair {
        None => Report::of(&space.audit().await?, 0),
        Some(trust) => {
            let by = match trust {
                Trust::History => RepairBy::History,
                Trust::Tables => RepairBy::Tables,
            };
            let repaired = space.repair(by).await?;
            Report::of(&repaired.left, repaired.repaired)
        }
    };
    waiting.finish_and_clear();
    space.close().await?;
    output.show(&report)?;
    match report.findings.len() {
        0 => Ok(()),
        findings => Err(Failure::Differs(format!(
            "{findings} findings; `shelf doctor --repair history` puts right what it can"
        ))),
    }
}
