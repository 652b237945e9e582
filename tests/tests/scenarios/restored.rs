//! Old copies of a device: what was lost comes back, and no number is given twice.

use std::{fs, path::Path};

use sync_core::changeset::Header;
use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Device, Transport, event},
    digest::{number, texts},
    network::{converge, heal, pair},
    rows::{label, run},
};

over_both_transports!(restored_device_gets_back_what_it_lost, restored_twice_from_the_same_copy);

/// Database and device folder as they are now; the device is closed.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            assert!(fs::copy(&path, &target).is_ok());
        }
    }
}

/// Closes a device, puts an old copy in its place, and opens it again.
async fn restore(device: Device, copied: &Path) -> Device {
    let copied = copied.to_owned();
    let swap = |database: std::path::PathBuf| async move {
        let folder = database.parent().unwrap().to_owned();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(&path).unwrap() } else { fs::remove_file(&path).unwrap() }
        }
        copy(&copied, &folder);
    };
    device.restart_after(swap).await
}

async fn names(device: &Device) -> Vec<String> {
    texts(device.space(), "SELECT name FROM label ORDER BY name").await
}

async fn restored_device_gets_back_what_it_lost(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "kept").await;
    converge(&[&a, &b]).await;
    let backup = tempfile::tempdir().unwrap();
    let into = backup.path().to_owned();
    let a = a.restart_after(|database| async move { copy(database.parent().unwrap(), &into) }).await;
    heal(&[&a, &b]).await;
    label(a.space(), "lost").await;
    run(a.space(), "UPDATE label SET colour = 'lost' WHERE name = 'kept'").await;
    converge(&[&a, &b]).await;

    let a = restore(a, backup.path()).await;
    let before = a.status().origin;
    assert_eq!(names(&a).await, ["kept"]);
    let mut events = a.events();
    heal(&[&a, &b]).await;
    let told = event(&mut events, "that it is a copy", |event| match event {
        SyncEvent::NewIncarnation { before, now, held, known } => Some((*before, *now, held.0, known.0)),
        _ => None,
    });
    let (from, to, held, known) = told.await;
    assert_eq!((from, held, known), (before, 1, 3));
    assert_eq!(a.status().origin, to);
    converge(&[&a, &b]).await;
    assert_eq!(names(&a).await, ["kept", "lost"]);
    label(a.space(), "new").await;
    converge(&[&a, &b]).await;
    assert_eq!(names(&b).await, ["kept", "lost", "new"]);
    let vector = b.vector().await.unwrap();
    assert_eq!((vector.head(&before).0, vector.head(&to).0), (3, 1));
    // Its first changeset says what it comes after.
    let headers = texts(
        b.space(),
        "SELECT hex(header) FROM _sync_log l JOIN _sync_origin o ON o.o = l.o WHERE l.s = 1 ORDER BY l.hlc DESC LIMIT 1",
    )
    .await;
    let header = Header::decode(&bytes(&headers[0])).unwrap();
    let (predecessor, seq, _) = header.predecessor.unwrap();
    assert_eq!((predecessor, seq.0), (before, 1));
    assert_eq!(number(b.space(), "SELECT count(*) FROM _sync_refused").await, 0);
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

async fn restored_twice_from_the_same_copy(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "kept").await;
    converge(&[&a, &b]).await;
    let backup = tempfile::tempdir().unwrap();
    let into = backup.path().to_owned();
    let mut a = a.restart_after(|database| async move { copy(database.parent().unwrap(), &into) }).await;
    heal(&[&a, &b]).await;
    for round in 0..3 {
        label(a.space(), &format!("round{round}")).await;
        converge(&[&a, &b]).await;
        a = restore(a, backup.path()).await;
        let mut events = a.events();
        heal(&[&a, &b]).await;
        event(&mut events, "that it is a copy", |event| match event {
            SyncEvent::NewIncarnation { .. } => Some(()),
            _ => None,
        })
        .await;
        converge(&[&a, &b]).await;
    }
    assert_eq!(names(&a).await, ["kept", "round0", "round1", "round2"]);
}
