//! Slow, failing and foreign peers.

use std::sync::Arc;

use sync_core::{
    authorship::SpaceKey,
    session::{SessionError, WINDOW},
    wire::SealError,
};
use sync_plugin::{Context, Link, LinkSender, Transport};
use sync_transport_memory::{MemoryConfig, MemoryTransport};

use super::{
    super::ExchangeEvent,
    fake::{Trouble, member, member_with, url},
};
use crate::host::RuntimeHost;

#[tokio::test]
async fn a_slow_peer_delays_nobody_else_and_is_sent_no_more_than_the_window() {
    let (a, slow, quick) = (member(1), member(2), member(3));
    let all = slow.fake.gate.forget_permits(usize::MAX);
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    slow.exchange.connect(&address).unwrap();
    quick.exchange.connect(&address).unwrap();
    a.until("both", |a| a.is_live_with(&slow) && a.is_live_with(&quick)).await;
    for _ in 0..40 {
        a.fake.commit(500_000);
    }
    a.equals(&quick).await;
    assert!(slow.fake.held().is_empty());
    let peers = a.exchange.peers();
    let to_slow = peers.iter().find(|peer| peer.device == Some(slow.device())).unwrap();
    assert!(to_slow.in_flight > 0 && to_slow.in_flight <= (WINDOW + 600_000) as u64, "{to_slow:?}");
    slow.fake.gate.add_permits(all);
    a.equals(&slow).await;
}

#[tokio::test]
async fn another_space_key_ends_in_the_handshake_and_both_sides_know_why() {
    let (a, stranger) = (member(1), member_with(2, SpaceKey::from_bytes([3; 32])));
    a.fake.commit(10);
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    stranger.exchange.connect(&address).unwrap();
    let wrong_key = |event: &ExchangeEvent| {
        matches!(event, ExchangeEvent::PeerDown { error: SessionError::Seal(SealError::Key), .. })
    };
    a.until("refused", |a| a.fake.saw(wrong_key)).await;
    let told = |error: &str| error.contains("space keys differ");
    stranger
        .until("told", |s| s.exchange.peers().iter().any(|p| p.last_error.as_deref().is_some_and(told)))
        .await;
    assert!(stranger.fake.held().is_empty());
    assert!(!a.fake.saw(|event| matches!(event, ExchangeEvent::PeerUp { .. })));
}

#[tokio::test]
async fn storing_is_tried_again_and_a_panic_is_one_runs_alone() {
    let (a, b) = (member(1), member(2));
    b.fake.trouble(&[Trouble::Retryable, Trouble::Retryable]);
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    a.fake.commit(10);
    a.equals(&b).await;
    assert!(b.fake.saw(|event| matches!(event, ExchangeEvent::IngestRetried { .. })));
    b.fake.trouble(&[Trouble::Panic]);
    a.fake.commit(10);
    b.until("noticed", |b| b.fake.saw(|e| matches!(e, ExchangeEvent::Panicked { task: "ingest" }))).await;
    b.fake.trouble(&[Trouble::Permanent]);
    a.fake.commit(10);
    b.until("reported", |b| b.fake.saw(|e| matches!(e, ExchangeEvent::IngestFailed { .. }))).await;
    assert!(b.is_live_with(&a) && a.is_live_with(&b), "the session goes on");
    // A new session offers again what was not stored.
    b.exchange.disconnect_all();
    b.exchange.connect(&address).unwrap();
    a.equals(&b).await;
}

#[tokio::test]
async fn a_stranger_with_rubbish_disturbs_nobody() {
    let (a, b) = (member(1), member(2));
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    let transport = MemoryTransport::new(MemoryConfig::default());
    let context = Context::new(RuntimeHost);
    let mut links = Vec::new();
    for n in 0..12_u8 {
        let (mut sender, receiver) = transport.dial(&context, &address).await.unwrap().split();
        sender.send(vec![n; usize::from(n) * 7]).await.unwrap();
        links.push((sender, receiver));
    }
    let refused = |event: &ExchangeEvent| {
        matches!(event, ExchangeEvent::PeerDown { error: SessionError::Frame(_), .. })
    };
    a.until("refused", |a| a.fake.saw(refused)).await;
    a.fake.commit(10);
    a.equals(&b).await;
    drop(links);
}

#[tokio::test]
async fn dropping_the_exchange_stops_its_tasks() {
    let (a, b) = (member(1), member(2));
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    a.until("live", |a| a.is_live_with(&b)).await;
    let fake = Arc::downgrade(&b.fake);
    drop(b);
    a.until("cut", |a| a.exchange.peers().is_empty()).await;
    for _ in 0..1_000 {
        if fake.strong_count() == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("somebody still holds the replica");
}
