//! Every target with its name, its cost and the inputs to begin from.

use sync_core::{
    changeset::encode_body,
    wire::{FrameKind, Kind, Message, PartitionVector, VectorEntry, encode_frame, encode_inner},
};

use super::{
    Zstd, ack, assemble, body, changes, configuration, entries, error_message, frame, handshake, header,
    heartbeat, hello, hlc, id, inner, json, owned, range_request, range_response, record, residue, run_part,
    sealed, sealed_sample, session, set_operation, statement, url, value, vector, verify,
};
use crate::{
    outcome::Outcome,
    random::Random,
    samples::{self, golden},
};

/// A parser of outside bytes with what it must hold.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also that of its corpus.
    pub name: &'static str,
    /// Takes any bytes; panics when something is wrong.
    pub run: fn(&[u8]) -> Outcome,
    /// Valid inputs.
    pub samples: fn() -> Vec<Vec<u8>>,
    /// Its share of a number of executions: cheap parsers have large ones.
    pub share: u64,
}

macro_rules! target {
    ($name:literal, $run:ident, $samples:ident, $share:literal) => {
        Target { name: $name, run: $run, samples: inputs::$samples, share: $share }
    };
}

/// All targets.
pub const ALL: &[Target] = &[
    target!("frame", frame, frame, 1000),
    target!("inner", inner, inner, 200),
    target!("handshake", handshake, handshake, 5),
    target!("sealed", sealed, sealed, 100),
    target!("hello", hello, hello, 400),
    target!("run-part", run_part, run_part, 600),
    target!("range-request", range_request, range_request, 1300),
    target!("range-response", range_response, range_response, 400),
    target!("ack", ack, ack, 900),
    target!("heartbeat", heartbeat, heartbeat, 900),
    target!("error", error_message, error, 1000),
    target!("header", header, header, 800),
    target!("body", body, body, 300),
    target!("changes", changes, body, 120),
    target!("owned", owned, owned, 150),
    target!("assemble", assemble, runs, 200),
    target!("verify", verify, runs, 40),
    target!("statement", statement, statement, 150),
    target!("vector", vector, vector, 100),
    target!("entries", entries, entries, 300),
    target!("hlc", hlc, hlc, 40),
    target!("id", id, id, 1000),
    target!("value", value, value, 400),
    target!("set-operation", set_operation, set_operation, 100),
    target!("json", json, json, 150),
    target!("record", record, record, 300),
    target!("residue", residue, residue, 25),
    target!("session", session, session, 3),
    target!("url", url, url, 20),
    target!("configuration", configuration, configuration, 50),
];

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}

/// The inputs to begin from.
mod inputs {
    use super::{
        FrameKind, Kind, Message, PartitionVector, Random, VectorEntry, Zstd, encode_body, encode_frame,
        encode_inner, golden, samples, sealed_sample,
    };

    fn of_kinds(kinds: &[Kind]) -> Vec<Vec<u8>> {
        let all = samples::messages().into_iter().filter(|message| kinds.contains(&message.kind()));
        all.map(|message| message.encode()).collect()
    }

    /// Several of `make`, from seeds.
    fn drawn(count: u64, make: impl Fn(&mut Random) -> Vec<u8>) -> Vec<Vec<u8>> {
        (0..count).map(|seed| make(&mut Random::new(seed))).collect()
    }

    pub(super) fn frame() -> Vec<Vec<u8>> {
        let mut all =
            vec![golden("handshake-first"), golden("handshake-second"), golden("sealed-shared-change")];
        all.extend(encode_frame(FrameKind::Refusal, &golden("error")));
        all
    }

    pub(super) fn inner() -> Vec<Vec<u8>> {
        let messages = samples::messages();
        let plain = messages.iter().filter_map(|m| encode_inner(m.kind(), &m.encode(), None).ok());
        let mut all: Vec<_> = plain.collect();
        let zipped =
            messages.iter().filter_map(|m| encode_inner(m.kind(), &m.encode(), Some(&mut Zstd)).ok());
        all.extend(zipped);
        all
    }

    pub(super) fn handshake() -> Vec<Vec<u8>> {
        let body = |name: &str| golden(name).get(10..).unwrap_or_default().to_vec();
        let (first, second) = (body("handshake-first"), body("handshake-second"));
        vec![[vec![0], first].concat(), [vec![1], second].concat()]
    }

    pub(super) fn sealed() -> Vec<Vec<u8>> {
        let plain = [Vec::new(), b"plain".to_vec(), vec![7; 300]];
        plain.iter().filter_map(|plain| sealed_sample(plain)).collect()
    }

    pub(super) fn hello() -> Vec<Vec<u8>> {
        [of_kinds(&[Kind::Hello]), vec![golden("hello")]].concat()
    }

    pub(super) fn run_part() -> Vec<Vec<u8>> {
        let kinds = [Kind::SharedChange, Kind::SharedChangeBatch, Kind::StateChange, Kind::StateBatch];
        let names = ["shared-change", "shared-change-batch", "state-change", "state-batch"];
        let mut all = Vec::new();
        for ((kind, name), first) in kinds.into_iter().zip(names).zip(0_u8..) {
            let bodies = [of_kinds(&[kind]), vec![golden(name)]].concat();
            all.extend(bodies.into_iter().map(|body| [vec![first], body].concat()));
        }
        all
    }

    pub(super) fn range_request() -> Vec<Vec<u8>> {
        vec![golden("shared-change-request"), golden("state-request")]
    }

    pub(super) fn range_response() -> Vec<Vec<u8>> {
        let golden = vec![golden("shared-change-response"), golden("state-response")];
        [golden, of_kinds(&[Kind::SharedChangeResponse, Kind::StateResponse])].concat()
    }

    pub(super) fn ack() -> Vec<Vec<u8>> {
        [of_kinds(&[Kind::Ack]), vec![golden("ack")]].concat()
    }

    pub(super) fn heartbeat() -> Vec<Vec<u8>> {
        [of_kinds(&[Kind::Heartbeat]), vec![golden("heartbeat"), golden("heartbeat-answer")]].concat()
    }

    pub(super) fn error() -> Vec<Vec<u8>> {
        [of_kinds(&[Kind::Error]), vec![golden("error")]].concat()
    }

    pub(super) fn header() -> Vec<Vec<u8>> {
        let mut all: Vec<_> = samples::signed_runs().into_iter().flat_map(|run| run.headers).collect();
        all.push(golden("header"));
        all
    }

    pub(super) fn body() -> Vec<Vec<u8>> {
        let own = samples::header(4, sync_core::ids::Hash([1; 32])).version();
        let mut all = drawn(24, |random| encode_body(&samples::body(random, own)));
        all.push(golden("body"));
        all
    }

    pub(super) fn owned() -> Vec<Vec<u8>> {
        let pages = samples::signed_runs().into_iter().flat_map(|run| run.owned);
        pages.chain(body()).collect()
    }

    /// Run parts, each behind its length.
    pub(super) fn runs() -> Vec<Vec<u8>> {
        let piece = |part: &sync_core::wire::RunPart| {
            let bytes = Message::Run(part.clone()).encode();
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            [length.to_le_bytes().to_vec(), bytes].concat()
        };
        let parts = samples::run_parts();
        let mut all: Vec<Vec<u8>> = parts.iter().map(piece).collect();
        all.push(parts.iter().flat_map(piece).collect());
        // One part taken apart into three: a header, another header, the links.
        let mut split = Vec::new();
        for part in parts.iter().filter(|part| part.changesets.len() == 2) {
            let mut pieces = [part.clone(), part.clone(), part.clone()];
            for (index, piece) in (0_u32..).zip(&mut pieces) {
                piece.index = index;
                piece.last = index == 2;
                let at = usize::try_from(index).unwrap_or_default();
                piece.changesets = part.changesets.get(at..=at).unwrap_or_default().to_vec();
                if index < 2 {
                    piece.links.clear();
                    piece.owned.clear();
                }
            }
            split.extend(pieces.iter().flat_map(piece));
        }
        all.push(split);
        all
    }

    pub(super) fn statement() -> Vec<Vec<u8>> {
        (3..6).map(|n| samples::statement(n).to_bytes()).collect()
    }

    pub(super) fn vector() -> Vec<Vec<u8>> {
        let one = postcard::to_stdvec(&samples::vector()).unwrap_or_default();
        vec![one.clone(), [one.clone(), one].concat()]
    }

    pub(super) fn entries() -> Vec<Vec<u8>> {
        let vector = samples::vector();
        let entries = vector.iter().map(|(origin, held)| VectorEntry::new(*origin, held, None)).collect();
        let stated = PartitionVector { partition: samples::PARTITION, entries };
        vec![postcard::to_stdvec(&stated).unwrap_or_default()]
    }

    pub(super) fn hlc() -> Vec<Vec<u8>> {
        let now = 1_700_000_000_000_u64;
        let times = [now << 16, 0, now, (now << 16) | 1, now, ((now + 90_000) << 16) | 1];
        vec![times.iter().flat_map(|time| time.to_le_bytes()).collect()]
    }

    pub(super) fn id() -> Vec<Vec<u8>> {
        let texts = ["5d1e0c9a473b4f689b21c60f8e52d713", "5D1E0C9A-473b-4f68-9b21-c60f8e52d713"];
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    pub(super) fn value() -> Vec<Vec<u8>> {
        drawn(24, |random| {
            let kind = sync_core::value::MergeKind::LastWriter;
            let values = [samples::value(random, kind), samples::value(random, kind)];
            values.iter().flat_map(|value| postcard::to_stdvec(value).unwrap_or_default()).collect()
        })
    }

    pub(super) fn set_operation() -> Vec<Vec<u8>> {
        let mut all = drawn(12, |random| match samples::set_operation(random).to_value() {
            sync_core::value::Value::Blob(bytes) => bytes,
            _ => Vec::new(),
        });
        all.push(golden("set-operation"));
        all
    }

    pub(super) fn json() -> Vec<Vec<u8>> {
        let texts = [
            "[]",
            r#"[ "b" , "a\u0041\ud83d\ude00\/\n" , {"z":1.50,"a":[ ]}, 12345678901234567890123, null, "b" ]"#,
            r#"[true,false,null,-0.5e+10,{"a":{"b":[[[1]]]}}]"#,
        ];
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    pub(super) fn record() -> Vec<Vec<u8>> {
        let mut all = drawn(24, |random| samples::record(random).encode());
        all.push(golden("record"));
        all
    }

    pub(super) fn residue() -> Vec<Vec<u8>> {
        let columns: Vec<_> = samples::row().into_iter().map(|(name, kind, _)| (name, kind)).collect();
        let mut all = drawn(24, |random| samples::record(random).residue_beside(&columns));
        all.push(golden("residue"));
        all
    }

    fn command(operation: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        [vec![operation], length.to_le_bytes().to_vec(), bytes.to_vec()].concat()
    }

    /// Conversations: all messages one after the other, each alone, and what the engine answers.
    pub(super) fn session() -> Vec<Vec<u8>> {
        let messages = samples::messages().into_iter().filter(|message| message.kind() != Kind::Hello);
        let commands: Vec<Vec<u8>> =
            messages.map(|m| command(3, &[vec![m.kind() as u8], m.encode()].concat())).collect();
        let engine: Vec<Vec<u8>> = [
            command(10, &[0]),
            command(10, &[1]),
            command(8, &[2]),
            command(8, &[1]),
            command(13, &[]),
            command(7, &[0, 120, 0]),
            command(12, &[[5].as_slice(), &12_u64.to_le_bytes()].concat()),
        ]
        .into();
        let mut all: Vec<Vec<u8>> = Vec::new();
        for flags in [0, 1, 8, 9] {
            all.push([vec![flags], commands.concat()].concat());
            all.push([vec![flags], engine.concat()].concat());
        }
        for one in &commands {
            all.push([vec![8], one.clone(), engine.concat()].concat());
        }
        for flags in [2, 3, 4, 5] {
            all.push([vec![flags], commands.first().cloned().unwrap_or_default()].concat());
        }
        let handshake = golden("handshake-first");
        all.push([vec![3], command(0, &handshake), command(14, &[])].concat());
        all
    }

    pub(super) fn url() -> Vec<Vec<u8>> {
        let texts = [
            "ws://127.0.0.1:4000",
            "wss://user:pass@[::1]:443/a%20b/c?token=t&name=v%2Fw",
            "memory://a?window=9&backlog=2",
            "file:///path/to/Dropbox/notes",
        ];
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    pub(super) fn configuration() -> Vec<Vec<u8>> {
        let texts = [
            "memory://a?window=9&backlog=2",
            "ws://h:1?handshake_timeout_ms=7&ping_interval_ms=8&ping_timeout_ms=9&send_timeout_ms=10",
            "ws://h",
        ];
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }
}
