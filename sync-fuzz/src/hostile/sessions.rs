//! Peers that do what the protocol does not allow, most of them with the space's key.

use sync_core::{
    authorship::{SignedStatement, Statement},
    ids::{Origin, Seq, SpaceId},
    vector::SeqRange,
    wire::{
        About, Ack, ErrorCode, ErrorMessage, FrameKind, Handshake, Heartbeat, Hello, Kind, Message,
        PartitionVector, ProtocolRange, RangeRequest, RangeResponse, Role, RunPart, Signature, VectorEntry,
        WantedRange, encode_frame,
    },
};

use super::{
    build::{flipped, join},
    list::{Hostile, List},
};
use crate::{
    samples::{self, PARTITION, SPACE, SPACE_KEY, device_key, golden, hello_for, origin},
    targets::{PEER_SEED, SESSION_SEED, session},
};

pub(super) fn all() -> Vec<Hostile> {
    [strangers(), greetings(), members()].concat()
}

const NO_HANDSHAKE: u8 = 2;
const NO_HELLO: u8 = 4;
const RESPONDER: u8 = 1;

fn command(operation: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    join(&[&[operation], &length.to_le_bytes(), bytes])
}

fn message(message: &Message) -> Vec<u8> {
    command(3, &join(&[&[message.kind() as u8], &message.encode()]))
}

fn input(flags: u8, commands: &[Vec<u8>]) -> Vec<u8> {
    join(&[&[flags], &commands.concat()])
}

fn strangers() -> Vec<Hostile> {
    let mut list = List::new("stranger", session);
    let raw = |bytes: &[u8]| input(NO_HANDSHAKE, &[command(0, bytes)]);
    let frame = |kind, body: &[u8]| raw(&encode_frame(kind, body).unwrap_or_default());
    let bad = "session";
    list.detailed("sends nothing", raw(&[]), bad, "frame length");
    list.detailed("speaks HTTP", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), bad, "frame magic");
    list.detailed("has a later frame format", raw(b"SynK\x02\x01\0\0\0\0"), bad, "frame version");
    list.detailed("sends an unknown frame", raw(b"SynK\x01\x09\0\0\0\0"), bad, "frame kind");
    list.detailed("announces 4 GiB", raw(b"SynK\x01\x01\xff\xff\xff\xff"), bad, "frame too long");
    list.detailed("seals before the handshake", frame(FrameKind::Sealed, &[1; 64]), bad, "seal handshake");
    list.detailed("sends an empty handshake", frame(FrameKind::Handshake, &[]), bad, "seal handshake");
    list.detailed("sends a long handshake", frame(FrameKind::Handshake, &[1; 1000]), bad, "seal handshake");
    list.detailed("does not know the key", frame(FrameKind::Handshake, &[1; 48]), bad, "seal key");
    let first = golden("handshake-first");
    list.detailed("answers with a first message", raw(&first), bad, "seal key");
    let altered = input(NO_HANDSHAKE | RESPONDER, &[command(0, &flipped(&first, 40, 1))]);
    list.detailed("alters the first message", altered, bad, "seal key");
    let again = input(NO_HANDSHAKE | RESPONDER, &[command(0, &first), command(0, &first)]);
    list.detailed("shakes hands twice", again, bad, "seal handshake");
    list.detailed("refuses with rubbish", frame(FrameKind::Refusal, b"rubbish"), bad, "message malformed");
    list.add("refuses in the clear", frame(FrameKind::Refusal, &golden("error")), "refused");
    list.add("says nothing for ten seconds", input(NO_HANDSHAKE, &[command(7, &[0, 0x27, 0x10])]), "timeout");
    list.add("hangs up", input(NO_HANDSHAKE, &[command(15, &[0])]), "link closed");
    list.done()
}

/// What both sides of the sample conversation share, with the session in this role.
fn shared(role: Role) -> [u8; 32] {
    let hash = || -> Option<[u8; 32]> {
        let mut ours = Handshake::new(role, &SPACE_KEY, SESSION_SEED).ok()?;
        let mut theirs = Handshake::new(role.other(), &SPACE_KEY, PEER_SEED).ok()?;
        let (first, second) =
            if role == Role::Initiator { (&mut ours, &mut theirs) } else { (&mut theirs, &mut ours) };
        second.read(&first.write().ok()?).ok()?;
        first.read(&second.write().ok()?).ok()?;
        ours.finish().ok().map(|channel| *channel.handshake_hash())
    };
    hash().unwrap_or_default()
}

/// A Hello that would be good, as `change` left it.
fn greeting(change: impl FnOnce(&mut Hello)) -> Vec<u8> {
    let mut hello = hello_for(&device_key(3), Role::Responder, &shared(Role::Initiator));
    change(&mut hello);
    input(NO_HELLO, &[message(&Message::Hello(Box::new(hello)))])
}

fn greetings() -> Vec<Hostile> {
    let mut list = List::new("greeting", session);
    list.add("of another space", greeting(|h| h.space = SpaceId::from_bytes([0; 16])), "wrong space");
    let speaks = |min, max| greeting(move |h| h.protocol = ProtocolRange { min, max });
    list.add("in protocol 0", speaks(0, 0), "no common protocol");
    list.add("in protocols 2 to 255", speaks(2, 255), "no common protocol");
    list.add("in protocols 255 to 0", speaks(255, 0), "no common protocol");
    let signature = "bad signature";
    list.add("with a forged signature", greeting(|h| h.signature.0[5] ^= 4), signature);
    list.add("with no signature", greeting(|h| h.signature = Signature([0; 64])), signature);
    list.add("with another device's key", greeting(|h| h.public_key = device_key(5).public()), signature);
    list.add("as another device", greeting(|h| h.origin.device = origin(5).device), signature);
    list.add("as another incarnation", greeting(|h| h.origin.incarnation.0 += 1), signature);
    let by = |role: Role, hash: [u8; 32]| greeting(move |h| *h = hello_for(&device_key(3), role, &hash));
    list.add("signed in our role", by(Role::Initiator, shared(Role::Initiator)), signature);
    list.add("signed for another session", by(Role::Responder, [0; 32]), signature);
    let own = greeting(|h| *h = hello_for(&device_key(4), Role::Responder, &shared(Role::Initiator)));
    list.add("as this very device", own, "own device");
    let holds = |head: u64, ranges: Vec<SeqRange>| {
        greeting(move |h| {
            let entry = VectorEntry { origin: origin(5), head: Seq(head), ranges, hash: None };
            h.vectors = vec![PartitionVector { partition: PARTITION, entries: vec![entry] }];
        })
    };
    let range = |first, last| SeqRange { first: Seq(first), last: Seq(last) };
    let vector = "impossible vector";
    list.add("holding u64::MAX changesets", holds(u64::MAX, Vec::new()), vector);
    list.add("holding a range up to u64::MAX", holds(1, vec![range(9, u64::MAX)]), vector);
    list.add("holding ranges in the wrong order", holds(1, vec![range(9, 9), range(5, 5)]), vector);
    list.add("holding a range twice", holds(1, vec![range(9, 9), range(9, 9)]), vector);
    list.add("holding a range that ends before it begins", holds(1, vec![range(9, 5)]), vector);
    let early = input(NO_HELLO, &[message(&Message::Ack(Ack { done: vec![1], statements: Vec::new() }))]);
    list.add("that is an acknowledgement", early, "out of place");
    let part = samples::run_part().into_iter().next();
    let run = part.map(|part| message(&Message::Run(part))).unwrap_or_default();
    list.add("that is a run", input(NO_HELLO, &[run]), "out of place");
    list.add("that does not come", input(NO_HELLO, &[command(7, &[0, 0x27, 0x10])]), "timeout");
    list.detailed("that is not sealed", input(NO_HELLO, &[command(1, &[1, 7, 7])]), "session", "seal record");
    list.done()
}

/// What a member sends after the greeting.
#[expect(clippy::needless_pass_by_value, reason = "it is made where it is passed")]
fn sends(sent: Message) -> Vec<u8> {
    input(0, &[message(&sent)])
}

fn members() -> Vec<Hostile> {
    let mut list = List::new("member", session);
    let again = samples::hello();
    list.add("greets twice", sends(Message::Hello(Box::new(again))), "out of place");
    let inner = |bytes: &[u8]| input(0, &[command(2, bytes)]);
    let bad = "session";
    list.detailed("seals nothing", inner(&[]), bad, "frame length");
    list.detailed("sends an unknown message", inner(&[77, 0, 0, 0, 0, 0]), bad, "frame kind");
    list.detailed("sends a zip bomb", inner(&[10, 1, 0xff, 0xff, 0xff, 0, 1]), bad, "frame ratio");
    list.detailed("announces 4 GiB", inner(&[10, 1, 0xff, 0xff, 0xff, 0xff, 1]), bad, "frame too long");
    list.detailed("sends a body that is cut", inner(&[10, 0, 1, 0, 0, 0, 1]), bad, "message malformed");
    list.detailed("repeats a sealed frame", input(0, &[command(1, &[1, 9, 9, 9])]), bad, "seal record");
    list.detailed("shakes hands again", input(0, &[command(1, &[0, 9, 9, 9])]), bad, "seal handshake");
    list.detailed("refuses in the clear", input(0, &[command(1, &[2, 9])]), bad, "seal handshake");
    let request = |first, last| {
        let range = SeqRange { first: Seq(first), last: Seq(last) };
        let ranges = vec![WantedRange { origin: origin(4), range, previous: None }];
        RangeRequest { request: 1, partition: PARTITION, ranges, max_bytes: 1, cursor: None }
    };
    let vector = "impossible vector";
    list.add("asks up to u64::MAX", sends(Message::StateRequest(request(1, u64::MAX))), vector);
    list.add("asks for u64::MAX", sends(Message::SharedChangeRequest(request(u64::MAX, u64::MAX))), vector);
    let entry = VectorEntry { origin: origin(5), head: Seq(u64::MAX), ranges: Vec::new(), hash: None };
    let beat = Heartbeat { partition: PARTITION, digest: [0; 16], is_answer: true, entries: vec![entry] };
    list.add("answers a heartbeat with u64::MAX", sends(Message::Heartbeat(beat)), vector);
    let answer = || RangeResponse { request: 99, part: None, last: true, more: true, cursor: None };
    let answers: Vec<Vec<u8>> = (0..17).map(|_| message(&Message::StateResponse(answer()))).collect();
    list.detailed(
        "answers 17 times what was not asked",
        input(0, &answers),
        "session limit",
        "unsolicited answers",
    );
    let states = |statements: Vec<SignedStatement>| sends(Message::Ack(Ack { done: Vec::new(), statements }));
    let mut forged = samples::statement(5);
    forged.signature.0[3] ^= 1;
    list.detailed("forges another's statement", states(vec![forged]), bad, "statement signature");
    let member: Origin = origin(5);
    let own = samples::statement(3).verify(&SPACE);
    let as_other = own.map(|statement: Statement| Statement { member, ..statement }.sign(&device_key(3)));
    list.detailed(
        "states in another's name",
        states(as_other.into_iter().collect()),
        bad,
        "statement signature",
    );
    for part in runs() {
        list.detailed(part.0, sends(Message::Run(part.1)), bad, part.2);
    }
    let error = |about| {
        let (code, detail) = (ErrorCode::Goodbye, String::new());
        sends(Message::Error(ErrorMessage { code, about, retryable: false, detail }))
    };
    list.add("ends the session", error(About::Session), "refused");
    list.add("complains about a message", error(About::Message(0)), "refused");
    list.add("is silent for 90 seconds", input(0, &[command(7, &[1, 0x5f, 0x90])]), "timeout");
    let kind = join(&[&[Kind::Ack as u8], &[0x80; 11]]);
    list.detailed("sends a number without end", input(0, &[command(3, &kind)]), bad, "message malformed");
    list.done()
}

fn runs() -> Vec<(&'static str, RunPart, &'static str)> {
    let Some(part) = samples::run_part().into_iter().next() else { return Vec::new() };
    let forged = |change: &dyn Fn(&mut RunPart)| {
        let mut forged = part.clone();
        change(&mut forged);
        forged
    };
    vec![
        ("forges a run", forged(&|part| part.proof.signature.0[1] ^= 1), "violation signature"),
        ("sends a run in another's name", forged(&|part| part.origin = origin(5)), "violation key"),
        ("sends a run without changesets", forged(&|part| part.changesets.clear()), "violation shape"),
        ("sends a run without its link", forged(&|part| part.links.clear()), "violation signature"),
        ("sends a run from the middle", forged(&|part| part.first = Seq(2)), "violation chain"),
        (
            "sends a body of another",
            forged(&|part| {
                for changeset in &mut part.changesets {
                    changeset.shared =
                        sync_core::wire::WireShared::Whole(sync_core::wire::Opaque(vec![1, 0]));
                }
            }),
            "violation body",
        ),
    ]
}
