//! What the application hears.

use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Device, Transport, clock_ahead, event},
    network::{converge, cut, heal, pair},
    rows::{hex, label, later, project, run, task},
};

over_both_transports!(
    applied_names_model_and_records_once_for_each_transaction,
    own_writes_are_not_applied_events,
    hidden_and_shown_come_as_events,
    slow_listener_is_told_that_it_lagged,
    peers_come_and_go,
    clock_far_ahead_is_reported,
);

async fn applied_names_model_and_records_once_for_each_transaction(transport: Transport) {
    use sea_orm::{TransactionSession, TransactionTrait};
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    let mut events = b.events();
    let tx = a.begin().await.unwrap();
    let plan = project(&tx, "plan").await;
    let mut expected = Vec::new();
    for n in 0..3 {
        expected.push(*task(&tx, plan.uuid, &format!("t{n}")).await.uuid.as_bytes());
    }
    expected.sort_unstable();
    tx.commit().await.unwrap();
    let mut found = event(&mut events, "tasks applied", |event| match event {
        SyncEvent::Applied { model, records } if model.as_str() == "task" => {
            Some(records.iter().map(|r| *r.as_bytes()).collect::<Vec<_>>())
        }
        _ => None,
    })
    .await;
    found.sort_unstable();
    assert_eq!(found, expected);
    assert!(
        !std::iter::from_fn(|| events.try_next())
            .any(|event| matches!(&event, SyncEvent::Applied { model, .. } if model.as_str() == "task")),
        "once"
    );
    // Updates and deletes are told as well.
    run(a.space(), "UPDATE project SET title = 'new'").await;
    event(&mut events, "update", |event| match event {
        SyncEvent::Applied { model, .. } if model.as_str() == "project" => Some(()),
        _ => None,
    })
    .await;
    run(a.space(), "DELETE FROM project").await;
    event(&mut events, "cascade", |event| match event {
        SyncEvent::Applied { model, records } if model.as_str() == "task" && records.len() == 3 => Some(()),
        _ => None,
    })
    .await;
}

async fn own_writes_are_not_applied_events(transport: Transport) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    let mut events = a.events();
    label(a.space(), "mine").await;
    converge(&[&a, &b]).await;
    while let Some(event) = events.try_next() {
        assert!(!matches!(event, SyncEvent::Applied { .. }), "{event:?}");
    }
}

async fn hidden_and_shown_come_as_events(transport: Transport) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let older = label(a.space(), "x").await;
    later().await;
    let newer = label(b.space(), "x").await;
    let (mut on_a, mut on_b) = (a.events(), b.events());
    heal(&[&a, &b]).await;
    for events in [&mut on_a, &mut on_b] {
        let reason = event(events, "Hidden", |event| match event {
            SyncEvent::Hidden { model, record, reason }
                if model.as_str() == "label" && record.as_bytes() == newer.uuid.as_bytes() =>
            {
                Some(reason.clone())
            }
            _ => None,
        })
        .await;
        assert!(reason.contains("unique"), "{reason}");
    }
    run(a.space(), format!("DELETE FROM label WHERE uuid = {}", hex(older.uuid))).await;
    for events in [&mut on_a, &mut on_b] {
        event(events, "Shown", |event| match event {
            SyncEvent::Shown { record, .. } if record.as_bytes() == newer.uuid.as_bytes() => Some(()),
            _ => None,
        })
        .await;
    }
}

async fn slow_listener_is_told_that_it_lagged(transport: Transport) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    let mut events = b.events();
    for n in 0..1100 {
        label(a.space(), &format!("n{n}")).await;
        // Each on its own: what waits is sent together and told together.
        if n % 4 == 0 {
            tokio::task::yield_now().await;
        }
    }
    converge(&[&a, &b]).await;
    let (mut missed, mut told) = (0, 0);
    while let Some(event) = events.try_next() {
        match event {
            SyncEvent::Lagged { missed: some } => missed += some,
            SyncEvent::Applied { records, .. } => told += records.len(),
            _ => {}
        }
    }
    assert!(missed > 0 || told == 1100, "told of {told}, missed {missed}: nothing is lost in silence");
}

async fn peers_come_and_go(transport: Transport) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    sync_tests::network::linked(&a, 1).await;
    assert_eq!(a.peers(), [b.device_id()]);
    let mut events = a.events();
    cut(&[&a, &b]).await;
    event(&mut events, "PeerDown", |event| match event {
        SyncEvent::PeerDown { device, .. } if *device == b.device_id() => Some(()),
        _ => None,
    })
    .await;
    sync_tests::network::linked(&a, 0).await;
    heal(&[&a, &b]).await;
    event(&mut events, "PeerUp", |event| match event {
        SyncEvent::PeerUp { device } if *device == b.device_id() => Some(()),
        _ => None,
    })
    .await;
}

async fn clock_far_ahead_is_reported(transport: Transport) {
    let (a, _b) = pair(transport).await;
    let mut events = a.events();
    let ahead = clock_ahead(std::time::Duration::from_hours(24));
    let c = Device::join_with("c", &a, |builder| builder.context(ahead)).await;
    label(c.space(), "tomorrow").await;
    heal(&[&a, &c]).await;
    converge(&[&a, &c]).await;
    event(&mut events, "ClockSkew", |event| match event {
        SyncEvent::ClockSkew { origin, .. } if origin.device == c.device_id() => Some(()),
        _ => None,
    })
    .await;
}
