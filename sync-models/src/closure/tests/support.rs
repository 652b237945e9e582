//! A database with the library's tables, seeded randomness, and the call of a hook.

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement, TransactionTrait, Value,
};
use sea_orm_migration::MigratorTrait;
use sync_runtime::{
    __private::v1::inventory,
    derived::{DerivedContext, DerivedTable, RowChange, RowChangeKind},
};

/// A fresh database in memory; without foreign keys, so that the states which only pass by can be made.
pub(super) async fn library() -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    crate::Migrator::up(&database, None).await?;
    database.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
    Ok(database)
}

/// Tells the hook of `table` that these rows changed.
pub(super) async fn tell(
    database: &DatabaseConnection,
    table: &str,
    changes: &[(i64, RowChangeKind)],
) -> Result<(), DbErr> {
    let changes: Vec<RowChange> = changes.iter().map(|&(key, kind)| RowChange { key, kind }).collect();
    let transaction = database.begin().await?;
    let mut called = 0;
    for derived in inventory::iter::<DerivedTable>().filter(|derived| derived.table == table) {
        (derived.update)(&DerivedContext::new(&transaction), &changes).await?;
        called += 1;
    }
    assert_eq!(called, 1, "one hook keeps {table}");
    transaction.commit().await
}

/// The integers of each row of a query.
pub(super) async fn rows(database: &DatabaseConnection, sql: &str) -> Result<Vec<Vec<i64>>, DbErr> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let mut all = Vec::new();
    for row in database.query_all_raw(statement).await? {
        let width = row.column_names().len();
        all.push((0..width).map(|index| row.try_get_by_index(index)).collect::<Result<_, _>>()?);
    }
    Ok(all)
}

pub(super) async fn run(
    database: &DatabaseConnection,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(database.get_database_backend(), sql, values);
    Ok(database.execute_raw(statement).await?.rows_affected())
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of `choices`, if there is any.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let count = u64::try_from(choices.len()).ok().filter(|count| *count > 0)?;
        choices.get(usize::try_from(self.below(count)).ok()?).copied()
    }
}
