//! Frames go in at one end and come out at the other.

use crate::frames::frame;
use crate::harness::{ensure, expect_frame, expect_frames, send_frames};
use crate::{Failure, Harness, Outcome};
use futures_util::future::{try_join, try_join_all};
use sync_plugin::{LinkReceiver, LinkSender, MAX_FRAME};

pub(super) async fn info_is_stable_and_within_bounds(harness: Harness) -> Outcome {
    let info = harness.transport.info();
    ensure!(info == harness.transport.info(), "two different answers");
    ensure!(info.max_frame > 0 && info.max_frame <= MAX_FRAME, "max_frame is {}", info.max_frame);
    ensure!(info.capabilities.dial || info.capabilities.listen, "it can neither dial nor listen");
    let scheme = harness.free_address()?.scheme().to_owned();
    ensure!(info.scheme == scheme, "its scheme is {}, its addresses say {scheme}", info.scheme);
    Ok(())
}

pub(super) async fn frames_arrive_in_order(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    for (from, to) in [(&mut left.sender, &mut right.receiver), (&mut right.sender, &mut left.receiver)] {
        try_join(send_frames(from, 0..1000, 40), expect_frames(to, 0..1000, 40)).await?;
    }
    Ok(())
}

pub(super) async fn frames_of_every_size_arrive_unaltered(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    // Around the places where length fields of common wire forms change their width.
    let edges = [125_usize, 126, 127, 128, 255, 256, 16_383, 16_384, 65_535, 65_536, 65_537];
    let lengths: Vec<usize> = (0..70).chain(edges).filter(|length| *length <= harness.max_frame()).collect();
    let sending = async {
        for (number, length) in (0_u64..).zip(&lengths) {
            left.sender.send(frame(number, *length)).await?;
        }
        Ok::<_, Failure>(())
    };
    let receiving = async {
        for (number, length) in (0_u64..).zip(&lengths) {
            expect_frame(&mut right.receiver, &frame(number, *length)).await?;
        }
        Ok(())
    };
    try_join(sending, receiving).await?;
    Ok(())
}

pub(super) async fn empty_frames_arrive(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    for content in [&b""[..], b"", b"between", b""] {
        left.sender.send(content.to_vec()).await?;
    }
    for content in [&b""[..], b"", b"between", b""] {
        expect_frame(&mut right.receiver, content).await?;
    }
    Ok(())
}

pub(super) async fn large_frames_arrive_unaltered(harness: Harness) -> Outcome {
    let length = harness.max_frame().min(1024 * 1024);
    let (_listener, mut left, mut right) = harness.linked().await?;
    try_join(send_frames(&mut left.sender, 0..8, length), expect_frames(&mut right.receiver, 0..8, length))
        .await?;
    Ok(())
}

pub(super) async fn both_directions_at_once(harness: Harness) -> Outcome {
    const LENGTH: usize = 16 * 1024;
    let (_listener, mut left, mut right) = harness.linked().await?;
    let there = try_join(
        send_frames(&mut left.sender, 0..400, LENGTH),
        expect_frames(&mut right.receiver, 0..400, LENGTH),
    );
    let back = try_join(
        send_frames(&mut right.sender, 500..900, LENGTH),
        expect_frames(&mut left.receiver, 500..900, LENGTH),
    );
    try_join(there, back).await?;
    Ok(())
}

pub(super) async fn a_taken_frame_arrives_without_a_later_call(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    for number in 0..200 {
        left.sender.send(frame(number, 100)).await?;
        expect_frame(&mut right.receiver, &frame(number, 100)).await?;
        right.sender.send(frame(number + 1, 100)).await?;
        expect_frame(&mut left.receiver, &frame(number + 1, 100)).await?;
    }
    Ok(())
}

pub(super) async fn many_links_do_not_mix(harness: Harness) -> Outcome {
    const LINKS: u64 = 24;
    let mut listener = harness.listen().await?;
    let mut ends = Vec::new();
    for _ in 0..LINKS {
        ends.push(harness.link_to(&mut listener).await?);
    }
    let exchanges = (0..).zip(ends).map(|(link, (mut left, mut right))| async move {
        let numbers = link * 1000..link * 1000 + 50;
        try_join(
            send_frames(&mut left.sender, numbers.clone(), 3000),
            expect_frames(&mut right.receiver, numbers.clone(), 3000),
        )
        .await?;
        try_join(
            send_frames(&mut right.sender, numbers.clone(), 200),
            expect_frames(&mut left.receiver, numbers, 200),
        )
        .await
    });
    try_join_all(exchanges).await?;
    Ok(())
}

pub(super) async fn the_peer_has_a_name_of_one_line(harness: Harness) -> Outcome {
    let (_listener, mut left, mut right) = harness.linked().await?;
    for peer in [&left.peer, &right.peer] {
        ensure!(!peer.is_empty() && !peer.chars().any(char::is_control), "the peer is called {peer:?}");
    }
    left.sender.close().await?;
    ensure!(right.receiver.receive().await?.is_none(), "a frame out of nowhere");
    Ok(())
}
