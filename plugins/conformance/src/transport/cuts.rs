//! Links that end without a word.

use crate::frames::frame;
use crate::harness::{ensure, expect_error, expect_frame};
use crate::{Failure, Harness, Outcome};
use futures_util::future::join;
use sync_plugin::{BoxReceiver, ErrorKind, LinkReceiver, LinkSender};

/// Receives what still comes until the error that a cut is, which must be `Closed`; the frames are those from 0 on.
async fn drain_to_cut(receiver: &mut BoxReceiver, length: usize) -> Outcome {
    let mut number = 0;
    loop {
        match receiver.receive().await {
            Ok(Some(arrived)) => ensure!(arrived == frame(number, length), "frame {number} is altered"),
            Ok(None) => return Err(Failure::new("a cut looks like an orderly end")),
            Err(error) => return expect_error::<()>(Err(error), &[ErrorKind::Closed]),
        }
        number += 1;
    }
}

pub(super) async fn a_cut_is_an_error_and_no_end(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    for number in 0..3 {
        left.sender.send(frame(number, 100)).await?;
    }
    drop(left);
    drain_to_cut(&mut right.receiver, 100).await
}

pub(super) async fn a_cut_is_reported_again(harness: Harness) -> Outcome {
    let (_listener, left, mut right) = harness.linked().await?;
    drop(left);
    drain_to_cut(&mut right.receiver, 0).await?;
    for _ in 0..3 {
        let again = right.receiver.receive().await;
        ensure!(again.is_err(), "after the cut it says {again:?}");
    }
    Ok(())
}

pub(super) async fn a_cut_wakes_the_waiting_receiver(harness: Harness) -> Outcome {
    let (_listener, left, mut right) = harness.linked().await?;
    let cutting = async move {
        tokio::task::yield_now().await;
        drop(left);
    };
    let (received, ()) = join(right.receiver.receive(), cutting).await;
    expect_error(received, &[ErrorKind::Closed])
}

pub(super) async fn sending_into_a_cut_link_fails(harness: Harness) -> Outcome {
    let (_listener, left, mut right) = harness.linked().await?;
    drop(left);
    loop {
        // The first frames may still find room; the suite's own deadline ends a transport that never notices.
        match right.sender.send(frame(1, 10_000)).await {
            Ok(()) => tokio::task::yield_now().await,
            error => return expect_error(error, &[ErrorKind::Closed]),
        }
    }
}

pub(super) async fn dropping_the_receiver_ends_the_own_sender(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    drop(left.receiver);
    expect_error(left.sender.send(frame(1, 10)).await, &[ErrorKind::Closed])?;
    drop(left.sender);
    drain_to_cut(&mut right.receiver, 0).await
}

pub(super) async fn dropping_the_sender_wakes_the_own_receiver(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    let sender = left.sender;
    let cutting = async move {
        tokio::task::yield_now().await;
        drop(sender);
    };
    let (received, ()) = join(left.receiver.receive(), cutting).await;
    expect_error(received, &[ErrorKind::Closed])?;
    drop(left.receiver);
    drain_to_cut(&mut right.receiver, 0).await
}

pub(super) async fn cut_and_linked_again_many_times(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    for number in 0..50 {
        let (mut left, mut right) = harness.link_to(&mut listener).await?;
        left.sender.send(frame(number, 1000)).await?;
        expect_frame(&mut right.receiver, &frame(number, 1000)).await?;
        if number % 2 == 0 {
            drop(left);
            drain_to_cut(&mut right.receiver, 0).await?;
        } else {
            drop(right);
            drain_to_cut(&mut left.receiver, 0).await?;
        }
    }
    Ok(())
}

pub(super) async fn links_outlive_their_listener(harness: Harness) -> Outcome {
    let (listener, mut left, mut right) = harness.linked().await?;
    drop(listener);
    for number in 0..10 {
        left.sender.send(frame(number, 100)).await?;
        expect_frame(&mut right.receiver, &frame(number, 100)).await?;
        right.sender.send(frame(number, 100)).await?;
        expect_frame(&mut left.receiver, &frame(number, 100)).await?;
    }
    Ok(())
}
