//! What would hang or lose data with plain SeaORM is an error of ours, and the database is usable afterwards.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use futures_util::TryStreamExt;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, StreamTrait, TransactionSession,
    TransactionTrait,
};

use super::{
    entities::note,
    statements::draft,
    support::{Fixture, kind, sql},
};
use crate::{
    ErrorKind,
    connection::{Database, OpenOptions},
};

fn kind_of<T>(outcome: Result<T, DbErr>) -> Option<ErrorKind> {
    outcome.err().as_ref().and_then(kind)
}

/// Nothing of the test stayed, and the next write works.
async fn nothing_stayed(fixture: &Fixture) {
    draft("next").insert(&fixture.db).await.unwrap();
    assert_eq!((fixture.titles().await, fixture.steps().await), (vec!["next".to_owned()], 1));
}

#[tokio::test]
async fn nested_transaction_alive_at_commit_is_an_error() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    let inner = tx.begin().await.unwrap();
    draft("b").insert(&inner).await.unwrap();
    assert_eq!(kind_of(tx.commit().await), Some(ErrorKind::Misuse));
    assert_eq!(kind_of(draft("c").insert(&inner).await), Some(ErrorKind::Misuse));
    assert_eq!(kind_of(inner.commit().await), Some(ErrorKind::Misuse));
    nothing_stayed(&fixture).await;
}

#[tokio::test]
async fn parent_dropped_or_rolled_back_before_its_child_commits_nothing() {
    for rollback in [false, true] {
        let fixture = Fixture::new().await;
        let tx = fixture.db.begin().await.unwrap();
        draft("a").insert(&tx).await.unwrap();
        let inner = tx.begin().await.unwrap();
        draft("b").insert(&inner).await.unwrap();
        if rollback {
            assert_eq!(kind_of(tx.rollback().await), Some(ErrorKind::Misuse));
        } else {
            drop(tx);
        }
        assert_eq!(kind_of(inner.commit().await), Some(ErrorKind::Misuse));
        nothing_stayed(&fixture).await;
    }
}

#[tokio::test]
async fn children_that_end_out_of_order_are_an_error() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    let middle = tx.begin().await.unwrap();
    let inner = middle.begin().await.unwrap();
    draft("a").insert(&inner).await.unwrap();
    assert_eq!(kind_of(tx.begin().await), Some(ErrorKind::Misuse), "a second child beside the first");
    assert_eq!(kind_of(middle.commit().await), Some(ErrorKind::Misuse));
    drop(inner);
    assert_eq!(kind_of(tx.commit().await), Some(ErrorKind::Misuse));
    nothing_stayed(&fixture).await;
}

#[tokio::test]
async fn child_dropped_while_a_statement_runs_does_not_panic() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    let inner = tx.begin().await.unwrap();
    let stream = tx.stream_raw(sql("SELECT title FROM note")).await.unwrap();
    drop(inner);
    drop(stream);
    assert_eq!(kind_of(tx.commit().await), Some(ErrorKind::Misuse));
    nothing_stayed(&fixture).await;
}

#[tokio::test]
async fn statement_beside_an_open_stream_of_its_transaction_is_an_error() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    let stream = tx.stream_raw(sql("SELECT title FROM note")).await.unwrap();
    assert_eq!(kind_of(draft("b").insert(&tx).await), Some(ErrorKind::Misuse));
    assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    draft("c").insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fixture.titles().await, ["a", "c"]);
}

#[tokio::test]
async fn write_on_the_space_inside_ones_own_transaction_is_an_error() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    assert_eq!(kind_of(draft("b").insert(&fixture.db).await), Some(ErrorKind::Misuse));
    assert_eq!(kind_of(fixture.db.begin().await), Some(ErrorKind::Misuse));
    assert_eq!(note::Entity::find().count(&fixture.db).await.unwrap(), 0, "reading is possible");
    tx.commit().await.unwrap();
    assert_eq!((fixture.titles().await, fixture.steps().await), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn write_waits_for_another_tasks_transaction_and_gives_up_after_a_while() {
    let turn = Duration::from_millis(400);
    let options = OpenOptions { own_transaction: Duration::from_millis(100), turn, ..OpenOptions::default() };
    let fixture = Fixture::with(options).await;
    let tx = fixture.db.begin().await.unwrap();
    let db = std::sync::Arc::new(fixture.db);
    let mut tasks = tokio::task::JoinSet::new();
    let other = std::sync::Arc::clone(&db);
    tasks.spawn(async move { kind_of(draft("b").insert(&*other).await) });
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), Some(ErrorKind::Timeout));
    let other = std::sync::Arc::clone(&db);
    tasks.spawn(async move { kind_of(draft("c").insert(&*other).await) });
    draft("a").insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), None, "it had its turn");
    assert_eq!(note::Entity::find().count(&*db).await.unwrap(), 2);
}

#[tokio::test]
async fn keywords_are_refused_on_the_space_and_in_transactions() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    for text in [
        "COMMIT",
        "-- x\n/* y */ rollback",
        "SELECT 1; COMMIT",
        "SAVEPOINT a",
        "ATTACH ':memory:' AS m",
        "VACUUM",
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM note; END",
    ] {
        for outcome in [
            kind_of(tx.execute_unprepared(text).await),
            kind_of(tx.execute_raw(sql(text)).await),
            kind_of(tx.query_one_raw(sql(text)).await),
            kind_of(tx.query_all_raw(sql(text)).await),
            kind_of(tx.stream_raw(sql(text)).await),
            kind_of(fixture.db.execute_unprepared(text).await),
            kind_of(fixture.db.execute_raw(sql(text)).await),
            kind_of(fixture.db.query_one_raw(sql(text)).await),
            kind_of(fixture.db.query_all_raw(sql(text)).await),
            kind_of(fixture.db.stream_raw(sql(text)).await),
        ] {
            assert_eq!(outcome, Some(ErrorKind::Misuse), "{text}");
        }
    }
    tx.commit().await.unwrap();
    assert_eq!((fixture.titles().await, fixture.steps().await), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn readers_cannot_write_and_settings_hold() {
    let fixture = Fixture::new().await;
    let write = "INSERT INTO note (title) VALUES ('x')";
    assert!(fixture.db.readers().execute_unprepared(write).await.is_err());
    let settings = [("foreign_keys", 1), ("synchronous", 2), ("recursive_triggers", 0)];
    let tx = fixture.db.begin().await.unwrap();
    for (name, value) in settings {
        let row = tx.query_one_raw(sql(&format!("PRAGMA {name}"))).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), value, "{name}");
    }
    let mode = tx.query_one_raw(sql("PRAGMA journal_mode")).await.unwrap().unwrap();
    assert_eq!(mode.try_get_by_index::<String>(0).unwrap(), "wal");
}

#[tokio::test]
async fn databases_without_a_file_and_closed_ones_are_refused() {
    for path in ["", ":memory:"] {
        let error = Database::open(path.as_ref(), OpenOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    let fixture = Fixture::new().await;
    let hook: std::sync::Arc<dyn crate::connection::CommitHook> = std::sync::Arc::clone(&fixture.hook) as _;
    assert_eq!(fixture.db.install(&hook).map_err(|e| e.kind()), Err(ErrorKind::Misuse));
    fixture.db.close().await;
    assert_eq!(kind_of(draft("a").insert(&fixture.db).await), Some(ErrorKind::Closed));
    assert!(note::Entity::find().count(&fixture.db).await.is_err());
}
