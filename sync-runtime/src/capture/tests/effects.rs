//! Captured from anywhere, and unseen by whoever writes.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use sea_orm::{ColumnType, ConnectionTrait, Statement, TransactionTrait};
use sqlx::{Connection, Executor, Row};

use super::support::{Captured, notes, texts};
use crate::{
    capture::install::install,
    catalog::tests::support::{TestDatabase, keyed, leak, shared},
};

#[tokio::test]
async fn another_program_is_captured() {
    let captured = Captured::new().await;
    let path = captured.database.folder.path().join("app.db");
    let mut raw =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("connect");
    raw.execute("INSERT INTO tag (uuid, name) VALUES (x'A1', 'raw'); UPDATE tag SET name = 'RAW'")
        .await
        .expect("write");
    raw.execute("REPLACE INTO tag (uuid, name) VALUES (x'A1', 'again')").await.expect("replace");
    raw.close().await.expect("close");
    let other = captured.database.other().await;
    other.execute_unprepared("DELETE FROM tag").await.expect("delete");
    assert_eq!(
        notes(&captured.database.db).await,
        [
            "tag insert 1",
            "tag update 1 was X'A1' bits 1",
            "tag replaced 1 was X'A1'",
            "tag insert 2",
            "tag delete 2 was X'A1'",
        ]
    );
}

#[tokio::test]
async fn what_rolls_back_leaves_no_note() {
    let captured = Captured::new().await;
    let transaction = captured.database.db.begin().await.expect("begin");
    transaction
        .execute_unprepared("INSERT INTO tag (uuid, name) VALUES (x'A1', 'gone')")
        .await
        .expect("insert");
    transaction.execute_unprepared("SAVEPOINT s").await.expect("savepoint");
    transaction.rollback().await.expect("rollback");
    assert!(notes(&captured.database.db).await.is_empty());
}

#[tokio::test]
async fn changes_and_last_rowid_are_the_statements_own() {
    let captured = Captured::new().await;
    let path = captured.database.folder.path().join("app.db");
    let mut raw =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("connect");
    for (sql, changes, rowid) in [
        ("INSERT INTO tag (id, uuid, name) VALUES (40, x'A1', 'a'), (41, x'A2', 'b')", 2, 41),
        ("UPDATE tag SET name = name || '!'", 2, 41),
        ("REPLACE INTO tag (id, uuid, name) VALUES (50, x'A1', 'b!')", 1, 50),
        ("INSERT INTO item (uuid, title) VALUES (x'B1', 'c')", 1, 1),
        ("UPDATE item SET uses = 4, uuid = x'B2'", 1, 1),
        ("DELETE FROM tag", 1, 1),
    ] {
        let done = raw.execute(sql).await.expect(sql);
        assert_eq!((done.rows_affected(), done.last_insert_rowid()), (changes, rowid), "{sql}");
        let row = raw.fetch_one("SELECT changes(), last_insert_rowid()").await.expect("read");
        assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (changes.cast_signed(), rowid), "{sql}");
    }
    let returned = captured
        .database
        .db
        .query_all_raw(Statement::from_string(
            captured.database.db.get_database_backend(),
            "REPLACE INTO item (uuid, title) VALUES (x'B2', 'd'), (x'B3', 'e') RETURNING title",
        ))
        .await
        .expect("returning");
    let titles: Vec<String> = returned.iter().map(|row| row.try_get_by_index(0).expect("title")).collect();
    assert_eq!(titles, ["d", "e"]);
}

#[tokio::test]
async fn an_applications_own_trigger_is_captured() {
    let captured = Captured::new().await;
    captured
        .run("CREATE TRIGGER touch AFTER UPDATE OF name ON tag BEGIN UPDATE tag SET free = 1 WHERE id = NEW.id; END")
        .await;
    captured.run("INSERT INTO tag (uuid, name) VALUES (x'A1', 'a')").await;
    captured.run("UPDATE tag SET name = 'b'").await;
    let mut found = notes(&captured.database.db).await;
    // Which of two triggers runs first is SQLite's choice.
    found.sort();
    assert_eq!(found, ["tag insert 1", "tag update 1 was X'A1' bits 1", "tag update 1 was X'A1' bits 4"]);
    assert_eq!(texts(&captured.database.db, "SELECT name || free FROM tag").await, ["b1"]);
}

#[tokio::test]
async fn a_unique_generated_column_tells_who_is_replaced() {
    let database = TestDatabase::with(
        "CREATE TABLE spot (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, x INTEGER, y INTEGER,
             place TEXT AS (x || ',' || y) STORED UNIQUE) STRICT",
    )
    .await;
    let spot = leak(shared(|| {
        keyed("spot").nullable("x", ColumnType::Integer).nullable("y", ColumnType::Integer).done()
    }));
    let catalog = database.freeze(&[spot]).await.expect("freeze");
    install(&database.db, &catalog).await.expect("install");
    database.run("INSERT INTO spot (uuid, x, y) VALUES (x'A1', 1, 2), (x'A2', 3, 4)").await;
    database.run("DELETE FROM _sync_pending").await;
    database.run("REPLACE INTO spot (uuid, x, y) VALUES (x'A3', 1, 2)").await;
    database.run("UPDATE OR REPLACE spot SET x = 1, y = 2 WHERE uuid = x'A2'").await;
    assert_eq!(
        notes(&database.db).await,
        [
            "spot replaced 1 was X'A1'",
            "spot insert 3",
            "spot replaced 3 was X'A3'",
            "spot update 2 was X'A2' bits 3",
        ]
    );
    assert_eq!(
        texts(&database.db, "SELECT k0 || quote(uuid) || x || y FROM _sync_i_spot ORDER BY k0").await,
        ["1X'A1'12", "3X'A3'12"]
    );
}
