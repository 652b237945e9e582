//! Derived tables: plain local tables that follow a synced one, such as the closure table of a tree. They
//! are not synced; each replica recomputes them for the rows that changed, in the transaction of the change,
//! whether the change was made here or came from a peer. Nothing here may know which tables there are.

use std::{fmt, future::Future, pin::Pin};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, Value};

/// One row of a source model that was inserted, changed or deleted, after netting, by local key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// Local integer primary key of the row.
    pub key: i64,
    /// What became of it.
    pub kind: RowChangeKind,
}

/// What a transaction did to a row, first state against last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChangeKind {
    /// The row did not exist before.
    Inserted,
    /// The row existed and has other values now.
    Updated,
    /// The row is gone.
    Deleted,
}

/// Access to the transaction in which the change commits.
pub struct DerivedContext<'a> {
    transaction: &'a DatabaseTransaction,
}

impl fmt::Debug for DerivedContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedContext").finish_non_exhaustive()
    }
}

impl<'a> DerivedContext<'a> {
    /// A context that works in `transaction`.
    pub fn new(transaction: &'a DatabaseTransaction) -> Self {
        Self { transaction }
    }

    /// Runs one statement with its values bound and answers how many rows it touched.
    pub async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
        Ok(self.transaction.execute_raw(self.statement(sql, values)).await?.rows_affected())
    }

    /// Runs one query with its values bound.
    pub async fn query(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_all_raw(self.statement(sql, values)).await
    }

    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.transaction.get_database_backend(), sql, values)
    }
}

/// What [`DerivedTable::update`] answers.
pub type DerivedUpdate<'a> = Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send + 'a>>;

/// A derived table and the function that keeps it; collected by `inventory`.
#[derive(Clone, Copy, Debug)]
pub struct DerivedTable {
    /// The table that is kept.
    pub table: &'static str,
    /// The table of the source model.
    pub source: &'static str,
    /// Brings the table up to date for the rows that changed since it was last called, no others. The source
    /// table already has its final state; each row stands at most once in the list, in no particular order.
    pub update: for<'a> fn(&'a DerivedContext<'a>, &'a [RowChange]) -> DerivedUpdate<'a>,
}

inventory::collect!(DerivedTable);

/// Whether any derived table follows this table.
pub(crate) fn follows(table: &str) -> bool {
    inventory::iter::<DerivedTable>().any(|derived| derived.source == table)
}

/// Brings every derived table that follows `table` up to date.
pub(crate) async fn update(
    transaction: &DatabaseTransaction,
    table: &str,
    changes: &[RowChange],
) -> crate::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let context = DerivedContext::new(transaction);
    for derived in inventory::iter::<DerivedTable>().filter(|derived| derived.source == table) {
        (derived.update)(&context, changes).await?;
    }
    Ok(())
}
