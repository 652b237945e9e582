//! Those who speak another language, or none, below the transport.

use crate::frames::{frame, mix};
use crate::harness::{ensure, expect_error, expect_frame, knock};
use crate::{Failure, Harness, Outcome};
use futures_util::future::try_join;
use sync_plugin::{BoxListener, ErrorKind, LinkReceiver, LinkSender, Listener};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// An honest link works.
async fn honest_link(harness: &Harness, listener: &mut BoxListener) -> Outcome {
    let (mut left, mut right) = harness.link_to(listener).await?;
    left.sender.send(frame(1, 1000)).await?;
    expect_frame(&mut right.receiver, &frame(1, 1000)).await?;
    right.sender.send(frame(2, 1000)).await?;
    expect_frame(&mut left.receiver, &frame(2, 1000)).await
}

pub(super) async fn silent_strangers_delay_nobody(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let mut strangers = Vec::new();
    for _ in 0..40 {
        strangers.push(knock(&listener.address()).await?);
    }
    honest_link(&harness, &mut listener).await?;
    // One byte each: they go on being slow.
    for stranger in &mut strangers {
        stranger.write_all(b"G").await?;
    }
    honest_link(&harness, &mut listener).await
}

pub(super) async fn strangers_who_hang_up_delay_nobody(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    for _ in 0..20 {
        drop(knock(&listener.address()).await?);
    }
    honest_link(&harness, &mut listener).await
}

pub(super) async fn rubbish_instead_of_an_opening_delays_nobody(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let mut strangers = Vec::new();
    for number in 0..20 {
        let mut stranger = knock(&listener.address()).await?;
        stranger.write_all(&frame(number, 3000)).await?;
        strangers.push(stranger);
    }
    let mut web = knock(&listener.address()).await?;
    web.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    honest_link(&harness, &mut listener).await
}

pub(super) async fn rubbish_instead_of_frames_is_malformed(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let (mut stream, mut end) = harness.raw_link(&mut listener).await?;
    stream.write_all(&harness.raw_access()?.rubbish).await?;
    expect_error(end.receiver.receive().await, &[ErrorKind::Malformed, ErrorKind::Limit])?;
    let again = end.receiver.receive().await;
    ensure!(again.is_err(), "after rubbish it says {again:?}");
    honest_link(&harness, &mut listener).await
}

pub(super) async fn an_announced_giant_is_refused(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let (mut stream, mut end) = harness.raw_link(&mut listener).await?;
    stream.write_all(&harness.raw_access()?.oversized).await?;
    expect_error(end.receiver.receive().await, &[ErrorKind::Limit])?;
    let again = end.receiver.receive().await;
    ensure!(again.is_err(), "after the giant it says {again:?}");
    honest_link(&harness, &mut listener).await
}

pub(super) async fn a_cut_inside_a_frame_is_closed(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let (mut stream, mut end) = harness.raw_link(&mut listener).await?;
    stream.write_all(&harness.raw_access()?.partial).await?;
    drop(stream);
    expect_error(end.receiver.receive().await, &[ErrorKind::Closed])
}

pub(super) async fn random_bytes_never_hang_or_panic(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    for seed in 0..100 {
        let (stream, mut end) = harness.raw_link(&mut listener).await?;
        let length = usize::try_from(mix(seed) % 4000).unwrap_or(0);
        let writing = async {
            let mut stream: TcpStream = stream;
            // The other side may hang up in the middle of this, which is right.
            let written = stream.write_all(&frame(seed, length)).await;
            drop(stream);
            Ok::<_, Failure>(written.is_ok())
        };
        let reading = async {
            for _ in 0..4000 {
                match end.receiver.receive().await {
                    // By chance they may spell frames, even an end.
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => return Ok(()),
                }
            }
            Err(Failure::new(format!("seed {seed}: more frames than bytes")))
        };
        try_join(writing, reading).await?;
    }
    honest_link(&harness, &mut listener).await
}

pub(super) async fn a_frame_in_single_bytes_does_not_block_others(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let (mut stream, mut end) = harness.raw_link(&mut listener).await?;
    for byte in &harness.raw_access()?.partial {
        stream.write_all(&[*byte]).await?;
        honest_link(&harness, &mut listener).await?;
    }
    drop(stream);
    expect_error(end.receiver.receive().await, &[ErrorKind::Closed])
}

/// What a TCP server that is none of ours does with whoever connects.
#[derive(Clone, Copy)]
enum Server {
    Silent,
    Rubbish,
    HangsUp,
}

async fn dial_server(harness: &Harness, server: Server) -> Outcome {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let address = (harness.raw_access()?.url_of)(socket.local_addr()?);
    let dialling = async {
        let dialled = harness.transport.dial(&harness.ctx, &address).await;
        expect_error(
            dialled,
            &[
                ErrorKind::Timeout,
                ErrorKind::Malformed,
                ErrorKind::Refused,
                ErrorKind::Closed,
                ErrorKind::Limit,
            ],
        )
    };
    let serving = async {
        let mut held = Vec::new();
        loop {
            let (mut stream, _) = socket.accept().await?;
            match server {
                Server::Silent => held.push(stream),
                Server::Rubbish => {
                    stream.write_all(&frame(1, 5000)).await?;
                    held.push(stream);
                }
                Server::HangsUp => drop(stream),
            }
        }
    };
    tokio::select! {
        outcome = dialling => outcome,
        outcome = serving => outcome,
    }
}

pub(super) async fn dialling_a_silent_server_ends(harness: Harness) -> Outcome {
    dial_server(&harness, Server::Silent).await
}

pub(super) async fn dialling_a_server_of_rubbish_is_an_error(harness: Harness) -> Outcome {
    dial_server(&harness, Server::Rubbish).await
}

pub(super) async fn dialling_a_server_that_hangs_up_is_an_error(harness: Harness) -> Outcome {
    dial_server(&harness, Server::HangsUp).await
}
