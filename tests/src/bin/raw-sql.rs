//! Another program that works on a database file: `raw-sql FILE STATEMENTS…`. It knows SQLite and nothing of the
//! framework; each argument is run as it is, on one connection with SQLite's and sqlx's usual settings.

use std::{process::ExitCode, time::Duration};

use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

/// How long it waits for a writer.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("raw-sql FILE STATEMENTS…");
        return ExitCode::from(2);
    };
    match run(&file, arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(file: &str, statements: impl Iterator<Item = String>) -> sqlx::Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE);
    let mut connection = options.connect().await?;
    for statement in statements {
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await?;
    }
    connection.close().await
}
