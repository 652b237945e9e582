//! Opening a link from the dialling side.

use crate::frames::frame;
use crate::harness::{End, ensure, expect_error, expect_frame};
use crate::{Failure, Harness, Outcome};
use futures_util::FutureExt;
use futures_util::future::{join_all, try_join, try_join_all};
use std::collections::BTreeSet;
use sync_plugin::{ErrorKind, Link, LinkReceiver, LinkSender, Listener, Url};

pub(super) async fn without_the_capability_dial_is_unsupported(harness: Harness) -> Outcome {
    expect_error(harness.transport.dial(&harness.ctx, &harness.nobody()?).await, &[ErrorKind::Unsupported])
}

pub(super) async fn nobody_is_unreachable(harness: Harness) -> Outcome {
    for _ in 0..5 {
        expect_error(
            harness.transport.dial(&harness.ctx, &harness.nobody()?).await,
            &[ErrorKind::Unreachable],
        )?;
    }
    Ok(())
}

pub(super) async fn unreadable_addresses_are_configuration_errors(harness: Harness) -> Outcome {
    ensure!(!harness.invalid.is_empty(), "the harness names no invalid address");
    for text in &harness.invalid {
        let address = Url::parse(text)?;
        let dialled = harness.transport.dial(&harness.ctx, &address).await;
        expect_error(dialled, &[ErrorKind::Configuration])
            .map_err(|failure| Failure::new(format!("{text}: {failure}")))?;
    }
    Ok(())
}

pub(super) async fn a_foreign_scheme_is_a_configuration_error(harness: Harness) -> Outcome {
    let address = Url::parse("somebody-elses://127.0.0.1:1")?;
    expect_error(harness.transport.dial(&harness.ctx, &address).await, &[ErrorKind::Configuration])
}

pub(super) async fn dialling_a_listener_that_never_accepts_ends(harness: Harness) -> Outcome {
    let listener = harness.listen().await?;
    let address = listener.address();
    let dials = (0..40).map(|_| harness.transport.dial(&harness.ctx, &address));
    // Each may succeed or fail; what counts is that each ends, which the suite's own deadline sees to.
    let outcomes = join_all(dials).await;
    ensure!(outcomes.len() == 40, "only {} of 40 dials ended", outcomes.len());
    for error in outcomes.into_iter().filter_map(Result::err) {
        expect_error::<()>(
            Err(error),
            &[ErrorKind::Timeout, ErrorKind::Refused, ErrorKind::Unreachable, ErrorKind::Closed],
        )?;
    }
    Ok(())
}

pub(super) async fn many_dials_at_once_are_accepted_once_each(harness: Harness) -> Outcome {
    const DIALS: u64 = 32;
    let mut listener = harness.listen().await?;
    let address = listener.address();
    let (transport, ctx) = (&harness.transport, &harness.ctx);
    let dialling = try_join_all((0..DIALS).map(|number| {
        let address = &address;
        async move {
            let mut end = loop {
                match transport.dial(ctx, address).await {
                    Ok(link) => break link.split(),
                    // A full backlog may say so; then the dialler comes again.
                    Err(error) if error.is_retryable() => tokio::task::yield_now().await,
                    Err(error) => return Err(Failure::from(error)),
                }
            };
            end.0.send(frame(number, 100)).await?;
            expect_frame(&mut end.1, &frame(number + 1000, 100)).await
        }
    }));
    let accepting = async {
        let mut seen = BTreeSet::new();
        let mut ends = Vec::new();
        for _ in 0..DIALS {
            let (mut sender, mut receiver) = listener.accept().await?.split();
            let arrived = receiver.receive().await?;
            let Some(number) = (0..DIALS).find(|number| arrived == Some(frame(*number, 100))) else {
                return Err(Failure::new("a frame that nobody sent"));
            };
            ensure!(seen.insert(number), "dial {number} was accepted twice");
            sender.send(frame(number + 1000, 100)).await?;
            ends.push((sender, receiver));
        }
        Ok(ends)
    };
    try_join(dialling, accepting).await?;
    Ok(())
}

pub(super) async fn a_dropped_dial_leaves_the_listener_working(harness: Harness) -> Outcome {
    let mut listener = harness.listen().await?;
    let address = listener.address();
    for polls in 0..8 {
        let mut dial = harness.transport.dial(&harness.ctx, &address);
        for _ in 0..polls {
            if dial.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let honest = async {
        let mut end = End::dial(&harness, &address).await?;
        end.sender.send(frame(42, 100)).await?;
        expect_frame(&mut end.receiver, &frame(43, 100)).await
    };
    let accepting = async {
        loop {
            let (mut sender, mut receiver) = listener.accept().await?.split();
            // Links of the dropped dials may arrive as well; they are cut.
            if receiver.receive().await.is_ok_and(|arrived| arrived == Some(frame(42, 100))) {
                sender.send(frame(43, 100)).await?;
                return Ok::<_, Failure>((sender, receiver));
            }
        }
    };
    try_join(honest, accepting).await?;
    Ok(())
}
