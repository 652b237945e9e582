//! What flows between honest members.

use super::{
    pair::{Pair, assert_same},
    store::Store,
};
use crate::{
    hlc::Millis,
    ids::Seq,
    session::{HEARTBEAT_EVERY, Input, PullRequest, SILENCE_LIMIT, SessionError, SessionEvent, WINDOW},
    vector::{SeqRange, VersionVector},
};

fn stores() -> (Store, Store) {
    (Store::new(1), Store::new(2))
}

#[test]
fn each_side_catches_up_with_the_other() {
    let (mut a, mut b) = stores();
    for n in 0..30 {
        a.commit(usize::from(n) * 10, &[n, 1]);
        b.commit(100, &[]);
    }
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    pair.settle(&mut a, &mut b);
    assert_same(&a, &b);
    assert_eq!(pair.left.session.in_flight() + pair.right.session.in_flight(), 0);
    assert_eq!(pair.left.session.peer_vector(), &b.vector);
    assert_eq!(pair.right.session.peer_vector(), &a.vector);
}

#[test]
fn live_commits_are_pushed_and_not_echoed() {
    let (mut a, mut b) = stores();
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    pair.settle(&mut a, &mut b);
    for _ in 0..10 {
        a.commit(20, &[5]);
        pair.advanced(&a, &b);
        pair.settle(&mut a, &mut b);
    }
    assert_same(&a, &b);
    pair.advanced(&a, &b);
    assert!(pair.left.serves.is_empty() && pair.right.serves.is_empty(), "both hold all");
}

#[test]
fn what_one_peer_sent_is_relayed_to_the_next() {
    let (mut a, mut b) = stores();
    let mut c = Store::new(3);
    for n in 0..12 {
        a.commit(50, &[n]);
    }
    let mut first = Pair::open(&a, &b, 1, Millis(0));
    let mut second = Pair::open(&b, &c, 5, Millis(0));
    second.settle(&mut b, &mut c);
    first.settle(&mut a, &mut b);
    second.advanced(&b, &c);
    second.settle(&mut b, &mut c);
    assert_same(&a, &c);
}

#[test]
fn statements_of_members_travel_through_others_verbatim() {
    let (mut a, mut b) = stores();
    let mut c = Store::new(3);
    a.commit(5, &[]);
    let mut first = Pair::open(&a, &b, 1, Millis(0));
    first.settle(&mut a, &mut b);
    b.commit(5, &[]);
    first.advanced(&a, &b);
    first.settle(&mut a, &mut b);
    let mut second = Pair::open(&b, &c, 5, Millis(0));
    second.settle(&mut b, &mut c);
    second.left.step(Millis(1), Input::Statements(b.all_statements()));
    second.settle(&mut b, &mut c);
    assert_eq!(c.statements.get(&a.origin()), b.statements.get(&a.origin()));
    assert_eq!(c.statements[&a.origin()].1.vector, a.vector);
    assert_eq!(c.statements[&b.origin()].1.vector, b.vector);
}

#[test]
fn unacknowledged_bytes_stay_inside_the_window() {
    let (mut a, b) = stores();
    for _ in 0..20 {
        a.commit(1 << 20, &[]);
    }
    let mut b = b;
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    // The peer receives and never stores.
    for _ in 0..50 {
        pair.left.work(&mut a, Millis(0), false);
        pair.carry();
    }
    assert!(pair.left.session.in_flight() >= WINDOW * 3 / 4);
    assert!(pair.left.session.in_flight() <= WINDOW + (2 << 20));
    pair.settle(&mut a, &mut b);
    assert_same(&a, &b);
}

#[test]
fn a_changeset_larger_than_a_frame_travels_in_parts() {
    let (mut a, mut b) = stores();
    a.commit(15 << 20, &[1, 2, 3]);
    a.commit(3, &[]);
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    pair.settle(&mut a, &mut b);
    assert_same(&a, &b);
}

#[test]
fn a_failure_to_store_is_told_and_offered_again_at_a_heartbeat() {
    let (mut a, mut b) = stores();
    a.commit(10, &[1]);
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    while pair.right.ingests.is_empty() {
        pair.left.work(&mut a, Millis(0), false);
        pair.carry();
    }
    assert!(pair.right.work(&mut b, Millis(0), true));
    pair.settle(&mut a, &mut b);
    assert!(matches!(pair.left.events.as_slice(), [SessionEvent::PeerError(_)]), "{:?}", pair.left.events);
    assert_eq!((&pair.left.closed, &b.vector), (&None, &VersionVector::new()));
    pair.pass(HEARTBEAT_EVERY.0);
    pair.settle(&mut a, &mut b);
    assert_same(&a, &b);
    assert!(pair.left.events.contains(&SessionEvent::Reoffered));
}

#[test]
fn a_failure_to_read_is_tried_again_later() {
    let (mut a, mut b) = stores();
    a.commit(10, &[]);
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    while pair.left.serves.is_empty() {
        pair.carry();
    }
    assert!(pair.left.work(&mut a, Millis(0), true));
    pair.settle(&mut a, &mut b);
    assert_eq!(b.vector, VersionVector::new());
    assert_eq!(pair.left.session.deadline(), Millis(1_000));
    pair.pass(1_000);
    pair.settle(&mut a, &mut b);
    assert_same(&a, &b);
}

#[test]
fn nothing_but_heartbeats_when_quiet_and_silence_ends_it() {
    let (mut a, mut b) = stores();
    a.commit(10, &[]);
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    pair.settle(&mut a, &mut b);
    let before = pair.left.bytes + pair.right.bytes;
    for _ in 0..10 {
        pair.pass(HEARTBEAT_EVERY.0);
        pair.settle(&mut a, &mut b);
    }
    let each = (pair.left.bytes + pair.right.bytes - before) / 20;
    assert!(each <= 80, "{each} bytes a heartbeat");
    assert_eq!(pair.left.closed, None);
    for _ in 0..4 {
        pair.now = Millis(pair.now.0 + SILENCE_LIMIT.0 / 3);
        pair.left.step(pair.now, Input::Tick);
    }
    assert_eq!(pair.left.closed, Some(SessionError::Timeout));
}

#[test]
fn ranges_are_pulled_page_by_page() {
    let (mut a, mut b) = stores();
    for _ in 0..9 {
        a.commit(1 << 20, &[]);
    }
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    // The engine of the left answers no pushes, so that all comes by the pull.
    while pair.right.peer.is_none() || pair.left.serves.is_empty() {
        pair.carry();
    }
    let (ticket, _) = pair.left.serves.pop_front().unwrap();
    pair.left.step(Millis(0), Input::Served { ticket, reply: Ok(Vec::new()) });
    let range = SeqRange { first: Seq(2), last: Seq(8) };
    let request = PullRequest { ticket: 7, ranges: vec![(a.origin(), range)], state: false };
    pair.right.step(Millis(0), Input::Pull(request));
    pair.settle(&mut a, &mut b);
    assert_eq!(pair.right.pulled, vec![(7, true)]);
    let mut expected = VersionVector::new();
    expected.insert(a.origin(), range);
    assert_eq!(b.vector, expected);
    let absent = SeqRange { first: Seq(8), last: Seq(12) };
    let request = PullRequest { ticket: 8, ranges: vec![(a.origin(), absent)], state: true };
    pair.right.step(Millis(0), Input::Pull(request));
    pair.settle(&mut a, &mut b);
    assert_eq!(pair.right.pulled, vec![(7, true), (8, false)]);
    assert!(b.vector.contains(&a.origin(), Seq(9)));
}

#[test]
fn a_late_result_of_an_ingest_takes_nothing_back() {
    let (mut a, mut b) = stores();
    a.commit(10, &[]);
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    while pair.right.ingests.is_empty() {
        pair.left.work(&mut a, Millis(0), false);
        pair.carry();
    }
    let (transfer, run) = pair.right.ingests.pop_front().unwrap();
    let before = std::sync::Arc::new(b.vector.clone());
    b.ingest(&run);
    b.commit(7, &[]);
    pair.advanced(&a, &b);
    pair.right.step(
        Millis(0),
        Input::Ingested { transfer, outcome: Ok(()), vector: before, statements: b.all_statements() },
    );
    pair.settle(&mut a, &mut b);
    pair.pass(HEARTBEAT_EVERY.0);
    pair.settle(&mut a, &mut b);
    assert_same(&a, &b);
    assert!(pair.left.events.is_empty() && pair.right.events.is_empty());
}
