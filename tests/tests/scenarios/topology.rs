//! Who meets whom: relays, rings, restarts, absence, size, and quiet.

use std::{sync::Arc, time::Duration};

use sea_orm::{ActiveModelTrait, TransactionSession, TransactionTrait};
use sync_tests::{
    device::{Device, Models, PATIENCE, Transport, hurried},
    digest::{number, texts},
    network::{converge, cut, heal, pair},
    proxy::Proxy,
    rows::{label, later, memo, project, reading, rename, run, task},
};

over_both_transports!(
    changes_relay_through_the_middle,
    devices_that_are_never_online_together_converge,
    three_devices_in_a_ring_converge,
    star_of_five_converges,
    restart_goes_on_where_it_was,
    reconnect_brings_the_difference_only_once,
    bulk_of_twenty_thousand_rows_arrives,
    a_transaction_becomes_visible_as_one,
    closed_space_answers_closed,
    many_writers_on_one_device,
    join_code_connects_by_itself,
);

async fn changes_relay_through_the_middle(transport: Transport) {
    let a = Device::first("a", transport, Models::Own).await;
    let (b, c) = (Device::join("b", &a).await, Device::join("c", &a).await);
    heal(&[&a, &b, &c]).await;
    label(a.space(), "from a").await;
    reading(a.uuid(), "of a", 1).insert(a.space()).await.unwrap();
    let plan = project(c.space(), "from c").await;
    task(c.space(), plan.uuid, "from c").await;
    reading(c.uuid(), "of c", 1).insert(c.space()).await.unwrap();
    converge(&[&a, &b, &c]).await;
    assert!(!a.peers().contains(&c.device_id()), "they never meet");
    run(c.space(), "UPDATE label SET colour = 'by c'; DELETE FROM task").await;
    run(a.space(), "UPDATE reading SET value = 2 WHERE place = 'of a'").await;
    converge(&[&a, &b, &c]).await;
    assert_eq!(texts(a.space(), "SELECT name || colour FROM label").await, ["from aby c"]);
    assert_eq!(texts(c.space(), "SELECT place || value FROM reading ORDER BY 1").await, ["of a2", "of c1"]);
}

/// The middle one alone knows both, one after the other.
async fn devices_that_are_never_online_together_converge(transport: Transport) {
    let a = Device::first("a", transport, Models::Own).await;
    let (b, c) = (Device::join("b", &a).await, Device::join("c", &a).await);
    let tag = label(a.space(), "one").await;
    for round in 0..3 {
        for (far, other) in [(&a, &c), (&c, &a)] {
            heal(&[far, &b]).await;
            converge(&[far, &b]).await;
            rename(far.space(), tag.uuid, &format!("{}{round}", far.name())).await;
            run(far.space(), "UPDATE label SET uses = uses + 1").await;
            converge(&[far, &b]).await;
            cut(&[far, &b]).await;
            heal(&[other, &b]).await;
            converge(&[other, &b]).await;
            cut(&[other, &b]).await;
        }
    }
    heal(&[&a, &b, &c]).await;
    converge(&[&a, &b, &c]).await;
    assert_eq!(texts(b.space(), "SELECT name || uses FROM label").await, ["c26"]);
}

async fn three_devices_in_a_ring_converge(transport: Transport) {
    let a = Device::first("a", transport, Models::Own).await;
    let (b, c) = (Device::join("b", &a).await, Device::join("c", &a).await);
    heal(&[&a, &b, &c]).await;
    a.dial(&c);
    for round in 0..5 {
        for device in [&a, &b, &c] {
            label(device.space(), &format!("{}{round}", device.name())).await;
            run(device.space(), "UPDATE label SET uses = uses + 1, colour = 'round'").await;
        }
    }
    converge(&[&a, &b, &c]).await;
    for device in [&a, &b, &c] {
        assert_eq!(number(device.space(), "SELECT count(*) FROM label").await, 15);
    }
    // One edge breaks; what it carried goes the other way around.
    b.disconnect_all();
    heal(&[&b, &c]).await;
    label(b.space(), "after").await;
    converge(&[&a, &b, &c]).await;
}

async fn star_of_five_converges(transport: Transport) {
    let hub = Device::first("hub", transport, Models::Own).await;
    let mut others = Vec::new();
    for name in ["one", "two", "three", "four"] {
        others.push(Device::join(name, &hub).await);
    }
    for device in &others {
        let plan = project(device.space(), device.name()).await;
        memo(device.space(), plan.uuid, device.name()).await;
        label(device.space(), "same").await;
        later().await;
    }
    for device in &others {
        device.dial(&hub);
    }
    let all: Vec<&Device> = std::iter::once(&hub).chain(&others).collect();
    converge(&all).await;
    assert_eq!(number(hub.space(), "SELECT count(*) FROM project").await, 4);
    assert_eq!(number(hub.space(), "SELECT count(*) FROM label").await, 1);
    assert_eq!(hub.hidden().await.unwrap().len(), 3);
}

async fn restart_goes_on_where_it_was(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "x").await;
    reading(b.uuid(), "b", 1).insert(b.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let (device, held) = (a.device_id(), a.vector().await.unwrap());
    let origin = a.status().origin;
    let a = a.restart().await;
    assert_eq!((a.device_id(), a.status().origin), (device, origin));
    assert_eq!(a.vector().await.unwrap(), held);
    rename(a.space(), tag.uuid, "y").await;
    let b = b.restart().await;
    run(b.space(), "UPDATE reading SET value = 2").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM label").await, ["y"]);
    assert_eq!(texts(a.space(), "SELECT place || value FROM reading").await, ["b2"]);
}

/// Lessons 5 and 12: old stamps skipped for ever; the whole snapshot sent again at each restart.
async fn reconnect_brings_the_difference_only_once(transport: Transport) {
    let (a, b) = pair(transport).await;
    for n in 0..200 {
        label(a.space(), &format!("n{n}")).await;
    }
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    // Written while away, so older than what B does next.
    label(a.space(), "offline").await;
    later().await;
    label(b.space(), "newer").await;
    let mut applied = b.events();
    let (a, mut total) = (a.restart().await, 0);
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    while let Some(event) = applied.try_next() {
        if let sync_runtime::SyncEvent::Applied { records, .. } = event {
            total += records.len();
        }
    }
    assert_eq!(total, 1, "only the one that B lacked");
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 202);
}

async fn bulk_of_twenty_thousand_rows_arrives(transport: Transport) {
    let (a, b) = pair(transport).await;
    let count = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000)";
    run(
        a.space(),
        format!("INSERT INTO sketch (uuid, title, body) SELECT randomblob(16), 't' || n, 'body ' || n FROM ({count} SELECT n FROM c)"),
    )
    .await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM sketch").await, 20_000);
    run(b.space(), "UPDATE sketch SET body = 'edited' WHERE id % 10 = 0").await;
    run(b.space(), "DELETE FROM sketch WHERE id % 10 = 1").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM sketch WHERE body = 'edited'").await, 2_000);
    assert_eq!(number(a.space(), "SELECT count(*) FROM sketch").await, 18_000);
}

async fn a_transaction_becomes_visible_as_one(transport: Transport) {
    let (a, b) = pair(transport).await;
    let b = Arc::new(b);
    let watcher = Arc::clone(&b);
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stop = Arc::clone(&done);
    let mut reader = tokio::task::JoinSet::new();
    reader.spawn(async move {
        let (mut looks, mut seen) = (0, std::collections::BTreeSet::new());
        while !stop.load(std::sync::atomic::Ordering::SeqCst) {
            let found = texts(
                watcher.space(),
                "SELECT (SELECT count(*) FROM label) || ' ' || (SELECT count(*) FROM task) || ' ' ||
                 (SELECT count(DISTINCT title) FROM project) || ' ' || (SELECT count(*) FROM reading)",
            )
            .await;
            let counts: Vec<i64> = found[0].split(' ').map(|n| n.parse().unwrap()).collect();
            assert!(
                counts[0] % 25 == 0 && counts[1] % 25 == 0 && counts[3] % 25 == 0,
                "half a transaction: {counts:?}"
            );
            assert!(counts[0] == counts[1] && counts[0] == counts[3], "half a transaction: {counts:?}");
            assert!(counts[2] <= 1, "half an update: {counts:?}");
            seen.insert(counts[0]);
            looks += 1;
        }
        (looks, seen)
    });
    let plan = project(a.space(), "plan").await;
    project(a.space(), "plan").await;
    for round in 0..20 {
        let tx = a.begin().await.unwrap();
        for n in 0..25 {
            label(&tx, &format!("{round} {n}")).await;
            task(&tx, plan.uuid, "t").await;
            reading(a.uuid(), "p", n).insert(&tx).await.unwrap();
        }
        run(&tx, format!("UPDATE project SET title = '{round}'")).await;
        tx.commit().await.unwrap();
    }
    converge(&[&a, &b]).await;
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    let (looks, seen) = reader.join_next().await.unwrap().unwrap();
    assert!(looks > 0 && !seen.is_empty());
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 500);
}

async fn closed_space_answers_closed(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    let handle = a.space().clone();
    let a = a.restart().await;
    let refused = sync_tests::rows::try_label(&handle, "late").await.unwrap_err();
    assert_eq!(
        sync_runtime::Error::within(&refused).map(sync_runtime::Error::kind),
        Some(sync_runtime::ErrorKind::Closed)
    );
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
}

async fn many_writers_on_one_device(transport: Transport) {
    let (a, b) = pair(transport).await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let space = a.space().clone();
        let other = b.space().clone();
        tasks.spawn(async move {
            for n in 0..15 {
                label(&space, &format!("a{writer} {n}")).await;
                label(&other, &format!("b{writer} {n}")).await;
            }
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 240);
}

/// The code carries the address: opening is all that a newcomer does.
async fn join_code_connects_by_itself(transport: Transport) {
    let a = Device::first("a", transport, Models::Own).await;
    label(a.space(), "x").await;
    let folder = tempfile::tempdir().unwrap();
    let code: sync_runtime::Invite = a.invite().unwrap().to_string().parse().unwrap();
    let builder = sync_runtime::Space::join(folder.path().join("b.db"), code);
    let b = Models::Own.on(builder).open().await.unwrap();
    tokio::time::timeout(PATIENCE, b.caught_up_with(&a.vector().await.unwrap())).await.unwrap().unwrap();
    assert_eq!(b.digest().await.unwrap(), a.digest().await.unwrap());
    b.close().await.unwrap();
}

/// Lesson 12: busy loops after each broadcast, idle peers that pull every five seconds. Here time runs
/// sixty times as fast, so that seconds of the test are minutes of the devices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_devices_send_heartbeats_only() {
    const MINUTES: u64 = 5;
    let a = Device::first_with("a", Transport::WebSocket, Models::Own, |b| b.context(hurried(60))).await;
    let b = Device::join_with("b", &a, |b| b.context(hurried(60))).await;
    let proxy = Proxy::to(&a.addresses()[0].expose()).await;
    b.connect(proxy.url()).unwrap();
    for n in 0..50 {
        label(a.space(), &format!("n{n}")).await;
    }
    converge(&[&a, &b]).await;
    // Acknowledgements of the last change are on their way.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = proxy.bytes();
    tokio::time::sleep(Duration::from_secs(MINUTES)).await;
    let idle = proxy.bytes() - before;
    assert!(idle > 0, "heartbeats do go");
    assert!(idle <= 2 * 1024 * MINUTES, "{idle} bytes in {MINUTES} minutes");
    assert_eq!(a.peers().len(), 1, "and keep the session");
}
