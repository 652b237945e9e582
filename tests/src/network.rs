//! Who is connected with whom, and the one way in which tests wait: until everyone holds what everyone has.

use sync_runtime::{HiddenRecord, SyncEvent};

use crate::{
    device::{Device, Models, PATIENCE, Transport},
    digest::contents,
};

/// Two connected devices of one space.
pub async fn pair(transport: Transport) -> (Device, Device) {
    pair_of(transport, Models::Own).await
}

/// Two connected devices with these models.
pub async fn pair_of(transport: Transport, models: Models) -> (Device, Device) {
    let a = Device::first("a", transport, models).await;
    let b = Device::join("b", &a).await;
    heal(&[&a, &b]).await;
    (a, b)
}

/// Ends every connection of `devices`; afterwards there is none.
pub async fn cut(devices: &[&Device]) {
    for device in devices {
        device.disconnect_all();
    }
    for device in devices {
        linked(device, 0).await;
    }
}

/// Connects each device with the one before.
#[expect(clippy::unused_async, reason = "beside cut, which waits")]
pub async fn heal(devices: &[&Device]) {
    for two in devices.windows(2) {
        let [first, second] = two else { continue };
        second.dial(first);
    }
}

/// Waits until every device holds what every one has committed, then compares what they show, what they hide, and
/// what is in their tables.
pub async fn converge(devices: &[&Device]) {
    let mut vectors = Vec::new();
    for device in devices {
        vectors.push(device.vector().await.unwrap());
    }
    for device in devices {
        for vector in &vectors {
            let held = tokio::time::timeout(PATIENCE, device.caught_up_with(vector)).await;
            let report = if held.is_err() { report(devices).await } else { String::new() };
            assert!(held.is_ok(), "{} does not hold {vector:?}\n{report}", device.name());
        }
    }
    assert_same(devices).await;
}

/// Compares what the devices show and hide and what is in their tables, now. What apply wrote is all that was noted
/// while it wrote.
pub async fn assert_same(devices: &[&Device]) {
    for device in devices {
        for trouble in device.troubles() {
            let apply = matches!(&trouble, SyncEvent::Trouble { operation: "apply", .. });
            assert!(!apply, "{}: {trouble:?}", device.name());
        }
    }
    let mut found = Vec::new();
    for device in devices {
        let mut hidden = device.hidden().await.unwrap();
        hidden.sort_by(|a, b| (&a.model, &a.record).cmp(&(&b.model, &b.record)));
        let groundless: Vec<_> = hidden.iter().filter(|h| h.reason.starts_with("nothing stands")).collect();
        assert!(groundless.is_empty(), "{} hides without a reason: {groundless:#?}", device.name());
        found.push((device.digest().await.unwrap(), hidden, contents(device.space()).await));
    }
    for (two, names) in found.windows(2).zip(devices.windows(2)) {
        let ([a, b], [left, right]) = (two, names) else { continue };
        if a.2 != b.2 || a.1 != b.1 || a.0 != b.0 {
            let mut differences = String::new();
            for (table, rows) in &a.2 {
                let other = b.2.get(table).unwrap();
                let only = |these: &Vec<String>, those: &Vec<String>| {
                    these.iter().filter(|row| !those.contains(row)).cloned().collect::<Vec<_>>()
                };
                if rows != other {
                    let (here, there) = (only(rows, other), only(other, rows));
                    differences += &format!(
                        "{table}: only on {}: {here:#?}\nonly on {}: {there:#?}\n",
                        left.name(),
                        right.name()
                    );
                }
            }
            let report = report(devices).await;
            panic!(
                "{} and {} hold the same and differ: tables equal {}, hidden equal {}, digests equal {}\n{differences}{report}",
                left.name(),
                right.name(),
                a.2 == b.2,
                a.1 == b.1,
                a.0 == b.0,
            );
        }
    }
}

/// What is known of each device, for a test that fails.
pub async fn report(devices: &[&Device]) -> String {
    let mut text = String::new();
    for device in devices {
        let (status, hidden) = (device.status(), device.hidden().await);
        let digest = device.digest().await.map(|digest| digest.to_string());
        text += &format!(
            "{} {:?}: peers {:?}, vector {:?}, digest {digest:?}, hidden {hidden:#?}, troubles {:#?}\n",
            device.name(),
            status.origin,
            status.peers,
            status.vector,
            device.troubles(),
        );
    }
    text
}

/// What a device hides, as `model: reason`, in order.
pub async fn hidden(device: &Device) -> Vec<String> {
    let mut found: Vec<String> = device
        .hidden()
        .await
        .unwrap()
        .into_iter()
        .map(|HiddenRecord { model, reason, .. }| format!("{}: {reason}", model.as_str()))
        .collect();
    found.sort();
    found
}

/// Waits until `device` has a session with `peers` others.
pub async fn linked(device: &Device, peers: usize) {
    let wait = async {
        while device.peers().len() != peers {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, wait).await.is_ok(),
        "{} never had {peers} peers: {:?}",
        device.name(),
        device.status()
    );
}
