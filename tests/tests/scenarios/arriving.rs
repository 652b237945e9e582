//! What arriving does to the device that receives: it authors nothing, and it is announced whatever else happens.

use std::time::Duration;

use sea_orm::ActiveModelTrait;
use sync_core::ids::Seq;
use sync_tests::{
    device::{Device, PATIENCE, Transport},
    digest::{number, texts},
    network::{converge, cut, heal, hidden, linked, pair},
    rows::{assign, folder, label, later, memo, project, reading, run, task},
};

over_both_transports!(
    invariant_10_apply_authors_nothing,
    arrivals_and_commits_at_the_same_time_are_both_announced,
);

/// What a device has authored: its number, its clock's own part in the log, and what waits to be drained.
async fn authored(device: &Device) -> (Seq, Vec<String>, i64) {
    let origin = device.status().origin;
    let own = format!(
        "SELECT s || ' ' || hex(header) || ' ' || coalesce(hex(shared), '') FROM _sync_log
         JOIN _sync_origin USING (o) WHERE device = {} ORDER BY s",
        sync_tests::rows::hex(device.uuid())
    );
    let log = texts(device.space(), own).await;
    let pending = number(device.space(), "SELECT count(*) FROM _sync_pending").await;
    (device.vector().await.unwrap().head(&origin), log, pending)
}

/// Everything that follows from what arrives: cascades, nulled references, hidden rows and rows that are shown again,
/// a counter's sum, a derived id, a tree that goes with its root. The receiver recomputes it and writes it under
/// nobody's name.
async fn invariant_10_apply_authors_nothing(transport: Transport) {
    let (a, b) = pair(transport).await;
    let c = Device::join("c", &b).await;
    heal(&[&b, &c]).await;
    let (plan, tag) = (project(a.space(), "plan").await, label(b.space(), "tag").await);
    converge(&[&a, &b, &c]).await;
    cut(&[&a, &b, &c]).await;
    heal(&[&b, &c]).await;
    // On A: a project with all kinds of children goes; a value is taken; a tree is felled.
    let root = folder(a.space(), None, "root").await;
    let below = folder(a.space(), Some(root.uuid), "below").await;
    folder(a.space(), Some(below.uuid), "leaf").await;
    label(a.space(), "taken").await;
    reading(a.uuid(), "desk", 1).insert(a.space()).await.unwrap();
    run(a.space(), "UPDATE label SET uses = uses + 2").await;
    run(a.space(), "DELETE FROM folder WHERE name = 'root'; DELETE FROM project").await;
    later().await;
    // On B and C: children of that project, a leaf of that tree, the same value.
    task(b.space(), plan.uuid, "goes with it").await;
    memo(b.space(), plan.uuid, "stays without it").await;
    assign(b.space(), tag.uuid, plan.uuid, 1).await;
    label(b.space(), "taken").await;
    run(b.space(), "UPDATE label SET uses = uses + 3").await;
    converge(&[&b, &c]).await;
    let before = [authored(&a).await, authored(&b).await, authored(&c).await];
    heal(&[&a, &b]).await;
    converge(&[&a, &b, &c]).await;
    assert_eq!(hidden(&c).await.len(), 1, "the later of the two labels");
    assert_eq!(number(c.space(), "SELECT count(*) FROM task").await, 0);
    assert_eq!(number(c.space(), "SELECT count(*) FROM memo WHERE project_id IS NULL").await, 1);
    assert_eq!(texts(c.space(), "SELECT uses || '' FROM label WHERE name = 'tag'").await, ["5"]);
    // The winner of the value goes, and the loser is shown: by C's own write, which is all that C ever authors.
    run(c.space(), "DELETE FROM label WHERE name = 'taken'").await;
    converge(&[&a, &b, &c]).await;
    assert_eq!(hidden(&a).await, [""; 0]);
    let after = [authored(&a).await, authored(&b).await, authored(&c).await];
    assert_eq!((&after[0], &after[1]), (&before[0], &before[1]), "A and B only received");
    assert_eq!((after[2].0, after[2].2), (before[2].0.next(), 0));
    quiet(&[&a, &b, &c]).await;
}

/// Nothing travels any more: once the last acknowledgements are through, no link carries a byte until a heartbeat.
async fn quiet(devices: &[&Device]) {
    let bytes = || -> Vec<u64> {
        let peers = devices.iter().flat_map(|device| device.status().peers);
        peers.map(|peer| peer.bytes_in + peer.bytes_out).collect()
    };
    let settle = async {
        loop {
            let before = bytes();
            tokio::time::sleep(Duration::from_millis(300)).await;
            if bytes() == before {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, settle).await.is_ok(), "the devices never fall silent");
}

/// A commit that was announced while an arrival was looked up made the arrival's announcement be dropped.
async fn arrivals_and_commits_at_the_same_time_are_both_announced(transport: Transport) {
    let (a, b) = pair(transport).await;
    linked(&a, 1).await;
    for round in 0..40 {
        let write = async |device: &Device| {
            for n in 0..3 {
                label(device.space(), &format!("{} {round} {n}", device.name())).await;
            }
        };
        futures_util::future::join(write(&a), write(&b)).await;
        for (device, other) in [(&a, &b), (&b, &a)] {
            let written = other.vector().await.unwrap();
            let held = tokio::time::timeout(PATIENCE, device.caught_up_with(&written)).await;
            assert!(held.is_ok(), "round {round}: {} does not say that it holds {written:?}", device.name());
        }
    }
    converge(&[&a, &b]).await;
}
