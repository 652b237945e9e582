//! What happens while the peer does not read, and when a caller stops waiting.

use crate::frames::frame;
use crate::harness::{ensure, expect_error, expect_frame, expect_frames, send_frames};
use crate::{Failure, Harness, Outcome};
use futures_util::FutureExt;
use futures_util::future::{join, try_join};
use std::time::Duration;
use sync_plugin::{BoxFuture, BoxReceiver, BoxSender, ErrorKind, LinkReceiver, LinkSender, PluginError};
use tokio::time::timeout;

/// A send that takes this long waits for the peer. On a loaded machine it may be an early guess, which makes the
/// behaviours below easier to meet, never harder.
const STALL: Duration = Duration::from_millis(300);

/// The size of the frames that fill a link.
const LENGTH: usize = 64 * 1024;

/// What a link may hold for a peer that does not read, system buffers included.
const HOLDS: usize = 64 * 1024 * 1024;

/// A send that waits for the peer, with its frame's number. It owns the sender, which comes back when it is done.
struct Waiting {
    number: u64,
    send: BoxFuture<'static, Result<BoxSender, PluginError>>,
}

/// Sends the frames 0, 1, 2, … of `length` bytes until one waits.
async fn fill(mut sender: BoxSender, length: usize) -> Result<Waiting, Failure> {
    let at_most = u64::try_from(HOLDS / length).unwrap_or(u64::MAX);
    for number in 0..at_most {
        let mut send: BoxFuture<'static, _> = Box::pin(async move {
            sender.send(frame(number, length)).await?;
            Ok(sender)
        });
        match timeout(STALL, send.as_mut()).await {
            Ok(done) => sender = done?,
            Err(_waits) => return Ok(Waiting { number, send }),
        }
    }
    Err(Failure::new(format!("it took {HOLDS} bytes that nobody reads")))
}

/// Reads everything that [`fill`] sent, which lets the waiting send end.
async fn relieve(waiting: Waiting, receiver: &mut BoxReceiver) -> Result<BoxSender, Failure> {
    let sending = async { Ok(waiting.send.await?) };
    let (sender, ()) = try_join(sending, expect_frames(receiver, 0..waiting.number + 1, LENGTH)).await?;
    Ok(sender)
}

pub(super) async fn the_sender_waits_for_a_peer_that_never_reads(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    // With large frames too: what counts is bytes, not the number of frames.
    for length in [LENGTH, harness.max_frame().min(1024 * 1024)] {
        let (left, _right) = harness.link_to(&mut listener).await?;
        let waiting = fill(left.sender, length).await?;
        ensure!(waiting.number > 0, "it took not even one frame of {length} bytes");
    }
    Ok(())
}

pub(super) async fn nothing_is_lost_by_waiting(harness: Harness) -> Outcome {
    let (_listener, left, mut right) = harness.linked().await?;
    let waiting = fill(left.sender, LENGTH).await?;
    let mut sender = relieve(waiting, &mut right.receiver).await?;
    try_join(
        send_frames(&mut sender, 7000..7100, LENGTH),
        expect_frames(&mut right.receiver, 7000..7100, LENGTH),
    )
    .await?;
    Ok(())
}

pub(super) async fn empty_frames_are_bounded_too(harness: Harness) -> Outcome {
    // Ten million empty frames would take half a gigabyte even if each weighed only its queue entry.
    let (_listener, mut left, _right) = harness.linked().await?;
    let flood = async {
        for _ in 0..10_000_000_u32 {
            match timeout(STALL, left.sender.send(Vec::new())).await {
                Ok(sent) => sent?,
                Err(_waits) => return Ok(()),
            }
        }
        Err(Failure::new("it took ten million frames that nobody reads"))
    };
    flood.await
}

pub(super) async fn other_links_go_on_beside_a_stalled_one(harness: Harness) -> Outcome {
    let (mut listener, stalled, _never_reads) = harness.linked().await?;
    let (mut left, mut right) = harness.link_to(&mut listener).await?;
    let _waiting = fill(stalled.sender, LENGTH).await?;
    for _ in 0..2 {
        try_join(
            send_frames(&mut left.sender, 0..100, LENGTH),
            expect_frames(&mut right.receiver, 0..100, LENGTH),
        )
        .await?;
    }
    let (mut later, mut accepted) = harness.link_to(&mut listener).await?;
    later.sender.send(frame(1, 10)).await?;
    expect_frame(&mut accepted.receiver, &frame(1, 10)).await
}

pub(super) async fn the_other_direction_goes_on_beside_a_stalled_one(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    let waiting = fill(left.sender, LENGTH).await?;
    try_join(
        send_frames(&mut right.sender, 9000..9200, LENGTH),
        expect_frames(&mut left.receiver, 9000..9200, LENGTH),
    )
    .await?;
    relieve(waiting, &mut right.receiver).await?;
    Ok(())
}

pub(super) async fn a_cut_releases_the_waiting_sender(harness: Harness) -> Outcome {
    let (_listener, left, right) = harness.linked().await?;
    let waiting = fill(left.sender, LENGTH).await?;
    let (sent, ()) = join(waiting.send, async move { drop(right) }).await;
    expect_error(sent, &[ErrorKind::Closed])
}

pub(super) async fn a_dropped_receive_loses_nothing(harness: Harness) -> Outcome {
    const LENGTH: usize = 50_000;
    let (_listener, mut left, mut right) = harness.linked().await?;
    let receiving = async {
        let mut number = 0;
        let mut impatient = 0_u32;
        while number < 300 {
            // Sometimes one poll, sometimes a short wait: the future is dropped in every state it has.
            impatient += 1;
            let received = if impatient.is_multiple_of(3) {
                timeout(Duration::from_micros(200), right.receiver.receive()).await.ok()
            } else {
                let once = right.receiver.receive().now_or_never();
                tokio::task::yield_now().await;
                once
            };
            let Some(received) = received else { continue };
            ensure!(received? == Some(frame(number, LENGTH)), "frame {number} is lost or altered");
            number += 1;
        }
        Ok(())
    };
    try_join(send_frames(&mut left.sender, 0..300, LENGTH), receiving).await?;
    Ok(())
}

pub(super) async fn a_dropped_send_arrives_whole_or_not_at_all(harness: Harness) -> Outcome {
    const LAST: u64 = 1_000_000;
    let length = harness.max_frame().min(300_000);
    let (_listener, mut left, mut right) = harness.linked().await?;
    let sending = async {
        for number in 0..200 {
            if left.sender.send(frame(number, length)).now_or_never().is_none() {
                tokio::task::yield_now().await;
            }
        }
        left.sender.send(frame(LAST, length)).await?;
        Ok::<_, Failure>(())
    };
    let receiving = async {
        let mut next = 0;
        loop {
            let Some(arrived) = right.receiver.receive().await? else {
                return Err(Failure::new("the link ended"));
            };
            if arrived == frame(LAST, length) {
                return Ok(());
            }
            let Some(number) = (next..200).find(|number| arrived == frame(*number, length)) else {
                return Err(Failure::new(format!(
                    "after frame {next}: a frame that was never sent, or out of order"
                )));
            };
            next = number + 1;
        }
    };
    try_join(sending, receiving).await?;
    Ok(())
}
