//! The bytes of every message, frame and signature as they were when version 1 was fixed. A difference here is a
//! change of the format. `GOLDEN=write cargo test -p sync-core --test wire_golden` writes files that are missing.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

use std::{fmt::Write as _, fs, path::PathBuf};

use sync_core::{
    authorship::{DeviceKey, Floor, Head, SpaceKey, Statement, sign_head, verify_head},
    changeset::Name,
    hlc::{Hlc, Millis, Stamp},
    ids::{Hash, Incarnation, Origin, PartitionId, Seq, SpaceId},
    vector::{Held, SeqRange, VersionVector},
    wire::{
        About, Ack, BodyPart, Capabilities, ErrorCode, ErrorMessage, FrameKind, Handshake, Heartbeat, Hello,
        Kind, Message, ModelEntry, NoCompression, Opaque, PartitionVector, ProtocolRange, RangeRequest,
        RangeResponse, Role, RunPart, Schema, Signature, VectorEntry, WantedRange, WireChangeset, WireShared,
        decode_frame, decode_inner, encode_frame, encode_inner,
    },
};

const SPACE: SpaceId = SpaceId::from_bytes([0x51; 16]);

fn key() -> DeviceKey {
    DeviceKey::from_seed(&[3; 32])
}

fn origin() -> Origin {
    Origin { device: key().device(), incarnation: Incarnation(0xabcd) }
}

fn entry() -> VectorEntry {
    let range = SeqRange { first: Seq(900), last: Seq(1_000) };
    VectorEntry::new(origin(), &Held { head: Seq(300), ranges: vec![range] }, Some(Hash([4; 32])))
}

fn part() -> RunPart {
    let proof = sign_head(&key(), &SPACE, &PartitionId::ROOT, &origin(), Seq(5), Hash([6; 32]));
    RunPart {
        transfer: 77,
        index: 0,
        last: true,
        partition: PartitionId::ROOT,
        origin: origin(),
        public_key: key().public(),
        first: Seq(5),
        proof,
        changesets: vec![WireChangeset {
            header: Opaque(b"header".to_vec()),
            shared: WireShared::Whole(Opaque(b"body".to_vec())),
        }],
        piece: None,
        links: Vec::new(),
        owned: Vec::new(),
    }
}

fn batch() -> RunPart {
    let piece = BodyPart { header: Hash([7; 32]), index: 0, of: 2, bytes: Opaque(b"half a body".to_vec()) };
    let large = WireChangeset { header: Opaque(b"large".to_vec()), shared: WireShared::Parts(2) };
    let empty = WireChangeset { header: Opaque(b"empty".to_vec()), shared: WireShared::None };
    RunPart {
        index: 1,
        last: false,
        changesets: vec![empty, large],
        piece: Some(piece),
        links: vec![Opaque(b"link".to_vec())],
        ..part()
    }
}

fn statement() -> Statement {
    let mut vector = VersionVector::new();
    vector.insert(origin(), SeqRange { first: Seq(1), last: Seq(5) });
    vector.insert(origin(), SeqRange { first: Seq(8), last: Seq(9) });
    let hlc = Hlc::at(Millis(1_700_000_000_000));
    Statement {
        space: SPACE,
        partition: PartitionId::ROOT,
        member: origin(),
        vector: vector.clone(),
        head: Head { seq: Seq(5), hash: Hash([6; 32]) },
        clock: hlc,
        floor: Floor { vector, highest: Some(Stamp::new(hlc, origin())) },
    }
}

fn hello() -> Hello {
    Hello {
        protocol: ProtocolRange { min: 1, max: 1 },
        space: SPACE,
        origin: origin(),
        public_key: key().public(),
        signature: Signature([9; 64]),
        schema: Schema {
            fingerprint: [1; 16],
            models: vec![ModelEntry { name: Name::from("tag"), fingerprint: [2; 16] }],
        },
        capabilities: Capabilities::ZSTD,
        vectors: vec![PartitionVector { partition: PartitionId::ROOT, entries: vec![entry()] }],
    }
}

fn messages() -> Vec<(&'static str, Message)> {
    let request = RangeRequest {
        request: 12,
        partition: PartitionId::ROOT,
        ranges: vec![WantedRange {
            origin: origin(),
            range: SeqRange { first: Seq(6), last: Seq(20) },
            previous: Some(Hash([6; 32])),
        }],
        max_bytes: 1 << 20,
        cursor: Some(Opaque(b"cursor".to_vec())),
    };
    let response = |part, last| RangeResponse { request: 12, part, last, more: last, cursor: None };
    let owned = vec![Opaque(b"page of rows".to_vec())];
    let heartbeat =
        |is_answer, entries| Heartbeat { partition: PartitionId::ROOT, digest: [8; 16], is_answer, entries };
    vec![
        ("hello", Message::Hello(Box::new(hello()))),
        ("shared-change", Message::Run(part())),
        ("shared-change-batch", Message::Run(batch())),
        ("state-change", Message::Run(RunPart { owned: owned.clone(), ..part() })),
        ("state-batch", Message::Run(RunPart { owned: owned.clone(), last: false, ..part() })),
        ("shared-change-request", Message::SharedChangeRequest(request.clone())),
        ("shared-change-response", Message::SharedChangeResponse(response(Some(part()), true))),
        ("state-request", Message::StateRequest(request)),
        ("state-response", Message::StateResponse(response(Some(RunPart { owned, ..part() }), false))),
        ("ack", Message::Ack(Ack { done: vec![1, 2, 300], statements: vec![statement().sign(&key())] })),
        ("heartbeat", Message::Heartbeat(heartbeat(false, Vec::new()))),
        ("heartbeat-answer", Message::Heartbeat(heartbeat(true, vec![entry()]))),
        (
            "error",
            Message::Error(ErrorMessage {
                code: ErrorCode::IngestFailed,
                about: About::Changeset(origin(), Seq(4)),
                retryable: true,
                detail: "no space left".to_owned(),
            }),
        ),
    ]
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(out, "{byte:02x}").unwrap();
        }
        out.push('\n');
    }
    out
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high * 16 + low).collect()
}

/// The committed bytes, after comparing `bytes` with them.
fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/wire").join(format!("{name}.hex"));
    if std::env::var("GOLDEN").is_ok_and(|mode| mode == "write") && !path.exists() {
        fs::write(&path, hex(bytes)).unwrap();
    }
    let committed = fs::read_to_string(&path).expect("a golden file for every message");
    assert_eq!(hex(bytes), committed, "{name} is not what version 1 sends");
    unhex(&committed)
}

#[test]
fn every_message_has_the_bytes_of_version_1() {
    for (name, message) in messages() {
        let committed = golden(name, &message.encode());
        assert_eq!(Message::decode(message.kind(), &committed).unwrap(), message, "{name}");
        for cut in 0..committed.len() {
            assert!(
                Message::decode(message.kind(), committed.get(..cut).unwrap()).is_err(),
                "{name} at {cut}"
            );
        }
    }
}

#[test]
fn every_kind_has_a_golden_message() {
    let mut kinds: Vec<Kind> = messages().iter().map(|(_, message)| message.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let all: Vec<Kind> = (0..=u8::MAX).filter_map(Kind::from_u8).collect();
    assert_eq!(kinds, all);
}

#[test]
fn statement_and_head_signatures_have_the_bytes_of_version_1() {
    let signed = statement().sign(&key());
    golden("statement", &[signed.public_key.0.as_slice(), &signed.body.0, &signed.signature.0].concat());
    assert_eq!(signed.verify(&SPACE).unwrap(), statement());
    let proof = part().proof;
    golden("head-signature", &proof.signature.0);
    assert!(verify_head(&key().public(), &SPACE, &PartitionId::ROOT, &origin(), &proof));
}

#[test]
fn frames_and_seals_have_the_bytes_of_version_1() {
    let space_key = SpaceKey::from_bytes([0x77; 32]);
    let mut initiator = Handshake::new(Role::Initiator, &space_key, [1; 32]).unwrap();
    let mut responder = Handshake::new(Role::Responder, &space_key, [2; 32]).unwrap();
    let first = initiator.write().unwrap();
    golden("handshake-first", &encode_frame(FrameKind::Handshake, &first).unwrap());
    responder.read(&first).unwrap();
    let second = responder.write().unwrap();
    golden("handshake-second", &encode_frame(FrameKind::Handshake, &second).unwrap());
    initiator.read(&second).unwrap();
    let (mut from, mut to) = (initiator.finish().unwrap(), responder.finish().unwrap());
    assert_eq!(from.handshake_hash(), to.handshake_hash());
    let message = messages().remove(1).1;
    let inner = encode_inner(message.kind(), &message.encode(), None).unwrap();
    let sealed = from.seal(&inner).unwrap();
    let frame = golden("sealed-shared-change", &encode_frame(FrameKind::Sealed, &sealed).unwrap());
    let (kind, body) = decode_frame(&frame).unwrap();
    assert_eq!(kind, FrameKind::Sealed);
    let envelope = decode_inner(&to.open(body).unwrap(), &mut NoCompression).unwrap();
    assert_eq!(Message::decode(envelope.kind, &envelope.body).unwrap(), message);
}

#[test]
fn a_frame_spans_as_many_records_as_it_needs() {
    let space_key = SpaceKey::from_bytes([0x77; 32]);
    let mut initiator = Handshake::new(Role::Initiator, &space_key, [1; 32]).unwrap();
    let mut responder = Handshake::new(Role::Responder, &space_key, [2; 32]).unwrap();
    responder.read(&initiator.write().unwrap()).unwrap();
    initiator.read(&responder.write().unwrap()).unwrap();
    let (mut from, mut to) = (initiator.finish().unwrap(), responder.finish().unwrap());
    for length in [0_usize, 1, 65_518, 65_519, 65_520, 65_519 * 2, 1 << 20] {
        let plain: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let sealed = from.seal(&plain).unwrap();
        assert_eq!(sealed.len(), length + 16 * length.div_ceil(65_519).max(1));
        assert_eq!(to.open(&sealed).unwrap(), plain);
    }
    // Without the last record the frame opens, but its length no longer fits.
    let inner = encode_inner(Kind::Ack, &vec![1; 65_519 + 100 - 6], None).unwrap();
    let sealed = from.seal(&inner).unwrap();
    let cut = to.open(sealed.get(..65_535).unwrap()).unwrap();
    assert!(decode_inner(&cut, &mut NoCompression).is_err());
}

/// Found by a hostile input: a model's name in a Hello had no bound, though no body can name such a model.
#[test]
fn a_hello_names_models_as_bodies_do() {
    for (length, fits) in [(0, false), (1, true), (256, true), (257, false), (1 << 20, false)] {
        let mut hello = hello();
        hello.schema.models[0].name = Name::from("m".repeat(length).as_str());
        let body = Message::Hello(Box::new(hello)).encode();
        assert_eq!(Message::decode(Kind::Hello, &body).is_ok(), fits, "{length}");
    }
}
