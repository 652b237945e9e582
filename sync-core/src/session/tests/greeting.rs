//! The beginning of sessions, with honest and with wrong peers.

use super::{
    pair::{End, Pair},
    store::{Store, profile},
};
use crate::{
    authorship::SpaceKey,
    hlc::Millis,
    ids::{Incarnation, SpaceId},
    session::{HANDSHAKE_LIMIT, Input, LocalProfile, SessionError, SessionEvent},
    wire::{ErrorCode, ErrorMessage, FrameKind, ProtocolRange, Role, SealError, encode_frame},
};

fn met(left: LocalProfile, right: LocalProfile) -> Pair {
    let (mut left, mut right) = (Store::with(left), Store::with(right));
    let mut pair = Pair::open(&left, &right, 1, Millis(5));
    pair.settle(&mut left, &mut right);
    pair
}

fn code(error: Option<&SessionError>) -> Option<ErrorCode> {
    match error {
        Some(SessionError::Refused(ErrorMessage { code, .. })) => Some(*code),
        _ => None,
    }
}

#[test]
fn members_find_each_other() {
    let pair = met(profile(1), profile(2));
    let (left, right) = (pair.left.peer.unwrap(), pair.right.peer.unwrap());
    assert_eq!((left.origin, right.origin), (profile(2).origin, profile(1).origin));
    assert_eq!((left.protocol, right.protocol), (1, 1));
    assert_eq!((pair.left.closed, pair.right.closed), (None, None));
}

#[test]
fn without_the_space_key_nobody_gets_past_the_handshake_and_both_sides_know_why() {
    let stranger = LocalProfile { space_key: SpaceKey::from_bytes([8; 32]), ..profile(2) };
    let pair = met(stranger, profile(1));
    assert_eq!(pair.right.closed, Some(SessionError::Seal(SealError::Key)));
    assert_eq!(code(pair.left.closed.as_ref()), Some(ErrorCode::WrongKey));
    assert_eq!(pair.left.closed.unwrap().to_string(), "the peer ended the session: the space keys differ");
    assert!(pair.left.peer.is_none() && pair.right.peer.is_none());
}

#[test]
fn another_space_under_the_same_key_is_refused() {
    let other = LocalProfile { space: SpaceId::from_bytes([1; 16]), ..profile(2) };
    let pair = met(profile(1), other);
    assert!(pair.left.closed == Some(SessionError::WrongSpace) || code(pair.left.closed.as_ref()).is_some());
    assert!(
        pair.right.closed == Some(SessionError::WrongSpace) || code(pair.right.closed.as_ref()).is_some()
    );
    assert!(pair.left.peer.is_none() && pair.right.peer.is_none());
}

#[test]
fn no_common_protocol_version_is_refused_and_the_highest_common_one_is_chosen() {
    let newer = LocalProfile { protocol: ProtocolRange { min: 2, max: 9 }, ..profile(2) };
    let pair = met(profile(1), newer);
    assert_eq!(pair.left.closed, Some(SessionError::NoCommonProtocol(ProtocolRange { min: 2, max: 9 })));
    let both = |n| LocalProfile { protocol: ProtocolRange { min: 1, max: 2 + n }, ..profile(n) };
    assert_eq!(met(both(1), both(3)).left.peer.unwrap().protocol, 3);
}

#[test]
fn a_clone_that_talks_to_itself_is_noticed() {
    let mut clone = profile(1);
    clone.origin.incarnation = Incarnation(77);
    let seen = clone.origin;
    let pair = met(profile(1), clone);
    assert_eq!(pair.left.events, vec![SessionEvent::OwnDeviceSeen(seen)]);
    assert_eq!(pair.left.closed, Some(SessionError::OwnDevice(seen)));
}

#[test]
fn a_member_cannot_appear_as_another_device() {
    let liar = LocalProfile { origin: profile(3).origin, ..profile(2) };
    let pair = met(profile(1), liar);
    assert_eq!(pair.left.closed, Some(SessionError::BadSignature(profile(3).origin)));
    assert!(pair.left.peer.is_none());
}

#[test]
fn both_may_dial_at_once() {
    let (mut a, mut b) = (Store::new(1), Store::new(2));
    a.commit(10, &[]);
    b.commit(10, &[1]);
    let mut first = Pair::open(&a, &b, 1, Millis(0));
    let mut second = Pair::open(&b, &a, 3, Millis(0));
    for _ in 0..3 {
        first.settle(&mut a, &mut b);
        second.settle(&mut b, &mut a);
        first.advanced(&a, &b);
        second.advanced(&b, &a);
    }
    super::pair::assert_same(&a, &b);
}

#[test]
fn silence_in_the_handshake_ends_it() {
    let store = Store::new(1);
    let mut end = End::open(&store, Role::Responder, 1, Millis(100));
    assert_eq!(end.session.deadline(), Millis(100 + HANDSHAKE_LIMIT.0));
    end.step(Millis(99 + HANDSHAKE_LIMIT.0), Input::Tick);
    assert_eq!(end.closed, None);
    end.step(Millis(100 + HANDSHAKE_LIMIT.0), Input::Tick);
    assert_eq!(end.closed, Some(SessionError::Timeout));
}

#[test]
fn a_recorded_session_cannot_be_replayed() {
    let (mut a, mut b) = (Store::new(1), Store::new(2));
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    let mut recorded = pair.left.sent.clone();
    pair.settle(&mut a, &mut b);
    let mut again = End::open(&b, Role::Responder, 9, Millis(0));
    again.step(Millis(0), Input::Frame(recorded.pop_front().unwrap()));
    assert!(again.closed.is_none(), "the first message of a handshake can be repeated");
    // What the recorded session sealed does not open in this one.
    let sealed = encode_frame(FrameKind::Sealed, &[3; 80]).unwrap();
    again.step(Millis(0), Input::Frame(sealed));
    assert_eq!(again.closed, Some(SessionError::Seal(SealError::Record)));
}
