//! The orderly end, of one direction and of both.

use crate::frames::frame;
use crate::harness::{expect_end, expect_error, expect_frame, expect_frames, send_frames};
use crate::{Failure, Harness, Outcome};
use futures_util::future::try_join;
use sync_plugin::{ErrorKind, LinkSender};

pub(super) async fn close_ends_after_every_frame(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    send_frames(&mut left.sender, 0..20, 100).await?;
    left.sender.close().await?;
    expect_frames(&mut right.receiver, 0..20, 100).await?;
    expect_end(&mut right.receiver).await
}

pub(super) async fn close_after_waiting_frames_loses_none(harness: Harness) -> Outcome {
    const LENGTH: usize = 64 * 1024;
    let (_listener, mut left, mut right) = harness.linked().await?;
    let sending = async {
        send_frames(&mut left.sender, 0..300, LENGTH).await?;
        Ok::<_, Failure>(left.sender.close().await?)
    };
    let receiving = async {
        expect_frames(&mut right.receiver, 0..300, LENGTH).await?;
        expect_end(&mut right.receiver).await
    };
    try_join(sending, receiving).await?;
    Ok(())
}

pub(super) async fn half_closed_still_carries_the_other_way(harness: Harness) -> Outcome {
    const LENGTH: usize = 20_000;
    let (_listener, mut left, mut right) = harness.linked().await?;
    left.sender.close().await?;
    expect_end(&mut right.receiver).await?;
    try_join(
        send_frames(&mut right.sender, 0..100, LENGTH),
        expect_frames(&mut left.receiver, 0..100, LENGTH),
    )
    .await?;
    right.sender.close().await?;
    expect_end(&mut left.receiver).await
}

pub(super) async fn close_twice_succeeds(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    left.sender.close().await?;
    left.sender.close().await?;
    expect_end(&mut right.receiver).await?;
    right.sender.close().await?;
    right.sender.close().await?;
    expect_end(&mut left.receiver).await
}

pub(super) async fn send_after_close_is_closed(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    left.sender.close().await?;
    for number in 0..2 {
        expect_error(left.sender.send(frame(number, 10)).await, &[ErrorKind::Closed])?;
    }
    expect_end(&mut right.receiver).await?;
    right.sender.send(frame(3, 10)).await?;
    expect_frame(&mut left.receiver, &frame(3, 10)).await
}

pub(super) async fn the_end_is_reported_again(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    left.sender.close().await?;
    for _ in 0..3 {
        expect_end(&mut right.receiver).await?;
    }
    Ok(())
}

pub(super) async fn both_sides_close(harness: Harness) -> Outcome {
    for _ in 0..10 {
        let (_listener, mut left, mut right) = harness.linked().await?;
        send_frames(&mut left.sender, 0..3, 50).await?;
        send_frames(&mut right.sender, 5..8, 50).await?;
        try_join(left.sender.close(), right.sender.close()).await?;
        expect_frames(&mut right.receiver, 0..3, 50).await?;
        expect_frames(&mut left.receiver, 5..8, 50).await?;
        expect_end(&mut left.receiver).await?;
        expect_end(&mut right.receiver).await?;
    }
    Ok(())
}

pub(super) async fn a_finished_half_may_be_dropped(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    left.sender.close().await?;
    drop(left.sender);
    expect_end(&mut right.receiver).await?;
    drop(right.receiver);
    send_frames(&mut right.sender, 0..10, 100).await?;
    right.sender.close().await?;
    expect_frames(&mut left.receiver, 0..10, 100).await?;
    expect_end(&mut left.receiver).await
}
