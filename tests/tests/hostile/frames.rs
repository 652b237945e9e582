//! Members whose frames are broken, repeated, reordered, compressed without measure, or rubbish.

use sync_core::{
    ids::{PartitionId, Seq},
    session::SessionError,
    vector::SeqRange,
    wire::{
        About, Ack, ErrorCode, FrameError, Heartbeat, Kind, Message, MessageError, RangeRequest,
        RangeResponse, SealError, WantedRange, encode_inner, split_run,
    },
};
use sync_tests::{
    device::Transport,
    hostile::{Forger, Noise, Scene, Talk, Write},
};

over_both_transports!(
    rubbish_under_the_seal_ends_the_session,
    rubbish_beside_the_seal_ends_the_session,
    ciphertext_that_is_cut_flipped_repeated_or_reordered_ends_the_session,
    kinds_and_lengths_that_do_not_exist_end_the_session,
    a_compressed_body_without_measure_is_never_restored,
    messages_with_flipped_bits_change_nothing,
    answers_that_nobody_asked_for_end_the_session,
    requests_without_measure_are_answered_within_bounds,
);

fn heartbeat() -> Message {
    Message::Heartbeat(Heartbeat {
        partition: PartitionId::ROOT,
        digest: [1; 16],
        is_answer: false,
        entries: Vec::new(),
    })
}

fn plain(message: &Message) -> Vec<u8> {
    encode_inner(message.kind(), &message.encode(), None).unwrap()
}

async fn rubbish_under_the_seal_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    for seed in 0..8 {
        println!("seed {seed}");
        let mut noise = Noise::new(seed);
        let length = usize::try_from(noise.below(3_000)).unwrap();
        let mut talk = Talk::greet(&forger, &scene.a).await;
        talk.say_bytes(&noise.bytes(length)).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::Malformed);
    }
    scene.untouched().await;
}

async fn rubbish_beside_the_seal_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    for seed in 100..104 {
        println!("seed {seed}");
        let mut noise = Noise::new(seed);
        let mut talk = Talk::greet(&forger, &scene.a).await;
        talk.put(noise.bytes(200)).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::Malformed);
        scene.ended(FrameError::Magic).await;
    }
    scene.untouched().await;
}

async fn ciphertext_that_is_cut_flipped_repeated_or_reordered_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let malformed = ErrorCode::Malformed;
    for fault in ["cut", "cut short", "flipped", "after one that was lost", "repeated"] {
        let mut talk = Talk::greet(&forger, &scene.a).await;
        let run = forger.commit(&[Write::label(1, "never")]);
        let part = split_run(run, 1).unwrap().remove(0);
        let mut frame = match fault {
            "repeated" => talk.seal(&plain(&heartbeat())),
            _ => talk.seal(&plain(&Message::Run(part))),
        };
        match fault {
            "cut" => {
                // With the length that it has now.
                frame.truncate(frame.len() - 5);
                let length = u32::try_from(frame.len() - 10).unwrap();
                frame[6..10].copy_from_slice(&length.to_le_bytes());
            }
            "cut short" => frame.truncate(frame.len() - 5),
            "flipped" => frame[60] ^= 1,
            "after one that was lost" => frame = talk.seal(&plain(&heartbeat())),
            _ => assert!(talk.put(frame.clone()).await),
        }
        talk.put(frame).await;
        assert_eq!(talk.farewell().await.code, malformed, "{fault}");
        scene
            .ended(match fault {
                "cut short" => SessionError::Frame(FrameError::Length),
                _ => SessionError::Seal(SealError::Record),
            })
            .await;
    }
    scene.untouched().await;
}

async fn kinds_and_lengths_that_do_not_exist_end_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let mut trailing = heartbeat().encode();
    trailing.push(0);
    // An Ack that claims 2^32 transfers, and a run part under another name.
    let endless = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 20]].concat();
    let run = Forger::among(&scene.a).commit(&[Write::label(1, "never")]);
    let part = Message::Run(split_run(run, 1).unwrap().remove(0)).encode();
    let cases: [(Vec<u8>, SessionError); 7] = [
        (vec![99, 0, 0, 0, 0, 0], FrameError::Kind(99).into()),
        (vec![Kind::Ack as u8, 7, 0, 0, 0, 0], FrameError::Compression.into()),
        (vec![Kind::Ack as u8, 0, 9, 0, 0, 0], FrameError::Length.into()),
        (vec![Kind::Ack as u8], FrameError::Length.into()),
        (inner(Kind::Heartbeat, &trailing), MessageError::Malformed(Kind::Heartbeat).into()),
        (inner(Kind::Ack, &endless), MessageError::Malformed(Kind::Ack).into()),
        (inner(Kind::StateBatch, &part), MessageError::WrongKind(Kind::StateBatch).into()),
    ];
    for (bytes, reason) in cases {
        let mut talk = Talk::greet(&forger, &scene.a).await;
        talk.say_bytes(&bytes).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::Malformed, "{reason:?}");
        scene.ended(reason).await;
    }
    scene.untouched().await;
}

fn inner(kind: Kind, body: &[u8]) -> Vec<u8> {
    encode_inner(kind, body, None).unwrap()
}

async fn a_compressed_body_without_measure_is_never_restored(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let claim = |length: u32, payload: usize| {
        let mut bytes = vec![Kind::Ack as u8, 1];
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&vec![0; payload]);
        bytes
    };
    let most = 16 << 20;
    for (bytes, reason) in [
        (claim(u32::MAX, 100), FrameError::TooLong(u64::from(u32::MAX))),
        (claim(most + 1, 1 << 20), FrameError::TooLong(u64::from(most) + 1)),
        (claim(100_001, 1_000), FrameError::Ratio),
        (claim(1_000, 1_000), FrameError::Compression),
    ] {
        let mut talk = Talk::greet(&forger, &scene.a).await;
        talk.say_bytes(&bytes).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::Malformed, "{reason:?}");
        scene.ended(reason).await;
    }
    scene.untouched().await;
}

/// Whatever still reads as a message after a bit was flipped must be harmless too. The run is not signed by its
/// author to begin with, so that none of its forms may be believed.
async fn messages_with_flipped_bits_change_nothing(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut run = forger.commit(&[Write::label(1, "never")]);
    run.proof.signature.0[3] ^= 1;
    let range = SeqRange { first: Seq(1), last: Seq(3) };
    let ranges = vec![WantedRange { origin: scene.b.status().origin, range, previous: None }];
    let request =
        RangeRequest { request: 1, partition: PartitionId::ROOT, ranges, max_bytes: 9_000, cursor: None };
    let response = RangeResponse { request: 1, part: None, last: true, more: false, cursor: None };
    let messages = [
        Message::Run(split_run(run, 1).unwrap().remove(0)),
        heartbeat(),
        Message::Ack(Ack { done: vec![1, 2], statements: Vec::new() }),
        Message::SharedChangeRequest(request.clone()),
        Message::StateRequest(request),
        Message::SharedChangeResponse(response),
    ];
    for seed in 0..3 {
        for message in &messages {
            println!("seed {seed}, {:?}", message.kind());
            let mut noise = Noise::new(seed);
            let mut talk = Talk::greet(&forger, &scene.a).await;
            let mut bytes = plain(message);
            let bit = usize::try_from(noise.below(bytes.len() as u64 * 8)).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            talk.say_bytes(&bytes).await;
            // Whatever it was: a Hello out of turn ends the session, after the device has looked at what came before.
            let hello = forger.hello(&talk);
            talk.say(&Message::Hello(Box::new(hello))).await;
            talk.farewell().await;
        }
    }
    scene.untouched().await;
}

async fn answers_that_nobody_asked_for_end_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let part = split_run(forger.commit(&[Write::label(1, "never")]), 9).unwrap().remove(0);
    let answer = RangeResponse { request: 5, part: Some(part), last: true, more: false, cursor: None };
    for _ in 0..17 {
        talk.say(&Message::StateResponse(answer.clone())).await;
    }
    assert_eq!(talk.farewell().await.code, ErrorCode::Limit);
    scene.ended(SessionError::Limit("unsolicited answers")).await;
    scene.untouched().await;
}

async fn requests_without_measure_are_answered_within_bounds(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let wanted = |origin| WantedRange {
        origin,
        range: SeqRange { first: Seq(1), last: Seq(u64::MAX - 1) },
        previous: None,
    };
    let origins = [scene.a.status().origin, forger.origin];
    let ranges: Vec<_> = origins.into_iter().cycle().take(4096).map(wanted).collect();
    let of = |request, ranges, max_bytes| RangeRequest {
        request,
        partition: PartitionId::ROOT,
        ranges,
        max_bytes,
        cursor: None,
    };
    for request in 1..=40 {
        talk.say(&Message::SharedChangeRequest(of(request, ranges.clone(), u32::MAX))).await;
    }
    let (mut answered, mut busy) = (0, 0);
    while answered + busy < 40 {
        match talk.hear().await.unwrap() {
            Message::SharedChangeResponse(answer) if answer.last => answered += 1,
            Message::Error(error) => {
                assert_eq!((error.code, error.retryable), (ErrorCode::Busy, true));
                assert!(matches!(error.about, About::Request(_)));
                busy += 1;
            }
            _ => {}
        }
    }
    assert!(answered >= 16, "{answered} answered, {busy} put off");
    // Ranges that are none ask for nothing.
    let none = WantedRange { range: SeqRange { first: Seq(9), last: Seq(2) }, ..wanted(origins[0]) };
    let zero = WantedRange { range: SeqRange { first: Seq(0), last: Seq(0) }, ..wanted(origins[0]) };
    talk.say(&Message::StateRequest(of(50, vec![none, zero], 0))).await;
    while let Some(message) = talk.hear().await {
        match message {
            Message::StateResponse(answer) if answer.last => break,
            Message::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    // There is nothing after the last number of all.
    let all = WantedRange { range: SeqRange { first: Seq(1), last: Seq(u64::MAX) }, ..wanted(origins[0]) };
    talk.say(&Message::StateRequest(of(51, vec![all], 9))).await;
    assert_eq!(talk.farewell().await.code, ErrorCode::Malformed);
    scene.ended(SessionError::ImpossibleVector).await;
    scene.untouched().await;
}
