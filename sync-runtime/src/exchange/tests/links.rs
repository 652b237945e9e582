//! Links that come, go and come again.

use sync_core::{
    ids::Seq,
    vector::{SeqRange, VersionVector},
};

use super::{
    super::{Direction, ExchangeEvent, PeerState},
    fake::{member, url},
};
use crate::error::ErrorKind;

#[tokio::test]
async fn members_catch_up_and_live_commits_arrive() {
    let (a, b) = (member(1), member(2));
    for _ in 0..40 {
        a.fake.commit(2_000);
        b.fake.commit(100);
    }
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    b.exchange.connect(&address).unwrap();
    a.equals(&b).await;
    for _ in 0..20 {
        a.fake.commit(30);
        a.equals(&b).await;
    }
    let peers = b.exchange.peers();
    let [peer] = peers.as_slice() else { panic!("one peer: {peers:?}") };
    assert_eq!((peer.device, peer.direction), (Some(a.device()), Direction::Dialled));
    assert!(peer.bytes_in > 30_000 && peer.bytes_out > 1_000, "{peer:?}");
    // What each stated reached the other.
    let (of_a, of_b) = (a.fake.profile.origin, b.fake.profile.origin);
    let stated = |vector: Option<VersionVector>, held: &VersionVector| vector.as_ref() == Some(held);
    a.until("acknowledged", |a| {
        stated(a.fake.statement_of(of_b).map(|statement| statement.vector), &b.fake.held())
    })
    .await;
    b.until("stated", |b| b.fake.statement_of(of_a).is_some()).await;
}

#[tokio::test]
async fn a_member_in_the_middle_relays_both_ways() {
    let (a, b, c) = (member(1), member(2), member(3));
    let address = b.exchange.listen(&url("memory://")).await.unwrap();
    a.exchange.connect(&address).unwrap();
    c.exchange.connect(&address).unwrap();
    for _ in 0..10 {
        a.fake.commit(300);
        c.fake.commit(300);
        b.fake.commit(300);
    }
    a.equals(&b).await;
    b.equals(&c).await;
    a.equals(&c).await;
}

#[tokio::test]
async fn what_was_written_while_cut_off_arrives_after_reconnecting() {
    let (a, b) = (member(1), member(2));
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    a.fake.commit(10);
    a.equals(&b).await;
    assert!(b.exchange.disconnect(&address));
    assert!(!b.exchange.disconnect(&address));
    a.until("cut", |a| a.exchange.peers().is_empty()).await;
    a.fake.commit(10);
    b.fake.commit(10);
    assert!(!a.fake.held().covers(&b.fake.held()) && !b.fake.held().covers(&a.fake.held()));
    b.exchange.connect(&address).unwrap();
    a.equals(&b).await;
}

#[tokio::test]
async fn an_address_is_dialled_until_somebody_answers_and_again_after_a_cut() {
    let (a, b) = (member(1), member(2));
    let address = url("memory://somebody-later");
    b.exchange.connect(&address).unwrap();
    b.until("refused", |b| b.exchange.peers().iter().any(|peer| peer.state == PeerState::Waiting)).await;
    let error = b.exchange.peers().first().and_then(|peer| peer.last_error.clone());
    assert!(error.is_some_and(|error| error.contains("nobody listens")));
    a.exchange.listen(&address).await.unwrap();
    a.fake.commit(10);
    a.equals(&b).await;
    a.exchange.disconnect_all();
    a.until("cut", |a| a.fake.saw(|event| matches!(event, ExchangeEvent::PeerDown { .. }))).await;
    a.fake.commit(10);
    a.equals(&b).await;
}

#[tokio::test]
async fn two_members_that_dial_each_other_keep_one_session() {
    let (a, b) = (member(1), member(2));
    let (at_a, at_b) = (
        a.exchange.listen(&url("memory://")).await.unwrap(),
        b.exchange.listen(&url("memory://")).await.unwrap(),
    );
    a.exchange.connect(&at_b).unwrap();
    b.exchange.connect(&at_a).unwrap();
    a.fake.commit(10);
    b.fake.commit(10);
    a.equals(&b).await;
    // The session that the smaller device dialled stays; the other's dialer waits for its end.
    let (small, large) = if a.device() < b.device() { (&a, &b) } else { (&b, &a) };
    let only = |direction| {
        move |member: &super::fake::Member| {
            let live: Vec<_> =
                member.exchange.peers().into_iter().filter(|p| p.state == PeerState::Live).collect();
            live.len() == 1 && live.iter().all(|peer| peer.direction == direction)
        }
    };
    small.until("one session", only(Direction::Dialled)).await;
    large.until("one session", only(Direction::Accepted)).await;
    small.exchange.disconnect_all();
    large.until("takes over", only(Direction::Dialled)).await;
    a.fake.commit(10);
    a.equals(&b).await;
}

#[tokio::test]
async fn a_shutdown_says_goodbye_and_ends_everything() {
    let (a, b) = (member(1), member(2));
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    a.until("live", |a| a.is_live_with(&b)).await;
    b.exchange.shutdown().await;
    assert!(b.exchange.peers().is_empty());
    let goodbye = |event: &ExchangeEvent| format!("{event:?}").contains("Goodbye");
    a.until("told", |a| a.fake.saw(goodbye)).await;
    a.until("gone", |a| a.exchange.peers().is_empty()).await;
}

#[tokio::test]
async fn an_unknown_scheme_is_a_configuration_error() {
    let a = member(1);
    let error = a.exchange.connect(&url("carrier-pigeon://roof")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("memory"), "{error}");
    assert_eq!(a.exchange.listen(&url("x://y")).await.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn ranges_can_be_pulled_from_a_live_peer() {
    let (a, b) = (member(1), member(2));
    a.fake.commit(10);
    let range = SeqRange { first: Seq(1), last: Seq(1) };
    let wanted = vec![(a.fake.profile.origin, range)];
    let error = b.exchange.pull(a.device(), wanted.clone(), false).unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let address = a.exchange.listen(&url("memory://")).await.unwrap();
    b.exchange.connect(&address).unwrap();
    b.until("live", |b| b.is_live_with(&a)).await;
    let number = b.exchange.pull(a.device(), wanted, true).unwrap();
    let whole = |event: &ExchangeEvent| matches!(event, ExchangeEvent::Pulled { ticket, complete: true } if *ticket == number);
    b.until("pulled", |b| b.fake.saw(whole)).await;
    a.equals(&b).await;
}
