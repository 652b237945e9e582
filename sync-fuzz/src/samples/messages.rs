//! One message of each kind, and runs in parts.

use sync_core::{
    authorship::DeviceKey,
    changeset::Name,
    ids::{Hash, Origin, Seq},
    vector::{Held, SeqRange},
    wire::{
        About, Ack, Capabilities, ErrorCode, ErrorMessage, Heartbeat, Hello, Message, ModelEntry, Opaque,
        PartitionVector, ProtocolRange, RangeRequest, RangeResponse, Role, Run, RunPart, Schema, Signature,
        VectorEntry, WantedRange, split_run,
    },
};

use super::{PARTITION, SPACE, device_key, origin, owned_run, run, statement};

fn entry() -> VectorEntry {
    let ranges = vec![
        SeqRange { first: Seq(900), last: Seq(1_000) },
        SeqRange { first: Seq(2_000), last: Seq(2_000) },
    ];
    VectorEntry::new(origin(4), &Held { head: Seq(300), ranges }, Some(Hash([4; 32])))
}

/// A Hello whose signature is none.
pub fn hello() -> Hello {
    Hello {
        protocol: ProtocolRange::OWN,
        space: SPACE,
        origin: origin(3),
        public_key: device_key(3).public(),
        signature: Signature([9; 64]),
        schema: Schema {
            fingerprint: [1; 16],
            models: vec![ModelEntry { name: Name::from("tag"), fingerprint: [2; 16] }],
        },
        capabilities: Capabilities::ZSTD,
        vectors: vec![PartitionVector { partition: PARTITION, entries: vec![entry()] }],
    }
}

/// A Hello that proves device 3 to whoever shares this handshake. The bytes that are signed are those of the
/// protocol's description: domain, role, handshake hash, space, origin.
pub fn hello_for(key: &DeviceKey, role: Role, handshake: &[u8; 32]) -> Hello {
    let own = Origin { device: key.device(), ..origin(3) };
    let mut signed = b"sync-kit hello 1\0".to_vec();
    signed.push(if role == Role::Initiator { 1 } else { 2 });
    signed.extend_from_slice(handshake);
    signed.extend_from_slice(SPACE.as_bytes());
    signed.extend_from_slice(own.device.as_bytes());
    signed.extend_from_slice(&own.incarnation.0.to_be_bytes());
    Hello { origin: own, public_key: key.public(), signature: key.sign(&signed), ..hello() }
}

/// All runs that device 3 ever signed.
pub fn signed_runs() -> Vec<Run> {
    vec![run(1, 3, 1), run(1, 1, 0), run(2, 3, 0), run(3, 4, 2), owned_run(3), run(9, 6, 1)]
}

/// The signed runs in parts: shared changes, links, owned rows.
pub fn run_parts() -> Vec<RunPart> {
    let runs = signed_runs().into_iter().zip(77..);
    runs.flat_map(|(run, transfer)| split_run(run, transfer).unwrap_or_default()).collect()
}

/// A message of each kind.
pub fn messages() -> Vec<Message> {
    let request = RangeRequest {
        request: 12,
        partition: PARTITION,
        ranges: vec![WantedRange {
            origin: origin(4),
            range: SeqRange { first: Seq(6), last: Seq(20) },
            previous: Some(Hash([6; 32])),
        }],
        max_bytes: 1 << 20,
        cursor: Some(Opaque(b"cursor".to_vec())),
    };
    let response = |part, last| RangeResponse { request: 0, part, last, more: last, cursor: None };
    let heartbeat =
        |is_answer, entries| Heartbeat { partition: PARTITION, digest: [8; 16], is_answer, entries };
    let mut all: Vec<Message> = run_parts().into_iter().map(Message::Run).collect();
    let first = super::run_part().into_iter().next();
    all.extend([
        Message::Hello(Box::new(hello())),
        Message::SharedChangeRequest(request.clone()),
        Message::StateRequest(request),
        Message::SharedChangeResponse(response(first.clone(), true)),
        Message::StateResponse(response(first, false)),
        Message::Ack(Ack { done: vec![0, 1, 300], statements: vec![statement(3), statement(4)] }),
        Message::Heartbeat(heartbeat(false, Vec::new())),
        Message::Heartbeat(heartbeat(true, vec![entry()])),
        Message::Error(ErrorMessage {
            code: ErrorCode::IngestFailed,
            about: About::Changeset(origin(4), Seq(4)),
            retryable: true,
            detail: "no space left".to_owned(),
        }),
    ]);
    all
}
