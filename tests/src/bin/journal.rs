//! A device that writes without end, to be killed: `journal DATABASE JOIN-CODE RUN`. Each line on its standard output
//! is a write whose commit it has seen; see `sync_tests::journal`. It dials the addresses of the join code.

use std::{error::Error, io::Write as _};

use sea_orm::{ActiveModelTrait, TransactionSession, TransactionTrait};
use sync_runtime::Space;
use sync_tests::{
    device::Models,
    journal::Entry,
    rows::{label, reading, run},
};
use uuid::Uuid;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("journal DATABASE JOIN-CODE RUN");
    let (database, code, name) = (next()?, next()?, next()?);
    let builder = Space::join(database, code.parse()?).transport("ws://127.0.0.1:0");
    let space = Models::Own.on(builder).open().await?;
    for n in 0_i64.. {
        write(&space, &name, n).await?;
    }
    Ok(())
}

/// One round: a shared row, a row of this device, a transaction over both, a delete.
async fn write(space: &Space, name: &str, n: i64) -> Outcome {
    let owner = Uuid::from_bytes(*space.device_id().as_bytes());
    let (shared, mine) = (format!("{name}-{n}"), format!("{name}-{n}-owned"));
    label(space, &shared).await;
    acknowledge(&Entry::Label(shared.clone(), 0))?;
    reading(owner, &mine, 0).insert(space).await?;
    acknowledge(&Entry::Reading(mine.clone(), 0))?;
    let tx = space.begin().await?;
    run(&tx, format!("UPDATE label SET uses = uses + 7 WHERE name = '{shared}'")).await;
    run(&tx, format!("UPDATE reading SET value = 7 WHERE place = '{mine}'")).await;
    tx.commit().await?;
    acknowledge(&Entry::Label(shared.clone(), 7))?;
    acknowledge(&Entry::Reading(mine, 7))?;
    if n % 3 == 0 {
        acknowledge(&Entry::Doomed(shared.clone()))?;
        run(space, format!("DELETE FROM label WHERE name = '{shared}'")).await;
        acknowledge(&Entry::Gone(shared))?;
    }
    Ok(())
}

/// Says that a write is committed (or, of a delete, that it begins). A killed process leaves at most a line that is cut off.
fn acknowledge(entry: &Entry) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{entry}")?;
    out.flush()
}
