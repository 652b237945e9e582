//! What an audit finds after damage that nobody noticed, and what a repair makes of it.

use std::path::PathBuf;

use sync_runtime::{Finding, RepairBy};
use sync_tests::{
    device::{Device, Transport},
    digest::texts,
    network::{converge, heal, pair},
    rows::{gauge, hex, label, new_id, outside, project, run, task},
};

over_both_transports!(
    whole_database_is_clean,
    row_changed_behind_the_triggers_is_put_back,
    row_changed_behind_the_triggers_is_taken_up,
    row_deleted_behind_the_triggers_comes_back_or_goes_everywhere,
    row_inserted_behind_the_triggers_is_taken_up,
    damaged_log_is_named,
);

/// Does something to the database of a closed device while no trigger notes it.
async fn behind(device: Device, sql: &str) -> Device {
    let sql = sql.to_owned();
    device
        .restart_after(|path: PathBuf| async move {
            // The triggers go and come back as they were, so that opening finds nothing to adopt.
            let kept = triggers(&path).await;
            let drops: Vec<_> = kept.iter().map(|(name, _)| format!("DROP TRIGGER \"{name}\"")).collect();
            let back: Vec<_> = kept.iter().map(|(_, sql)| sql.as_str()).collect();
            let (drops, back) = (drops.join("; "), back.join("; "));
            outside(&path, &format!("BEGIN; {drops}; {sql}; {back}; COMMIT")).await;
        })
        .await
}

async fn triggers(path: &std::path::Path) -> Vec<(String, String)> {
    use sqlx::{ConnectOptions, Connection};
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let sql =
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '\\_sync\\_%' ESCAPE '\\'";
    let rows = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows
}

async fn furnished(transport: Transport) -> (Device, Device) {
    let (a, b) = pair(transport).await;
    label(a.space(), "x").await;
    label(b.space(), "y").await;
    run(a.space(), "UPDATE label SET uses = uses + 3").await;
    let plan = project(a.space(), "plan").await;
    converge(&[&a, &b]).await;
    task(b.space(), plan.uuid, "none").await;
    gauge(a.space(), 5, 6, 7, "[\"k\"]").await;
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE gauge SET total = total + 1, best = 9").await;
    run(b.space(), "DELETE FROM label WHERE name = 'y'").await;
    converge(&[&a, &b]).await;
    (a, b)
}

async fn whole_database_is_clean(transport: Transport) {
    let (a, b) = furnished(transport).await;
    for device in [&a, &b] {
        let audit = device.audit().await.unwrap();
        assert!(audit.is_clean(), "{}: {audit:#?}", device.name());
        assert!(audit.changesets >= 8 && audit.records >= 5, "{audit:?}");
        assert_eq!(device.repair(RepairBy::History).await.unwrap().repaired, 0);
    }
}

async fn row_changed_behind_the_triggers_is_put_back(transport: Transport) {
    let (a, b) = furnished(transport).await;
    let a = behind(a, "UPDATE label SET colour = 'wrong', uses = 77; UPDATE task SET title = 'wrong'").await;
    let columns: Vec<_> = a.audit().await.unwrap().findings.into_iter().map(columns_of).collect();
    assert_eq!(
        columns,
        [("label".to_owned(), "colour, uses".to_owned()), ("task".to_owned(), "title".to_owned())]
    );
    let repaired = a.repair(RepairBy::History).await.unwrap();
    assert_eq!((repaired.repaired, repaired.left.is_clean()), (2, true), "{repaired:?}");
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT title FROM task").await, ["none"]);
}

fn columns_of(finding: Finding) -> (String, String) {
    match finding {
        Finding::Differs { model, columns, .. } => (model.as_str().to_owned(), columns.join(", ")),
        other => panic!("{other}"),
    }
}

async fn row_changed_behind_the_triggers_is_taken_up(transport: Transport) {
    let (a, b) = furnished(transport).await;
    let a = behind(a, "UPDATE label SET colour = 'new', uses = 77; UPDATE gauge SET total = 100").await;
    let repaired = a.repair(RepairBy::Tables).await.unwrap();
    assert_eq!((repaired.repaired, repaired.left.is_clean()), (2, true), "{repaired:?}");
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT colour || uses FROM label").await, ["new77"]);
    assert_eq!(texts(b.space(), "SELECT CAST(total AS TEXT) FROM gauge").await, ["100"]);
}

async fn row_deleted_behind_the_triggers_comes_back_or_goes_everywhere(transport: Transport) {
    for (by, left) in [(RepairBy::History, 1), (RepairBy::Tables, 0)] {
        let (a, b) = furnished(transport).await;
        let b = behind(b, "DELETE FROM task").await;
        let found = b.audit().await.unwrap().findings;
        assert!(matches!(&found[..], [Finding::Missing { .. }]), "{found:?}");
        let repaired = b.repair(by).await.unwrap();
        assert!(repaired.left.is_clean(), "{repaired:?}");
        heal(&[&a, &b]).await;
        converge(&[&a, &b]).await;
        assert_eq!(texts(a.space(), "SELECT title FROM task").await.len(), left);
    }
}

async fn row_inserted_behind_the_triggers_is_taken_up(transport: Transport) {
    let (a, b) = furnished(transport).await;
    let sql = format!("INSERT INTO label (uuid, name, uses) VALUES ({}, 'late', 2)", hex(new_id()));
    let a = behind(a, &sql).await;
    let found = a.audit().await.unwrap().findings;
    assert!(matches!(&found[..], [Finding::Unnoticed { rows: 1, .. }]), "{found:?}");
    assert!(a.repair(RepairBy::History).await.unwrap().left.is_clean());
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM label ORDER BY name").await, ["late", "x"]);
}

async fn damaged_log_is_named(transport: Transport) {
    let (a, _b) = furnished(transport).await;
    let a = behind(a, "UPDATE _sync_log SET header = zeroblob(40) WHERE s = 2 AND o = 1").await;
    let found = a.audit().await.unwrap().findings;
    let named = found.iter().any(|finding| matches!(finding, Finding::Log { seq, .. } if seq.0 <= 2));
    assert!(named, "{found:?}");
}
