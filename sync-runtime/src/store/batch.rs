//! Several statements as one text with all their values: one round trip to the database's thread.

use sea_orm::{DatabaseTransaction, Value as Sql};

use super::db::{self, MAX_VARIABLES};
use crate::error::Result;

/// Statements to run together, in order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    sql: String,
    values: Vec<Sql>,
}

impl Batch {
    /// Appends a statement. Its placeholders are plain `?`: a number would count from the start of the batch.
    pub(crate) fn push(&mut self, sql: &str, values: impl IntoIterator<Item = Sql>) {
        if !self.sql.is_empty() {
            self.sql.push_str("; ");
        }
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    /// Appends `INSERT`-like statements of many rows: `head (?,?),(?,?) tail`, in pieces that fit.
    pub(crate) async fn push_rows(
        &mut self,
        tx: &DatabaseTransaction,
        head: &str,
        columns: usize,
        tail: &str,
        rows: Vec<Vec<Sql>>,
    ) -> Result<()> {
        let fits = (MAX_VARIABLES / columns.max(1)).clamp(1, 500);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let piece: Vec<Vec<Sql>> = rows.by_ref().take(fits).collect();
            let sql = format!("{head} VALUES {}{tail}", db::placeholders(piece.len(), columns));
            self.push(&sql, piece.into_iter().flatten());
            if self.values.len() > MAX_VARIABLES / 4 {
                self.flush(tx).await?;
            }
        }
        Ok(())
    }

    /// Runs what is there.
    pub(crate) async fn flush(&mut self, tx: &DatabaseTransaction) -> Result<()> {
        if !self.sql.is_empty() {
            let sql = std::mem::take(&mut self.sql);
            db::execute(tx, &sql, std::mem::take(&mut self.values)).await?;
        }
        Ok(())
    }
}
