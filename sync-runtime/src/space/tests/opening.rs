//! Create, open, join, migrate, close.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, Statement, TransactionSession,
    TransactionTrait,
};

use super::support::{Place, TABLE, draft, note, with_notes};
use crate::{Error, ErrorKind, Space, SyncEvent};

#[tokio::test]
async fn space_is_created_written_closed_and_opened_again() {
    let place = Place::new();
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    draft("milk").insert(&space).await.unwrap();
    let tx = space.begin().await.unwrap();
    draft("bread").insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    let status = space.status();
    assert_eq!(
        status.models.iter().map(sync_core::changeset::Name::as_str).collect::<Vec<_>>(),
        ["space_test_note"]
    );
    assert_eq!((status.space, status.origin.device), (space.id(), space.device_id()));
    assert!(status.addresses.is_empty() && status.peers.is_empty());
    space.caught_up_with(&space.vector().await.unwrap()).await.unwrap();
    let other = space.clone();
    let mut events = space.events();
    space.close().await.unwrap();
    let refused = draft("late").insert(&other).await.unwrap_err();
    assert_eq!(Error::within(&refused).map(Error::kind), Some(ErrorKind::Closed));
    let (id, device) = (other.id(), other.device_id());
    while let Some(event) = events.next().await {
        assert!(!matches!(event, SyncEvent::Trouble { .. }), "{event:?}");
    }
    drop(other);

    let space = with_notes(Space::open(place.database())).open().await.unwrap();
    assert_eq!((space.id(), space.device_id()), (id, device));
    assert_eq!(space.status().origin, status.origin, "the same incarnation goes on");
    assert_eq!(note::Entity::find().count(&space).await.unwrap(), 2);
}

#[tokio::test]
async fn wrong_ways_to_open_say_what_to_do() {
    let place = Place::new();
    let error = with_notes(Space::open(place.database())).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database, "no file: {error}");
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    let invite = space.invite().unwrap();
    space.close().await.unwrap();
    let error = with_notes(Space::create(place.database())).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("Space::open"), "{error}");

    let elsewhere = Place::new();
    drop(with_notes(Space::create(elsewhere.database())).open().await.unwrap());
    let error = with_notes(Space::join(elsewhere.database(), invite)).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");

    let plain = Place::new();
    std::fs::write(plain.database(), b"").unwrap();
    let error = with_notes(Space::open(plain.database())).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    let error =
        with_notes(Space::create(plain.database())).transport("nonsense://x").open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("nonsense"), "{error}");
}

#[tokio::test]
async fn joining_twice_is_opening() {
    let (first, second) = (Place::new(), Place::new());
    let laptop = with_notes(Space::create(first.database())).open().await.unwrap();
    let invite: crate::Invite = laptop.invite().unwrap().to_string().parse().unwrap();
    let phone = with_notes(Space::join(second.database(), invite.clone())).open().await.unwrap();
    assert_eq!(phone.id(), laptop.id());
    assert_ne!(phone.device_id(), laptop.device_id());
    let device = phone.device_id();
    phone.close().await.unwrap();
    let phone = with_notes(Space::join(second.database(), invite.clone())).open().await.unwrap();
    assert_eq!(phone.device_id(), device);
    assert_eq!(phone.invite().unwrap(), invite);
}

#[tokio::test]
async fn missing_table_is_a_catalog_error_and_leaves_nothing() {
    let place = Place::new();
    let models = crate::registration_of::<note::Entity>();
    let error = Space::create(place.database()).models(models).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Catalog);
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    draft("a").insert(&space).await.unwrap();
}

#[tokio::test]
async fn later_layout_is_left_alone() {
    let place = Place::new();
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    space.execute_unprepared("UPDATE _sync_meta SET value = 99 WHERE key = 'layout'").await.unwrap();
    space.close().await.unwrap();
    let error = with_notes(Space::open(place.database())).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains("99"), "{error}");
}

async fn triggers(space: &Space) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name";
    let rows = space.query_all_raw(Statement::from_string(space.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn migrations_run_without_triggers_and_get_them_back() {
    let place = Place::new();
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    draft("kept").insert(&space).await.unwrap();
    let before = triggers(&space).await;
    assert!(!before.is_empty());
    space.close().await.unwrap();

    let rebuild = "CREATE TABLE fresh (
            id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE, title TEXT NOT NULL DEFAULT '');
        INSERT INTO fresh (id, uuid, title) SELECT id, uuid, title FROM space_test_note;
        DROP TABLE space_test_note;
        ALTER TABLE fresh RENAME TO space_test_note";
    let space = with_notes(Space::open(place.database()))
        .migrate_with(move |tx| Box::pin(async move { tx.execute_unprepared(rebuild).await.map(drop) }))
        .open()
        .await
        .unwrap();
    assert_eq!(note::Entity::find().one(&space).await.unwrap().unwrap().title, "kept");
    assert_eq!(triggers(&space).await, before);
    space.close().await.unwrap();

    let failing = with_notes(Space::open(place.database())).migrate_with(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("DROP TABLE space_test_note").await?;
            Err(DbErr::Migration("no".to_owned()))
        })
    });
    assert_eq!(failing.open().await.unwrap_err().kind(), ErrorKind::Database);
    let space = with_notes(Space::open(place.database())).open().await.unwrap();
    assert_eq!(triggers(&space).await, before, "a migration that fails changes nothing");
    assert_eq!(note::Entity::find().count(&space).await.unwrap(), 1);
    assert!(TABLE.contains("IF NOT EXISTS"));
}

#[tokio::test]
async fn waiting_ends_when_the_space_closes() {
    use sync_core::{
        ids::{DeviceId, Incarnation, Origin, Seq},
        vector::VersionVector,
    };
    let place = Place::new();
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    let mut never = VersionVector::new();
    let stranger = Origin { device: DeviceId::from_bytes([9; 16]), incarnation: Incarnation(1) };
    never.insert_one(stranger, Seq(1));
    let waiting = space.clone();
    let (outcome, closed) = tokio::join!(async move { waiting.caught_up_with(&never).await }, space.close());
    closed.unwrap();
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Closed);
}

/// Files of this process that are open below a folder.
#[cfg(target_os = "linux")]
fn open_files(folder: &std::path::Path) -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = links.filter_map(|link| std::fs::read_link(link.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(folder)).count()
}

/// Engine and database held each other, and every space that was only dropped kept its connections for ever.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropped_space_lets_go_of_everything() {
    let place = Place::new();
    let space = with_notes(Space::create(place.database())).open().await.unwrap();
    draft("milk").insert(&space).await.unwrap();
    let other = space.clone();
    let folder = place.database().parent().unwrap().to_owned();
    drop(space);
    assert!(open_files(&folder) > 0);
    draft("bread").insert(&other).await.unwrap();
    drop(other);
    for _ in 0..1_000 {
        if open_files(&folder) == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{} files are still open", open_files(&folder));
}
