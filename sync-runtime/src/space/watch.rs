//! The small tasks of an open space: writes of other programs are taken up, and the counter in the device folder
//! follows the log.

use std::{sync::Arc, time::Duration};

use sqlx::SqliteConnection;
use sync_core::ids::Seq;
use sync_plugin::{Context, TaskHandle};

use super::folder::DeviceFolder;
use crate::{Result, connection::Database, engine::Engine, event::EventSender, event::SyncEvent};

/// How often the database is asked whether another connection wrote; the question costs about 12 µs.
const LOOK: Duration = Duration::from_millis(200);

/// How often the counter is written at most.
const COUNT: Duration = Duration::from_secs(1);

/// Watches for writes of other programs.
pub(super) async fn foreign_writes(
    database: &Database,
    engine: Arc<Engine>,
    context: &Context,
    events: EventSender,
) -> Result<TaskHandle> {
    let mut watcher = database.watcher().await?;
    let mut seen = data_version(&mut watcher).await?;
    let clock = context.clone();
    Ok(context.spawn("watch for writes of other programs", async move {
        loop {
            clock.sleep(LOOK).await;
            let outcome = match data_version(&mut watcher).await {
                Ok(version) if version == seen => continue,
                Ok(version) => engine.foreign_writes().await.map(|()| seen = version),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                let detail = error.to_string();
                events.send(SyncEvent::Trouble {
                    operation: "take up writes of other programs",
                    detail,
                    retried: true,
                });
            }
        }
    }))
}

async fn data_version(connection: &mut SqliteConnection) -> Result<i64> {
    let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await;
    version.map_err(|error| {
        crate::Error::from(sea_orm::DbErr::Query(sea_orm::RuntimeErr::SqlxError(Arc::new(error))))
    })
}

/// Lets the counter follow the log.
pub(super) fn counter(
    folder: DeviceFolder,
    engine: Arc<Engine>,
    context: &Context,
    events: EventSender,
) -> TaskHandle {
    let clock = context.clone();
    context.spawn("count in the device folder", async move {
        let mut vector = engine.vector();
        let mut counted = (engine.origin(), Seq::ZERO);
        loop {
            let origin = engine.origin();
            let head = vector.borrow_and_update().head(&origin);
            if (origin, head) != counted && head > Seq::ZERO {
                match folder.write_counter(origin.incarnation, head) {
                    Ok(()) => counted = (origin, head),
                    Err(error) => {
                        let detail = error.to_string();
                        events.send(SyncEvent::Trouble { operation: "count", detail, retried: true });
                    }
                }
                clock.sleep(COUNT).await;
            }
            if vector.changed().await.is_err() {
                return;
            }
        }
    })
}
