//! Members who lie in their Hello, or say things out of turn.

use sync_core::{
    authorship::DeviceKey,
    changeset::Name,
    ids::{DeviceId, Incarnation, Origin, Seq, SpaceId},
    session::SessionError,
    vector::SeqRange,
    wire::{
        About, Ack, ErrorCode, ErrorMessage, Hello, Kind, Message, MessageError, ModelEntry, ProtocolRange,
        Schema, SealError, VectorEntry,
    },
};
use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Transport, event},
    hostile::{Forger, Scene, Talk},
};

over_both_transports!(
    no_common_protocol_version_ends_the_session,
    another_space_with_the_same_key_ends_the_session,
    a_member_cannot_greet_as_another_device,
    a_device_that_greets_itself_is_told,
    a_vector_without_end_is_refused,
    sixty_thousand_invented_origins_are_borne,
    an_impossible_vector_is_refused,
    a_vector_that_claims_everything_takes_nothing_from_others,
    a_second_hello_ends_the_session,
    messages_before_hello_end_the_session,
    a_handshake_in_the_middle_ends_the_session,
    a_schema_of_odd_names_is_only_read,
    a_name_beyond_its_limit_ends_the_session,
);

fn said(code: ErrorCode, about: About) -> ErrorMessage {
    ErrorMessage { code, about, retryable: false, detail: String::new() }
}

async fn no_common_protocol_version_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    for (min, max) in [(2, 9), (0, 0), (9, 1)] {
        let range = ProtocolRange { min, max };
        let answer = Talk::greet_with(&forger, &scene.a, |hello| hello.protocol = range).await;
        assert_eq!(answer, said(ErrorCode::NoCommonProtocol, About::Session), "{range:?}");
        scene.ended(SessionError::NoCommonProtocol(range)).await;
    }
    scene.untouched().await;
}

async fn another_space_with_the_same_key_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let other = SpaceId::from_bytes([3; 16]);
    let answer = Talk::greet_with(&forger, &scene.a, |hello| hello.space = other).await;
    assert_eq!(answer, said(ErrorCode::WrongSpace, About::Session));
    scene.ended(SessionError::WrongSpace).await;
    scene.untouched().await;
}

async fn a_member_cannot_greet_as_another_device(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let honest = scene.b.status().origin;
    let unproved = said(ErrorCode::BadSignature, About::Session);
    // The honest device's name over one's own key and signature, a signature over another incarnation, a key that
    // signs nothing.
    let later = Origin { incarnation: Incarnation(2), ..forger.origin };
    for (claimed, forged) in [(honest, false), (later, false), (forger.origin, true)] {
        let lie = |hello: &mut Hello| {
            hello.origin = claimed;
            if forged {
                hello.signature.0 = [0; 64];
            }
        };
        assert_eq!(Talk::greet_with(&forger, &scene.a, lie).await, unproved);
        scene.ended(SessionError::BadSignature(claimed)).await;
    }
    scene.untouched().await;
}

/// A restored copy of the device itself has its key. It is told apart before anything flows, as an event.
async fn a_device_that_greets_itself_is_told(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    forger.key = stolen_key(&scene);
    forger.origin = Origin { device: forger.key.device(), incarnation: Incarnation(7) };
    assert_eq!(forger.origin.device, scene.a.device_id());
    let answer = Talk::greet_with(&forger, &scene.a, |_| ()).await;
    assert_eq!(answer, said(ErrorCode::OwnDevice, About::Session));
    event(&mut scene.events, "its own device is seen", |event| match event {
        SyncEvent::Trouble { operation: "session", detail, .. } => {
            detail.contains("OwnDeviceSeen").then_some(())
        }
        _ => None,
    })
    .await;
    scene.ended(SessionError::OwnDevice(forger.origin)).await;
    scene.untouched().await;
}

/// Whoever copies a device copies its folder: mark, 32 bytes, checksum.
fn stolen_key(scene: &Scene) -> DeviceKey {
    let mut folder = scene.a.path().into_os_string();
    folder.push(".device");
    let bytes = std::fs::read(std::path::Path::new(&folder).join("device.key")).unwrap();
    DeviceKey::from_seed(bytes[8..40].try_into().unwrap())
}

/// An entry for a device that there is not.
fn invented(n: u32) -> VectorEntry {
    let mut device = [0; 16];
    device[..4].copy_from_slice(&n.to_be_bytes());
    let origin = Origin { device: DeviceId::from_bytes(device), incarnation: Incarnation(n) };
    VectorEntry { origin, head: Seq(u64::from(n) + 1), ranges: Vec::new(), hash: None }
}

async fn a_vector_without_end_is_refused(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let malformed = said(ErrorCode::Malformed, About::Message(Kind::Hello as u8));
    let too_long = |hello: &mut Hello| hello.vectors[0].entries = (0..65_537).map(invented).collect();
    assert_eq!(Talk::greet_with(&forger, &scene.a, too_long).await, malformed);
    scene.ended(MessageError::Malformed(Kind::Hello)).await;
    let ranges = |hello: &mut Hello| {
        let range = |n: u64| SeqRange { first: Seq(n * 3 + 9), last: Seq(n * 3 + 9) };
        hello.vectors[0].entries = vec![VectorEntry { ranges: (0..65).map(range).collect(), ..invented(1) }];
    };
    assert_eq!(Talk::greet_with(&forger, &scene.a, ranges).await, malformed);
    let partitions = |hello: &mut Hello| {
        let one = hello.vectors[0].clone();
        hello.vectors = vec![one; 4097];
    };
    assert_eq!(Talk::greet_with(&forger, &scene.a, partitions).await, malformed);
    scene.untouched().await;
}

async fn sixty_thousand_invented_origins_are_borne(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let mut talk = Talk::begin(&forger.code, &scene.a).await;
    let mut hello = forger.hello(&talk);
    hello.vectors[0].entries = (0..60_000).map(invented).collect();
    talk.say(&Message::Hello(Box::new(hello))).await;
    event(&mut scene.events, "the peer is up", |event| {
        matches!(event, SyncEvent::PeerUp { device } if *device == forger.origin.device).then_some(())
    })
    .await;
    scene.untouched().await;
    assert_eq!(scene.a.vector().await.unwrap().len(), 2, "what a peer claims to hold is not held here");
}

async fn an_impossible_vector_is_refused(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let range = |first, last| SeqRange { first: Seq(first), last: Seq(last) };
    let impossible = [
        VectorEntry { head: Seq(u64::MAX), ..invented(1) },
        VectorEntry { ranges: vec![range(2, 9)], ..invented(5) },
        VectorEntry { ranges: vec![range(20, 9)], ..invented(5) },
        VectorEntry { ranges: vec![range(30, 40), range(20, 25)], ..invented(5) },
    ];
    for entry in impossible {
        let lie = |hello: &mut Hello| hello.vectors[0].entries = vec![entry];
        assert_eq!(
            Talk::greet_with(&forger, &scene.a, lie).await,
            said(ErrorCode::Malformed, About::Session)
        );
        scene.ended(SessionError::ImpossibleVector).await;
    }
    scene.untouched().await;
}

/// Who says that he holds everything is sent nothing; nobody else is taken to hold it. The device believes that it is
/// an older copy of itself and goes on under a new incarnation, which costs it nothing else.
async fn a_vector_that_claims_everything_takes_nothing_from_others(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let mut talk = Talk::begin(&forger.code, &scene.a).await;
    let mut hello = forger.hello(&talk);
    let all = |origin| VectorEntry { origin, head: Seq(1 << 40), ranges: Vec::new(), hash: None };
    let own = scene.a.status().origin;
    hello.vectors[0].entries = vec![all(own), all(scene.b.status().origin)];
    talk.say(&Message::Hello(Box::new(hello))).await;
    assert!(talk.their_hello().await.is_some());
    let told = event(&mut scene.events, "a new incarnation", |event| match event {
        SyncEvent::NewIncarnation { before, now, known, .. } if *before == own => Some((*now, *known)),
        _ => None,
    })
    .await;
    assert_eq!(told, (scene.a.status().origin, Seq(1 << 40)));
    scene.unharmed().await;
    assert!(!scene.b.vector().await.unwrap().contains(&own, Seq(1 << 40)), "a claim is not passed on");
}

async fn a_second_hello_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    scene.go_on().await;
    let again = forger.hello(&talk);
    talk.say(&Message::Hello(Box::new(again))).await;
    assert_eq!(talk.farewell().await, said(ErrorCode::Malformed, About::Message(Kind::Hello as u8)));
    scene.ended(SessionError::OutOfPlace(Kind::Hello)).await;
    scene.untouched().await;
}

async fn messages_before_hello_end_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let run = forger.commit(&[sync_tests::hostile::Write::label(1, "too early")]);
    let early = sync_core::wire::split_run(run, 1).unwrap().remove(0);
    let ack = Message::Ack(Ack { done: vec![1], statements: Vec::new() });
    for (message, kind) in [(ack, Kind::Ack), (Message::Run(early), Kind::SharedChange)] {
        let mut talk = Talk::begin(&forger.code, &scene.a).await;
        talk.say(&message).await;
        assert_eq!(talk.farewell().await, said(ErrorCode::Malformed, About::Message(kind as u8)));
        scene.ended(SessionError::OutOfPlace(kind)).await;
    }
    scene.untouched().await;
}

async fn a_handshake_in_the_middle_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let frame = sync_core::wire::encode_frame(sync_core::wire::FrameKind::Handshake, &[5; 48]).unwrap();
    talk.put(frame).await;
    assert_eq!(talk.farewell().await, said(ErrorCode::Malformed, About::Session));
    scene.ended(SealError::Handshake).await;
    scene.untouched().await;
}

async fn a_schema_of_odd_names_is_only_read(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    let long = "x".repeat(256);
    let odd = ["label\"; DROP TABLE label; --", "\0", "\u{201c}label\u{201d}", long.as_str()];
    let models = odd.iter().map(|name| ModelEntry { name: Name::from(*name), fingerprint: [7; 16] });
    let mut talk = Talk::begin(&forger.code, &scene.a).await;
    let mut hello = forger.hello(&talk);
    hello.schema = Schema { fingerprint: [9; 16], models: models.collect() };
    talk.say(&Message::Hello(Box::new(hello))).await;
    event(&mut scene.events, "the peer is up", |event| {
        matches!(event, SyncEvent::PeerUp { device } if *device == forger.origin.device).then_some(())
    })
    .await;
    scene.untouched().await;
}

async fn a_name_beyond_its_limit_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    for length in [0, 257, 1 << 20] {
        let model = ModelEntry { name: Name::from("x".repeat(length).as_str()), fingerprint: [7; 16] };
        let schema = Schema { fingerprint: [9; 16], models: vec![model] };
        let answer = Talk::greet_with(&forger, &scene.a, |hello| hello.schema = schema.clone()).await;
        assert_eq!(answer, said(ErrorCode::Malformed, About::Message(Kind::Hello as u8)));
        scene.ended(MessageError::Malformed(Kind::Hello)).await;
    }
    scene.untouched().await;
}
