//! A program of its own writes to a device's database file, while the device's space is open and while it is closed.
//! What it writes is captured and arrives at the peer, whole.

use std::{path::Path, process::Stdio};

use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Device, Transport, event},
    digest::{number, texts},
    network::{converge, heal, hidden, pair},
    rows::{assign, hex, label, memo, new_id, project, task},
};
use tokio::process::Command;

/// Runs the statements in a process of their own, each committed by itself.
async fn raw_sql(file: &Path, statements: &[String]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raw-sql"));
    command.arg(file).args(statements).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{statements:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Rows for it to work on.
async fn rows(a: &Device) -> uuid::Uuid {
    let (plan, tag) = (project(a.space(), "plan").await, label(a.space(), "tag").await);
    label(a.space(), "kept").await;
    label(a.space(), "doomed").await;
    task(a.space(), plan.uuid, "goes with the plan").await;
    memo(a.space(), plan.uuid, "stays without the plan").await;
    assign(a.space(), tag.uuid, plan.uuid, 1).await;
    plan.uuid
}

/// An insert, an update, a delete, a REPLACE over a unique value, and a delete that cascades.
fn statements(plan: uuid::Uuid) -> Vec<String> {
    let (fresh, other, chore) = (hex(new_id()), hex(new_id()), hex(new_id()));
    vec![
        format!("INSERT INTO label (uuid, name, uses) VALUES ({fresh}, 'fresh', 1)"),
        "UPDATE label SET colour = 'red', uses = uses + 4 WHERE name IN ('kept', 'fresh')".to_owned(),
        "DELETE FROM label WHERE name = 'doomed'".to_owned(),
        format!("REPLACE INTO label (uuid, name, colour, uses) VALUES ({other}, 'kept', 'replaced', 9)"),
        format!(
            "BEGIN; INSERT INTO project (uuid, title) VALUES ({fresh}, 'from outside');
             INSERT INTO task (uuid, project_id, title, done)
             SELECT {chore}, id, 'from outside', 0 FROM project WHERE uuid = {fresh}; COMMIT"
        ),
        format!("DELETE FROM project WHERE uuid = {}", hex(plan)),
    ]
}

/// The peer shows what the program wrote, and nothing else.
async fn arrived(a: &Device, b: &Device) {
    converge(&[a, b]).await;
    let labels = "SELECT name || ' ' || coalesce(colour, '-') || ' ' || uses FROM label ORDER BY name";
    assert_eq!(texts(b.space(), labels).await, ["fresh red 5", "kept replaced 9", "tag - 0"]);
    assert_eq!(texts(b.space(), "SELECT title FROM project").await, ["from outside"]);
    assert_eq!(texts(b.space(), "SELECT title FROM task").await, ["from outside"]);
    assert_eq!(
        texts(b.space(), "SELECT text FROM memo WHERE project_id IS NULL").await,
        ["stays without the plan"]
    );
    assert_eq!(number(b.space(), "SELECT count(*) FROM assignment").await, 0);
    assert_eq!(hidden(b).await, [""; 0]);
    for device in [a, b] {
        assert_eq!(texts(device.space(), "PRAGMA integrity_check").await, ["ok"]);
        assert_eq!(number(device.space(), "SELECT count(*) FROM _sync_pending").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_is_captured_while_the_space_is_open() {
    let (a, b) = pair(Transport::WebSocket).await;
    let plan = rows(&a).await;
    converge(&[&a, &b]).await;
    for statement in statements(plan) {
        let mut events = b.events();
        raw_sql(&a.path(), &[statement]).await;
        // Nobody calls anything on A: it notices by itself.
        event(&mut events, "what the program wrote arrives", |event| {
            matches!(event, SyncEvent::Applied { .. }).then_some(())
        })
        .await;
    }
    arrived(&a, &b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_is_captured_while_the_space_is_closed() {
    let (a, b) = pair(Transport::WebSocket).await;
    let plan = rows(&a).await;
    converge(&[&a, &b]).await;
    let statements = statements(plan);
    let a = a.restart_after(|path| async move { raw_sql(&path, &statements).await }).await;
    heal(&[&a, &b]).await;
    arrived(&a, &b).await;
}

/// A process that writes at the same time as the space, to the same rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_and_the_space_write_at_the_same_time() {
    let (a, b) = pair(Transport::WebSocket).await;
    label(a.space(), "both").await;
    converge(&[&a, &b]).await;
    let theirs: Vec<String> = (0..40)
        .map(|n| {
            let id = hex(new_id());
            format!(
                "UPDATE label SET uses = uses + 1 WHERE name = 'both';
                 INSERT INTO label (uuid, name, uses) VALUES ({id}, 'theirs {n}', 0)"
            )
        })
        .collect();
    let path = a.path();
    let ours = async {
        for n in 0..40 {
            sync_tests::rows::run(a.space(), "UPDATE label SET uses = uses + 1 WHERE name = 'both'").await;
            label(a.space(), &format!("ours {n}")).await;
        }
    };
    futures_util::future::join(raw_sql(&path, &theirs), ours).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT uses FROM label WHERE name = 'both'").await, 80);
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 81);
}
