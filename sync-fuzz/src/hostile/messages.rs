//! Message bodies.

use sync_core::{
    ids::{Hash, Seq},
    vector::SeqRange,
    wire::{
        About, Ack, ErrorCode, ErrorMessage, Heartbeat, Kind, Message, Opaque, RangeRequest, VectorEntry,
        WantedRange, WireChangeset, WireShared,
    },
};

use super::{
    build::{join, overlong, patched, text, trailing, varint},
    list::{Hostile, List},
};
use crate::{
    samples::{self, PARTITION, origin},
    targets::{ack, error_message, heartbeat, hello, range_request, range_response, run_part},
};

const BAD: &str = "message malformed";

pub(super) fn all() -> Vec<Hostile> {
    [hellos(), parts(), requests(), responses(), acks(), heartbeats(), errors()].concat()
}

fn valid(kind: Kind) -> Vec<u8> {
    let of_kind = samples::messages().into_iter().find(|message| message.kind() == kind);
    of_kind.map(|message| message.encode()).unwrap_or_default()
}

/// Cuts in the middle of things, and a byte too much.
fn ends(list: &mut List, valid: &[u8], places: usize) {
    let at: Vec<usize> = (0..places).map(|n| n * valid.len() / places).collect();
    list.cuts(valid, &at, BAD);
    list.add("cut before the last byte", valid.get(..valid.len() - 1).unwrap_or_default(), BAD);
    list.add("trailing byte", trailing(valid), BAD);
}

fn hellos() -> Vec<Hostile> {
    let mut list = List::new("hello", hello);
    let valid = valid(Kind::Hello);
    ends(&mut list, &valid, 9);
    // protocol 2, space 16, device 16, incarnation 3, key 32: the length of the signature stands at 69.
    let signature = 69;
    list.add("signature of 63 bytes", patched(&valid, signature, &[63]), BAD);
    list.add("signature of 65 bytes", patched(&valid, signature, &[65]), BAD);
    list.add("incarnation beyond 32 bits", patched(&valid, 34, &[0xff, 0xff, 0xff, 0xff, 0x1f]), BAD);
    let before = valid.get(..signature + 65 + 16).unwrap_or_default();
    let model = |name: &[u8]| join(&[&text(name), &[2; 16]]);
    let rest = [1, 0];
    let models = |count: &[u8], all: &[u8]| join(&[before, count, all, &rest]);
    list.add("2^63 models", models(&varint(1 << 63), &[]), BAD);
    list.add("4097 models", models(&varint(4097), &model(b"m").repeat(4097)), BAD);
    list.add("model named by nothing", models(&[1], &model(b"")), BAD);
    list.add("model with a name of 257 bytes", models(&[1], &model(&[b'm'; 257])), BAD);
    list.add("model with a name of 1 MB", models(&[1], &model(&vec![b'm'; 1_000_000])), BAD);
    list.add("model whose name is not UTF-8", models(&[1], &model(&[0xc3, 0x28])), BAD);
    list.add("2^63 partitions", join(&[before, &[0, 1], &varint(1 << 63)]), BAD);
    list.add("4097 partitions", join(&[before, &[0, 1], &varint(4097), &vec![0; 17 * 4097]]), BAD);
    list.add("capabilities beyond 64 bits", join(&[before, &[0], &[0xff; 10], &[0]]), BAD);
    list.add("more than 4 MiB", vec![0; (4 << 20) + 1], BAD);
    list.done()
}

fn parts() -> Vec<Hostile> {
    let mut list = List::new("run part", run_part);
    let Some(part) = samples::run_part().into_iter().next() else { return Vec::new() };
    let bytes = Message::Run(part.clone()).encode();
    let as_kind = |kind: u8, bytes: &[u8]| join(&[&[kind], bytes]);
    list.cuts(&as_kind(1, &bytes), &[1, 2, 5, 20, 40, 80, 150, 300, bytes.len()], BAD);
    list.add("trailing byte", trailing(&as_kind(1, &bytes)), BAD);
    for (kind, name) in [(0, "single change"), (2, "single state"), (3, "batch of state")] {
        list.add(format!("batch as a {name}"), as_kind(kind, &bytes), "message of the wrong kind");
    }
    let owned =
        Message::Run(sync_core::wire::RunPart { owned: vec![Opaque(vec![1])], ..part.clone() }).encode();
    list.add("state as a batch of changes", as_kind(1, &owned), "message of the wrong kind");
    let many = |changesets, links, owned| {
        let part = sync_core::wire::RunPart { changesets, links, owned, ..part.clone() };
        as_kind(1, &Message::Run(part).encode())
    };
    let empty = || WireChangeset { header: Opaque(Vec::new()), shared: WireShared::None };
    list.add("65537 changesets", many(vec![empty(); 65_537], Vec::new(), Vec::new()), BAD);
    list.add("65537 links", many(Vec::new(), vec![Opaque::default(); 65_537], Vec::new()), BAD);
    list.add("4097 pages", many(Vec::new(), Vec::new(), vec![Opaque::default(); 4097]), BAD);
    let head = bytes.get(..1 + 1 + 1 + 16 + 16 + 3 + 32 + 1).unwrap_or_default();
    list.add("first sequence beyond 64 bits", as_kind(1, &join(&[head, &[0xff; 10], &[1]])), BAD);
    list.add("transfer in eleven bytes", as_kind(1, &join(&[&[0x80; 10], &[0], &bytes])), BAD);
    list.add("a flag that is 2", as_kind(1, &patched(&bytes, 2, &[2])), BAD);
    let shared = bytes.windows(4).position(|w| w == [0x80, 0x80, 0x80, 0x80]);
    assert!(shared.is_none(), "no run of continuation bytes in the sample");
    list.done()
}

fn requests() -> Vec<Hostile> {
    let mut list = List::new("request", range_request);
    let valid = valid(Kind::SharedChangeRequest);
    ends(&mut list, &valid, 6);
    let range = SeqRange { first: Seq(1), last: Seq(2) };
    let wanted = WantedRange { origin: origin(4), range, previous: None };
    let request = |ranges| {
        let request = RangeRequest { request: 1, partition: PARTITION, ranges, max_bytes: 9, cursor: None };
        Message::SharedChangeRequest(request).encode()
    };
    list.add("4097 ranges", request(vec![wanted; 4097]), BAD);
    list.add("2^63 ranges", join(&[&[1], &[0; 16], &varint(1 << 63)]), BAD);
    list.add("bytes beyond 32 bits", join(&[&[1], &[0; 16], &[0], &varint(1 << 32), &[0]]), BAD);
    list.add("cursor that is neither", join(&[&[1], &[0; 16], &[0], &[9, 2]]), BAD);
    list.add("cursor of 2^63 bytes", join(&[&[1], &[0; 16], &[0], &[9, 1], &varint(1 << 63)]), BAD);
    let hash = Some(Hash([1; 32]));
    let odd = request(vec![WantedRange { previous: hash, ..wanted }]);
    list.add("hash that is neither there nor not", patched(&odd, 1 + 16 + 1 + 19 + 2, &[3]), BAD);
    list.done()
}

fn responses() -> Vec<Hostile> {
    let mut list = List::new("response", range_response);
    let valid = valid(Kind::StateResponse);
    ends(&mut list, &valid, 6);
    list.add("part that is neither", join(&[&[1, 2], &[0; 4]]), BAD);
    list.add("flag that is 2", join(&[&[1, 0], &[2, 0, 0]]), BAD);
    list.add("second flag that is 255", join(&[&[1, 0], &[0, 255, 0]]), BAD);
    list.add("request beyond 64 bits", join(&[&[0xff; 10], &[0, 0, 0, 0]]), BAD);
    list.add("cursor longer than the message", join(&[&[1, 0, 1, 0, 1], &varint(1 << 20)]), BAD);
    list.done()
}

fn acks() -> Vec<Hostile> {
    let mut list = List::new("ack", ack);
    let valid = valid(Kind::Ack);
    ends(&mut list, &valid, 6);
    let done = |count: usize| Message::Ack(Ack { done: vec![1; count], statements: Vec::new() }).encode();
    list.add("4097 transfers", done(4097), BAD);
    list.add("2^63 transfers", varint(1 << 63), BAD);
    let statements = vec![samples::statement(3); 1025];
    list.add("1025 statements", Message::Ack(Ack { done: Vec::new(), statements }).encode(), BAD);
    list.add("2^63 statements", join(&[&[0], &varint(1 << 63)]), BAD);
    list.add("transfer beyond 64 bits", join(&[&[1], &[0xff; 9], &[0x7f], &[0]]), BAD);
    list.add("statement of 4 GiB", join(&[&[0, 1], &[7; 32], &varint(1 << 32)]), BAD);
    list.done()
}

fn heartbeats() -> Vec<Hostile> {
    let mut list = List::new("heartbeat", heartbeat);
    let entry = |ranges: usize| {
        let range = SeqRange { first: Seq(9), last: Seq(9) };
        VectorEntry { origin: origin(4), head: Seq(1), ranges: vec![range; ranges], hash: None }
    };
    let beat = |entries| {
        let heartbeat = Heartbeat { partition: PARTITION, digest: [8; 16], is_answer: true, entries };
        Message::Heartbeat(heartbeat).encode()
    };
    ends(&mut list, &beat(vec![entry(2)]), 5);
    list.add("65 ranges", beat(vec![entry(65)]), BAD);
    list.add("65537 entries", beat(vec![entry(0); 65_537]), BAD);
    list.add("2^63 entries", join(&[&[0; 32], &[1], &varint(1 << 63)]), BAD);
    list.add("answer that is 2", join(&[&[0; 32], &[2, 0]]), BAD);
    list.add("digest of 15 bytes", join(&[&[0; 16], &[8; 15], &[0, 0]]), BAD);
    list.done()
}

fn errors() -> Vec<Hostile> {
    let mut list = List::new("error", error_message);
    let error = |detail: &str| {
        let code = ErrorCode::Busy;
        let message =
            ErrorMessage { code, about: About::Session, retryable: false, detail: detail.to_owned() };
        Message::Error(message).encode()
    };
    ends(&mut list, &valid(Kind::Error), 5);
    list.add("detail of 257 bytes", error(&"d".repeat(257)), BAD);
    list.add("detail of 1 MB", error(&"d".repeat(1_000_000)), BAD);
    list.add("detail that is not UTF-8", join(&[&[9, 0, 0], &text(&[0xff, 0xfe])]), BAD);
    list.add(
        "detail with half a character",
        join(&[&[9, 0, 0], &text("é".as_bytes().get(..1).unwrap_or_default())]),
        BAD,
    );
    list.add("detail of 2^63 bytes", join(&[&[9, 0, 0], &varint(1 << 63)]), BAD);
    list.add("about something unknown", [9, 5, 0, 0].as_slice(), BAD);
    list.add("about something of number 2^32", join(&[&[9], &varint(1 << 32), &[0, 0]]), BAD);
    list.add("about a transfer beyond 64 bits", join(&[&[9, 2], &[0xff; 10], &[0, 0]]), BAD);
    list.add("retryable as 7", [9, 0, 7, 0].as_slice(), BAD);
    list.add("length in a longer form and nothing else", join(&[&[9, 0, 0], &overlong(5)]), BAD);
    list.done()
}
