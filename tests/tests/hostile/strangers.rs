//! Devices without the space's key: nobody gets past the handshake, and the attacked device says why.

use sync_core::{
    authorship::SpaceKey,
    session::SessionError,
    wire::{
        About, ErrorCode, ErrorMessage, FrameError, FrameKind, Handshake, Message, Role, SealError,
        encode_frame,
    },
};
use sync_runtime::{Space, SyncEvent};
use sync_tests::{
    device::{Models, Transport, event},
    hostile::{Forger, JoinCode, Line, Noise, Scene, Talk},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

over_both_transports!(
    another_space_key_ends_at_the_handshake,
    a_whole_device_with_another_key_gets_nothing,
    rubbish_instead_of_a_handshake_changes_nothing,
    a_frame_that_claims_four_gigabytes_is_refused_unread,
    a_frame_format_of_the_future_is_refused,
    a_handshake_cut_off_anywhere_changes_nothing,
);

fn refusal(code: ErrorCode) -> ErrorMessage {
    ErrorMessage { code, about: About::Session, retryable: false, detail: String::new() }
}

async fn another_space_key_ends_at_the_handshake(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    for guess in 0..3 {
        let mut line = Line::to(&scene.a).await;
        scene.go_on().await;
        let key = SpaceKey::from_bytes([guess; 32]);
        let hand = Handshake::new(Role::Initiator, &key, [guess; 32]).unwrap().write().unwrap();
        line.put(encode_frame(FrameKind::Handshake, &hand).unwrap()).await;
        assert_eq!(line.refusal().await, Some(refusal(ErrorCode::WrongKey)));
        scene.ended(SealError::Key).await;
    }
    scene.untouched().await;
}

/// The same with everything that is shipped: a device whose join code has the right space and another key.
async fn a_whole_device_with_another_key_gets_nothing(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let folder = tempfile::tempdir().unwrap();
    let code = JoinCode::of(&scene.a).with_key([1; 32]);
    let builder = Space::join(folder.path().join("app.db"), code).transport(transport.url());
    let stranger = Models::Own.on(builder).open().await.unwrap();
    let mut heard = stranger.events();
    stranger.connect(scene.a.addresses()[0].expose()).unwrap();
    scene.ended(SealError::Key).await;
    let refused = SessionError::Refused(refusal(ErrorCode::WrongKey)).to_string();
    event(&mut heard, "the stranger learns why", |event| match event {
        SyncEvent::Trouble { operation: "handshake", detail, .. } => detail.ends_with(&refused).then_some(()),
        _ => None,
    })
    .await;
    assert_eq!(stranger.vector().await.unwrap().len(), 0);
    stranger.close().await.unwrap();
    scene.untouched().await;
}

async fn rubbish_instead_of_a_handshake_changes_nothing(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    for seed in 0..12 {
        println!("seed {seed}");
        let mut noise = Noise::new(seed);
        let length = usize::try_from(noise.below(2_000)).unwrap();
        let mut frame = noise.bytes(length);
        match seed % 3 {
            // A frame of ours with rubbish inside, of the right length for a handshake or of any.
            0 => frame = encode_frame(FrameKind::Handshake, &noise.bytes(48)).unwrap(),
            1 => frame = encode_frame(FrameKind::Sealed, &frame).unwrap(),
            _ => {}
        }
        let mut line = Line::to(&scene.a).await;
        while line.put(frame.clone()).await {
            // The device hangs up sooner or later; it is given more of the same until then.
        }
        assert!(line.refusal().await.is_none_or(|said| said.about == About::Session));
        let told = |event: &SyncEvent| matches!(event, SyncEvent::Trouble { operation: "handshake", .. });
        event(&mut scene.events, "the handshake failed", |event| told(event).then_some(())).await;
    }
    scene.untouched().await;
}

/// Bytes of address space that the process has ever had.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

async fn a_frame_that_claims_four_gigabytes_is_refused_unread(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let before = most_memory();
    let mut line = Line::to(&scene.a).await;
    let mut frame = encode_frame(FrameKind::Handshake, &[0; 48]).unwrap();
    frame[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
    line.put(frame).await;
    assert_eq!(line.refusal().await, Some(refusal(ErrorCode::Malformed)));
    scene.ended(FrameError::TooLong(u64::from(u32::MAX))).await;
    // The same claim one level lower, in the transport's own framing.
    if transport == Transport::WebSocket {
        let mut socket = upgraded(&scene.a.addresses()[0]).await;
        let mut head = vec![0x82, 0xff];
        head.extend_from_slice(&(4_u64 << 30).to_be_bytes());
        head.extend_from_slice(&[0; 4 + 1024]);
        socket.write_all(&head).await.unwrap();
        let mut rest = Vec::new();
        // What the device answers, if anything, ends with the end of the connection.
        let end = tokio::time::timeout(sync_tests::device::PATIENCE, socket.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "the device keeps the connection");
    }
    let grown = most_memory() - before;
    assert!(grown < 2 << 30, "{grown} bytes for a frame that claims 4 GiB");
    scene.untouched().await;
}

/// A connection after the WebSocket handshake, on which any bytes can be sent.
async fn upgraded(address: &sync_plugin::Url) -> TcpStream {
    let mut socket = TcpStream::connect(address.authority()).await.unwrap();
    let path = if address.path().is_empty() { "/" } else { address.path() };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Protocol: sync-kit.1\r\n\r\n",
        address.authority()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    socket
}

async fn a_frame_format_of_the_future_is_refused(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut line = Line::to(&scene.a).await;
    let mut frame = encode_frame(FrameKind::Handshake, &[0; 48]).unwrap();
    frame[4] = 2;
    line.put(frame).await;
    assert_eq!(line.refusal().await, Some(refusal(ErrorCode::Malformed)));
    scene.ended(FrameError::Version(2)).await;
    scene.untouched().await;
}

/// A member's own link that breaks at every point of the beginning: before, within and after the handshake.
async fn a_handshake_cut_off_anywhere_changes_nothing(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let forger = Forger::among(&scene.a);
    drop(Line::to(&scene.a).await);
    let hand = Handshake::new(Role::Initiator, &forger.code.key, [4; 32]).unwrap().write().unwrap();
    for length in [0, 1, 31, 32, 47] {
        let mut line = Line::to(&scene.a).await;
        line.put(encode_frame(FrameKind::Handshake, &hand[..length]).unwrap()).await;
        assert_eq!(line.refusal().await, Some(refusal(ErrorCode::Malformed)), "{length} bytes");
        scene.ended(SealError::Handshake).await;
    }
    drop(Talk::begin(&forger.code, &scene.a).await);
    let mut talk = Talk::begin(&forger.code, &scene.a).await;
    talk.say(&Message::Hello(Box::new(forger.hello(&talk)))).await;
    drop(talk);
    drop(Talk::greet(&forger, &scene.a).await);
    scene.untouched().await;
}
