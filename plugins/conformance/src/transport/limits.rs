//! The largest frame, and one byte more.

use crate::frames::frame;
use crate::harness::{expect_error, expect_frame};
use crate::{Failure, Harness, Outcome};
use futures_util::future::try_join;
use sync_plugin::{ErrorKind, LinkSender};

pub(super) async fn the_largest_frame_passes(harness: Harness) -> Outcome {
    let largest = frame(7, harness.max_frame());
    let (_listener, mut left, mut right) = harness.linked().await?;
    for (from, to) in [(&mut left.sender, &mut right.receiver), (&mut right.sender, &mut left.receiver)] {
        let sending = async { Ok::<_, Failure>(from.send(largest.clone()).await?) };
        try_join(sending, expect_frame(to, &largest)).await?;
    }
    Ok(())
}

pub(super) async fn one_byte_more_is_refused_and_the_link_stays_usable(harness: Harness) -> Outcome {
    let too_large = frame(7, harness.max_frame() + 1);
    let (_listener, mut left, mut right) = harness.linked().await?;
    left.sender.send(frame(1, 10)).await?;
    expect_error(left.sender.send(too_large).await, &[ErrorKind::Limit])?;
    left.sender.send(frame(2, 10)).await?;
    expect_frame(&mut right.receiver, &frame(1, 10)).await?;
    expect_frame(&mut right.receiver, &frame(2, 10)).await
}
