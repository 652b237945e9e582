//! What apply wrote itself. The triggers note it like anything else; what they noted beyond it is the work of triggers
//! of the application, which nobody authored and nobody else has.

use std::collections::BTreeMap;

use sea_orm::{DatabaseTransaction, Value as Sql};

use crate::{
    catalog::Model,
    engine::local::Local,
    error::Result,
    store::db::{integer, query, query_one, sqlite_row},
};

/// What was done to a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Written {
    Inserted,
    Changed,
    Deleted,
}

impl Written {
    /// From the kind of a note; `None` for the note that a row may be replaced.
    fn from_note(kind: i64) -> Option<Self> {
        match kind {
            1 => Some(Self::Inserted),
            2 | 5 => Some(Self::Changed),
            3 => Some(Self::Deleted),
            _ => None,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Inserted => "inserted",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// How many notes the statements of apply can have made, by number of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnNotes(BTreeMap<(i64, Written), i64>);

impl OwnNotes {
    /// `rows` rows of a model were written.
    pub(crate) fn add(&mut self, model: &Model, written: Written, rows: usize) {
        // A row that moves to another key is noted under both.
        let moves = written == Written::Changed && model.key.iter().any(|part| part.field.is_some());
        let notes = if moves { rows.saturating_mul(2) } else { rows };
        let notes = i64::try_from(notes).unwrap_or(i64::MAX);
        let entry = self.0.entry((model.number, written)).or_default();
        *entry = entry.saturating_add(notes);
    }

    /// Adds those of another part of the same transaction.
    pub(crate) fn merge(&mut self, other: Self) {
        for (place, notes) in other.0 {
            let entry = self.0.entry(place).or_default();
            *entry = entry.saturating_add(notes);
        }
    }

    /// Whether nothing but new rows of one model is noted, and no more than these: grouping many notes takes its time.
    async fn is_all(&self, tx: &DatabaseTransaction) -> Result<bool> {
        let Some(((number, Written::Inserted), rows)) =
            self.0.first_key_value().filter(|_| self.0.len() == 1)
        else {
            return Ok(false);
        };
        let text = "SELECT count(*), coalesce(sum(m = ? AND t = 1), 0) FROM _sync_pending";
        let Some(row) = query_one(tx, text, vec![Sql::BigInt(Some(*number))]).await? else {
            return Ok(false);
        };
        let row = sqlite_row(&row)?;
        let (all, own) = (integer(row, 0)?, integer(row, 1)?);
        Ok(all == own && own <= *rows)
    }

    /// In words, what is noted beyond this.
    pub(crate) async fn surplus(&self, tx: &DatabaseTransaction, local: &Local) -> Result<Vec<String>> {
        if self.is_all(tx).await? {
            return Ok(Vec::new());
        }
        let mut noted: BTreeMap<(i64, Written), i64> = BTreeMap::new();
        for row in query(tx, "SELECT m, t, count(*) FROM _sync_pending GROUP BY m, t", vec![]).await? {
            let row = sqlite_row(&row)?;
            if let Some(written) = Written::from_note(integer(row, 1)?) {
                *noted.entry((integer(row, 0)?, written)).or_default() += integer(row, 2)?;
            }
        }
        let beyond = noted.into_iter().filter_map(|((number, written), notes)| {
            let surplus = notes - self.0.get(&(number, written)).copied().unwrap_or(0);
            let (model, _) = local.numbered(number).filter(|_| surplus > 0)?;
            Some(format!(
                "a trigger of the application {} rows of \"{}\" while changes of others were applied ({surplus} times); \
                 only this device has that: let the trigger fill columns that do not sync, or drop it",
                written.in_words(),
                model.table
            ))
        });
        Ok(beyond.collect())
    }
}
