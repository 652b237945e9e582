//! Addresses, and accepting links at them.

use crate::frames::frame;
use crate::harness::{End, ensure, expect_error, expect_frame};
use crate::{Failure, Harness, Outcome};
use futures_util::FutureExt;
use futures_util::future::try_join;
use std::time::Duration;
use sync_plugin::{ErrorKind, LinkSender, Listener, Url};
use tokio::time::timeout;

pub(super) async fn without_the_capability_listen_is_unsupported(harness: Harness) -> Outcome {
    let listened = harness.transport.listen(&harness.ctx, &harness.free_address()?).await;
    expect_error(listened, &[ErrorKind::Unsupported])
}

pub(super) async fn the_reported_address_can_be_dialled(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let address = listener.address();
    ensure!(address == listener.address(), "the address changes");
    ensure!(address != harness.free_address()?, "{address} is what was asked for, not what was bound");
    let written = Url::parse(&address.expose())?;
    let accepting = async { Ok(listener.accept().await?) };
    let (mut end, _accepted) = try_join(End::dial(&harness, &written), accepting).await?;
    Ok(end.sender.close().await?)
}

pub(super) async fn an_address_in_use_is_refused(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let second = harness.transport.listen(&harness.ctx, &listener.address()).await;
    expect_error(second, &[ErrorKind::Refused])?;
    let (mut left, mut right) = harness.link_to(&mut listener).await?;
    left.sender.send(frame(1, 10)).await?;
    expect_frame(&mut right.receiver, &frame(1, 10)).await
}

pub(super) async fn a_dropped_listener_frees_its_address(harness: Harness) -> Outcome {
    let (listener, left, right) = harness.linked().await?;
    let address = listener.address();
    drop((left, right));
    drop(listener);
    expect_error(harness.transport.dial(&harness.ctx, &address).await, &[ErrorKind::Unreachable])?;
    let mut again = harness.transport.listen(&harness.ctx, &address).await?;
    ensure!(again.address() == address, "asked for {address}, got {}", again.address());
    let (mut left, mut right) = harness.link_to(&mut again).await?;
    left.sender.send(frame(1, 10)).await?;
    expect_frame(&mut right.receiver, &frame(1, 10)).await
}

pub(super) async fn two_listeners_are_independent(harness: Harness) -> Outcome {
    let (mut first, mut second) = (harness.listen().await?, harness.listen().await?);
    ensure!(first.address() != second.address(), "both are at {}", first.address());
    let (mut to_first, mut at_first) = harness.link_to(&mut first).await?;
    let (mut to_second, mut at_second) = harness.link_to(&mut second).await?;
    to_first.sender.send(frame(1, 10)).await?;
    to_second.sender.send(frame(2, 10)).await?;
    expect_frame(&mut at_second.receiver, &frame(2, 10)).await?;
    expect_frame(&mut at_first.receiver, &frame(1, 10)).await?;
    drop(first);
    let (mut left, mut right) = harness.link_to(&mut second).await?;
    left.sender.send(frame(3, 10)).await?;
    expect_frame(&mut right.receiver, &frame(3, 10)).await
}

pub(super) async fn a_dropped_accept_loses_no_link(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let address = listener.address();
    for number in 0..10 {
        let accepting = async {
            loop {
                if let Some(accepted) = listener.accept().now_or_never() {
                    return Ok(accepted?);
                }
                if let Ok(accepted) = timeout(Duration::from_micros(300), listener.accept()).await {
                    return Ok(accepted?);
                }
            }
        };
        let (mut left, right) = try_join(End::dial(&harness, &address), accepting).await?;
        let mut right = End::new(right);
        left.sender.send(frame(number, 10)).await?;
        expect_frame(&mut right.receiver, &frame(number, 10)).await?;
    }
    Ok(())
}

pub(super) async fn unreadable_addresses_cannot_be_listened_at(harness: Harness) -> Outcome {
    let foreign = "somebody-elses://127.0.0.1:0".to_owned();
    for text in harness.invalid.iter().chain([&foreign]) {
        let listened = harness.transport.listen(&harness.ctx, &Url::parse(text)?).await;
        expect_error(listened, &[ErrorKind::Configuration])
            .map_err(|failure| Failure::new(format!("{text}: {failure}")))?;
    }
    Ok(())
}
