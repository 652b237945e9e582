//! Peers that hold the space key and lie, and strangers that send rubbish.

use std::sync::Arc;

use super::{
    pair::{End, Pair, assert_same},
    store::Store,
};
use crate::{
    authorship::{Refusal, Shared, Violation, sign_head, verify_run},
    hlc::Millis,
    ids::{Hash, PartitionId, Seq},
    session::{Input, SessionError, machine::Phase},
    vector::SeqRange,
    wire::{
        Channel, Compression, CompressionError, FrameError, FrameKind, Heartbeat, Kind, Message,
        MessageError, RangeResponse, Role, Run, SealError, decode_inner, encode_frame, encode_inner,
        split_run,
    },
};

/// Two members that know each other.
fn live() -> (Store, Store, Pair) {
    let (mut a, mut b) = (Store::new(1), Store::new(2));
    a.commit(10, &[1]);
    let mut pair = Pair::open(&a, &b, 1, Millis(0));
    pair.settle(&mut a, &mut b);
    (a, b, pair)
}

fn channel(end: &mut End) -> &mut Channel {
    match &mut end.session.phase {
        Phase::Live(channel) => channel,
        _ => panic!("not live"),
    }
}

/// Seals `inner` as the left end and gives it to the right end.
fn inject(pair: &mut Pair, inner: &[u8]) {
    let sealed = channel(&mut pair.left).seal(inner).unwrap();
    let frame = encode_frame(FrameKind::Sealed, &sealed).unwrap();
    pair.right.step(Millis(0), Input::Frame(frame));
}

fn inject_message(pair: &mut Pair, message: &Message) {
    inject(pair, &encode_inner(message.kind(), &message.encode(), None).unwrap());
}

fn inject_run(pair: &mut Pair, run: Run) {
    for part in split_run(run, 1_000).unwrap() {
        inject_message(pair, &Message::Run(part));
    }
}

struct Splitmix(u64);

impl Splitmix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[test]
fn rubbish_instead_of_frames_is_a_typed_error() {
    let store = Store::new(1);
    let mut random = Splitmix(1);
    for length in 0..300_usize {
        let mut bytes: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
        if length % 2 == 0 && length >= 6 {
            bytes[..6].copy_from_slice(b"SynK\x01\x01");
        }
        for role in [Role::Initiator, Role::Responder] {
            let mut end = End::open(&store, role, 3, Millis(0));
            end.step(Millis(0), Input::Frame(bytes.clone()));
            assert!(end.closed.is_some(), "{bytes:?}");
            assert!(end.peer.is_none());
        }
    }
}

#[test]
fn a_frame_that_claims_four_gigabytes_is_refused() {
    let store = Store::new(1);
    let mut end = End::open(&store, Role::Responder, 3, Millis(0));
    let mut frame = encode_frame(FrameKind::Handshake, &[0; 48]).unwrap();
    frame[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
    end.step(Millis(0), Input::Frame(frame));
    assert_eq!(end.closed, Some(SessionError::Frame(FrameError::TooLong(u64::from(u32::MAX)))));
}

#[test]
fn a_frame_of_another_version_is_refused() {
    let store = Store::new(1);
    let mut end = End::open(&store, Role::Responder, 3, Millis(0));
    let mut frame = encode_frame(FrameKind::Handshake, &[0; 48]).unwrap();
    frame[4] = 9;
    end.step(Millis(0), Input::Frame(frame));
    assert_eq!(end.closed, Some(SessionError::Frame(FrameError::Version(9))));
}

#[test]
fn flipped_cut_repeated_and_reordered_frames_end_the_session_and_change_nothing() {
    for fault in 0..4 {
        let (mut a, mut b, mut pair) = live();
        let before = b.kept.clone();
        a.commit(100, &[2]);
        pair.left.step(Millis(0), Input::LocalAdvanced(Arc::new(a.vector.clone())));
        pair.left.work(&mut a, Millis(0), false);
        let mut frame = pair.left.sent.pop_front().unwrap();
        match fault {
            0 => frame[40] ^= 4,
            1 => frame.truncate(frame.len() - 1),
            2 => pair.right.step(Millis(0), Input::Frame(frame.clone())),
            _ => {
                // The frame after the next one: this one is lost.
                pair.left.step(Millis(0), Input::Statements(a.all_statements()));
                frame = pair.left.sent.pop_front().unwrap();
            }
        }
        let stored = pair.right.ingests.len();
        pair.right.step(Millis(0), Input::Frame(frame));
        assert!(
            matches!(
                pair.right.closed,
                Some(SessionError::Seal(SealError::Record) | SessionError::Frame(FrameError::Length))
            ),
            "{fault}: {:?}",
            pair.right.closed
        );
        assert_eq!(pair.right.ingests.len(), stored);
        assert_eq!(b.kept, before);
        while pair.right.work(&mut b, Millis(0), false) {}
    }
}

#[test]
fn random_and_altered_message_bodies_never_panic() {
    let (a, _, mut pair) = live();
    let run = a.run(a.origin(), SeqRange { first: Seq(1), last: Seq(1) });
    let body = Message::Run(split_run(run, 5).unwrap().remove(0)).encode();
    let mut random = Splitmix(7);
    for kind in (1..=12).filter_map(Kind::from_u8) {
        for round in 0..400_usize {
            let mut bytes = body.clone();
            if round % 2 == 0 {
                bytes = (0..round).map(|_| random.next().to_le_bytes()[0]).collect();
            } else {
                let at = usize::try_from(random.next()).unwrap() % bytes.len();
                bytes[at] ^= 1 << (random.next() % 8);
                bytes.truncate(bytes.len() - round % 3);
            }
            if let Ok(message) = Message::decode(kind, &bytes) {
                drop(pair.right.session.on_message(message));
            }
        }
    }
}

#[test]
fn oversize_counts_are_refused_before_anything_is_reserved() {
    let (_, _, mut pair) = live();
    // An Ack that claims 2^32 transfers.
    let mut body = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
    body.extend([0; 20]);
    inject(&mut pair, &encode_inner(Kind::Ack, &body, None).unwrap());
    assert_eq!(pair.right.closed, Some(SessionError::Message(MessageError::Malformed(Kind::Ack))));
}

#[test]
fn trailing_bytes_and_unknown_kinds_are_refused() {
    let (_, b, mut pair) = live();
    let heartbeat = Heartbeat {
        partition: PartitionId::ROOT,
        digest: b.vector.digest(),
        is_answer: false,
        entries: Vec::new(),
    };
    let mut body = Message::Heartbeat(heartbeat).encode();
    body.push(0);
    inject(&mut pair, &encode_inner(Kind::Heartbeat, &body, None).unwrap());
    assert_eq!(pair.right.closed, Some(SessionError::Message(MessageError::Malformed(Kind::Heartbeat))));
    let (_, _, mut pair) = live();
    inject(&mut pair, &[99, 0, 0, 0, 0, 0]);
    assert_eq!(pair.right.closed, Some(SessionError::Frame(FrameError::Kind(99))));
}

/// Restores to as many zeros as it is asked for.
struct Bomb;

impl Compression for Bomb {
    fn compress(&mut self, _kind: Kind, body: &[u8]) -> Option<Vec<u8>> {
        Some(vec![0; body.len() / 1_000])
    }

    fn restore(&mut self, _bytes: &[u8], length: usize) -> Result<Vec<u8>, CompressionError> {
        assert!(length <= 16 << 20, "checked before");
        Ok(vec![0; length])
    }

    fn is_available(&self) -> bool {
        true
    }
}

#[test]
fn a_body_beyond_the_ratio_or_the_limit_is_never_restored() {
    let claim = |length: u32, payload: usize| {
        let mut inner = vec![Kind::Ack as u8, 1];
        inner.extend(length.to_le_bytes());
        inner.extend(vec![0; payload]);
        decode_inner(&inner, &mut Bomb).map(|envelope| envelope.body.len())
    };
    assert_eq!(claim(100_000, 1_000), Ok(100_000));
    assert_eq!(claim(100_001, 1_000), Err(FrameError::Ratio));
    assert_eq!(claim((16 << 20) + 1, 1 << 20), Err(FrameError::TooLong((16 << 20) + 1)));
    // Nor is such a body ever sent.
    let inner = encode_inner(Kind::Ack, &vec![0; 50_000], Some(&mut Bomb)).unwrap();
    assert_eq!(inner[1], 0, "sent plain");
}

#[test]
fn nobody_writes_in_another_devices_name() {
    let (mut a, mut b, mut pair) = live();
    let honest = b.vector.clone();
    let mut author = Store::new(4);
    author.commit(10, &[]);
    let genuine = author.run(author.origin(), SeqRange { first: Seq(1), last: Seq(1) });
    // A signs for the author with his own key.
    let hash = Hash::of(&genuine.headers[0]);
    let key = &a.profile.key;
    let proof = sign_head(key, &a.profile.space, &PartitionId::ROOT, &author.origin(), Seq(1), hash);
    inject_run(&mut pair, Run { proof, ..genuine.clone() });
    assert_eq!(pair.right.closed, Some(SessionError::Violation(Violation::Signature)));
    let (_, _, mut pair) = live();
    inject_run(&mut pair, Run { proof, public_key: key.public(), ..genuine.clone() });
    assert_eq!(pair.right.closed, Some(SessionError::Violation(Violation::Key(author.origin()))));
    assert_eq!(b.vector, honest);
    // What the author signed may be relayed by anyone.
    let (_, mut other, mut pair) = live();
    inject_run(&mut pair, genuine);
    pair.settle(&mut a, &mut other);
    assert!(other.vector.contains(&author.origin(), Seq(1)));
    b.commit(1, &[]);
}

fn author() -> (Store, SeqRange) {
    let mut author = Store::new(4);
    author.commit(10, &[1, 2]);
    author.commit(20, &[3]);
    author.commit(0, &[]);
    (author, SeqRange { first: Seq(1), last: Seq(3) })
}

#[test]
fn tampered_runs_are_violations() {
    let (author, range) = author();
    let genuine = author.run(author.origin(), range);
    let check = |tamper: &dyn Fn(&mut Run)| {
        let mut run = genuine.clone();
        tamper(&mut run);
        verify_run(&author.profile.space, run).map(|run| run.range())
    };
    assert_eq!(check(&|_| {}), Ok(range));
    assert_eq!(check(&|run| run.shared[0] = None), Err(Violation::Body(Seq(1))));
    assert_eq!(check(&|run| run.shared[1] = run.shared[0].clone()), Err(Violation::Body(Seq(2))));
    assert_eq!(check(&|run| run.shared[2] = run.shared[0].clone()), Err(Violation::Body(Seq(3))));
    assert_eq!(check(&|run| drop(run.headers.pop())), Err(Violation::Shape));
    assert_eq!(check(&|run| run.first = Seq(2)), Err(Violation::Chain(Seq(2))));
    assert_eq!(check(&|run| run.headers.swap(0, 1)), Err(Violation::Chain(Seq(1))));
    assert_eq!(check(&|run| run.proof.seq = Seq(2)), Err(Violation::Signature));
    assert_eq!(check(&|run| run.proof.signature.0[9] ^= 1), Err(Violation::Signature));
    assert!(matches!(check(&|run| run.headers[1].push(0)), Err(Violation::Header(_))));
    let changed = |run: &mut Run| {
        let last = run.headers[1].len() - 3;
        run.headers[1][last] ^= 1;
    };
    assert!(check(&changed).is_err());
    assert_eq!(
        verify_run(&crate::ids::SpaceId::from_bytes([0; 16]), genuine.clone()),
        Err(Violation::Foreign(Seq(1)))
    );
}

#[test]
fn tampered_owned_rows_are_violations_and_overwritten_ones_may_be_missing() {
    let (mut author, range) = author();
    let altered = |author: &mut Store, record: u8| {
        let id = crate::ids::RecordId::from_bytes([record; 16]);
        author.rows.get_mut(&(author.profile.origin, id)).unwrap().clone()
    };
    let mut row = altered(&mut author, 1);
    row.fields[0].value = crate::value::Value::Text("forged".to_owned());
    let id = (author.origin(), row.record);
    let before = author.rows.insert(id, row).unwrap();
    let run = author.run(author.origin(), range);
    assert_eq!(verify_run(&author.profile.space, run), Err(Violation::Owned(Seq(1))));
    // A row with another device's stamp.
    let mut row = before.clone();
    row.version.stamp.origin = Store::new(5).origin();
    author.rows.insert(id, row);
    let run = author.run(author.origin(), range);
    assert_eq!(verify_run(&author.profile.space, run), Err(Violation::Row(Seq(1))));
    // A row that was overwritten since is simply not there.
    author.rows.insert(id, before);
    author.commit(0, &[1]);
    let run = author.run(author.origin(), range);
    let verified = verify_run(&author.profile.space, run).unwrap();
    assert_eq!(verified.owned.iter().map(crate::changeset::Body::len).sum::<usize>(), 2);
}

#[test]
fn a_range_in_the_middle_is_proved_by_the_headers_after_it() {
    let (author, _) = author();
    let origin = author.origin();
    let last = author.run(origin, SeqRange { first: Seq(3), last: Seq(3) });
    let mut run = author.run(origin, SeqRange { first: Seq(1), last: Seq(1) });
    run.proof = last.proof;
    assert_eq!(verify_run(&author.profile.space, run.clone()), Err(Violation::Signature));
    let links = author.run(origin, SeqRange { first: Seq(2), last: Seq(3) }).headers;
    run.links = links;
    let verified = verify_run(&author.profile.space, run).unwrap();
    assert_eq!(verified.range(), SeqRange { first: Seq(1), last: Seq(1) });
}

#[test]
fn what_an_author_signed_and_nobody_may_accept_is_a_refusal() {
    let mut author = Store::new(4);
    author.commit(10, &[]);
    let key = (author.origin(), Seq(1));
    let mut header = crate::changeset::Header::decode(&author.kept[&key].header).unwrap();
    let rubbish = b"no body".to_vec();
    header.shared = Hash::of(&rubbish);
    let kept = author.kept.get_mut(&key).unwrap();
    kept.header = header.encode();
    kept.shared = Some(rubbish.clone());
    let run = author.run(author.origin(), SeqRange { first: Seq(1), last: Seq(1) });
    let verified = verify_run(&author.profile.space, run).unwrap();
    let refused = Shared::Refused { bytes: rubbish, reason: Refusal::Malformed };
    assert_eq!(verified.changesets[0].shared, refused);
}

#[test]
fn answers_that_nobody_asked_for_are_errors_and_a_stream_of_them_ends_the_session() {
    let (_, _, mut pair) = live();
    let answer = RangeResponse { request: 5, part: None, last: true, more: false, cursor: None };
    inject_message(&mut pair, &Message::SharedChangeResponse(answer.clone()));
    assert_eq!(pair.right.closed, None);
    assert_eq!(pair.right.events, vec![crate::session::SessionEvent::Unsolicited]);
    for _ in 0..16 {
        inject_message(&mut pair, &Message::StateResponse(answer.clone()));
    }
    assert_eq!(pair.right.closed, Some(SessionError::Limit("unsolicited answers")));
}

#[test]
fn an_honest_peers_session_is_unaffected_by_a_hostile_one() {
    let (mut a, mut b) = (Store::new(1), Store::new(2));
    let mut c = Store::new(3);
    let mut honest = Pair::open(&a, &b, 1, Millis(0));
    honest.settle(&mut a, &mut b);
    let mut bad = Pair::open(&c, &b, 3, Millis(0));
    bad.settle(&mut c, &mut b);
    let (author, range) = author();
    let mut run = author.run(author.origin(), range);
    run.shared[0] = Some(vec![1, 2, 3]);
    inject_run(&mut bad, run);
    assert_eq!(bad.right.closed, Some(SessionError::Violation(Violation::Body(Seq(1)))));
    a.commit(9, &[9]);
    honest.advanced(&a, &b);
    honest.settle(&mut a, &mut b);
    assert_same(&a, &b);
    assert_eq!(honest.right.closed, None);
}
