//! What an audit found, as data and in words.

use std::fmt;

use sync_core::{
    changeset::Name,
    ids::{Origin, RecordId, Seq},
};

/// Findings that an audit lists at most; more are counted.
pub(super) const MAX_FINDINGS: usize = 10_000;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// What does not fit, at most 10,000 of it.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: u64,
    /// Changesets whose chain, signature and content were checked.
    pub changesets: u64,
    /// Shared records that were compared with the changesets that made them.
    pub records: u64,
}

impl Audit {
    /// Whether everything fits.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// SQLite says that the file is damaged.
    Damaged {
        /// In its words.
        detail: String,
    },
    /// A foreign key leads nowhere.
    Dangling {
        /// The table that holds it.
        table: String,
        /// Rows with such a key.
        rows: u64,
    },
    /// Rows that the framework does not know: they were written while triggers were missing.
    Unnoticed {
        /// Wire name of the model.
        model: Name,
        /// How many.
        rows: u64,
    },
    /// A row that should be there and is not.
    Missing {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
    },
    /// A row that shows something else than its changesets say.
    Differs {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
        /// The columns.
        columns: Vec<String>,
    },
    /// A row whose record is deleted, or whose delete is not known any more.
    Lingers {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
    },
    /// What is kept of a record without a row is not what its changesets say.
    Misremembered {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
    },
    /// A record that is hidden and need not be.
    HiddenForNothing {
        /// Wire name of the model.
        model: Name,
        /// The record.
        record: RecordId,
    },
    /// A changeset in the log is not what its origin signed, or is not there.
    Log {
        /// Whose.
        origin: Origin,
        /// The first that does not fit.
        seq: Seq,
        /// Why.
        detail: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { detail } => write!(f, "the file is damaged: {detail}; restore a backup"),
            Self::Dangling { table, rows } => {
                write!(f, "{rows} rows of \"{table}\" refer to rows that are not there")
            }
            Self::Unnoticed { model, rows } => {
                write!(f, "{rows} rows of {model} were never noticed; a repair takes them up as written here")
            }
            Self::Missing { model, record } => write!(f, "{model} {record} has no row"),
            Self::Differs { model, record, columns } => {
                write!(f, "{model} {record} shows something else than was written: {}", columns.join(", "))
            }
            Self::Lingers { model, record } => write!(f, "{model} {record} is deleted and has a row"),
            Self::Misremembered { model, record } => {
                write!(f, "{model} {record} has no row, and what is kept of it is not what was written")
            }
            Self::HiddenForNothing { model, record } => write!(f, "{model} {record} is hidden for nothing"),
            Self::Log { origin, seq, detail } => {
                write!(
                    f,
                    "changeset {seq} of {origin} in the log does not fit: {detail}; get the space from a peer"
                )
            }
        }
    }
}

/// Whom a repair believes where a row and the changesets that made it differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairBy {
    /// The changesets: rows are written as they say. For damage, and for writes that should not have been.
    History,
    /// The tables: what they show differently is taken up as written here now. For writes of other programs while
    /// triggers were missing.
    Tables,
}

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Findings that were put right.
    pub repaired: u64,
    /// What an audit finds afterwards.
    pub left: Audit,
}
