//! Ties the two halves of a link together, so that dropping one is noticed by the other. For authors of transports;
//! it must not know what the halves do.

use crate::{ErrorKind, PluginError, Result};
use futures_util::task::AtomicWaker;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

#[derive(Debug, Default)]
struct Knot {
    severed: AtomicBool,
    wakers: [AtomicWaker; 2],
}

/// One end of a tie between two halves. Dropped before [`Tether::finish`], it severs the tie.
#[derive(Debug)]
pub struct Tether {
    knot: Arc<Knot>,
    first: bool,
    finished: bool,
}

/// Two ends of one tie, for the sender and the receiver of a link.
pub fn tether() -> (Tether, Tether) {
    let knot = Arc::new(Knot::default());
    (
        Tether { knot: Arc::clone(&knot), first: true, finished: false },
        Tether { knot, first: false, finished: false },
    )
}

impl Tether {
    /// Runs `future` until it ends or the other half is dropped, which is [`ErrorKind::Closed`] for `operation`.
    /// Without contention this costs one atomic load and one waker registration for each poll, no allocation.
    pub async fn run<T, F>(&self, operation: &'static str, future: F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        let mut future = pin!(future);
        poll_fn(|task| {
            self.own_waker().register(task.waker());
            // ORDER: the flag is read after the waker is in place, so that a cut between the two is not missed.
            if self.is_severed() {
                return Poll::Ready(Err(PluginError::new(
                    ErrorKind::Closed,
                    operation,
                    "the link was cut on this side",
                )));
            }
            future.as_mut().poll(task)
        })
        .await
    }

    /// Whether the link was cut: by [`Self::sever`], or because a half was dropped early.
    pub fn is_severed(&self) -> bool {
        self.knot.severed.load(Ordering::Acquire)
    }

    /// Cuts the link now, as dropping this half would.
    pub fn sever(&self) {
        // ORDER: the flag before the wake-ups, which make the other half look at it.
        self.knot.severed.store(true, Ordering::Release);
        for waker in &self.knot.wakers {
            waker.wake();
        }
    }

    /// Says that this half's direction ended in an orderly way: dropping it now disturbs nobody.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    fn own_waker(&self) -> &AtomicWaker {
        let [first, second] = &self.knot.wakers;
        if self.first { first } else { second }
    }
}

impl Drop for Tether {
    fn drop(&mut self) {
        if !self.finished {
            self.sever();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dropping_one_end_wakes_the_other() {
        let (left, right) = tether();
        let waiting = async { left.run("receive", std::future::pending::<Result<()>>()).await };
        let (outcome, ()) = tokio::join!(waiting, async { drop(right) });
        assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::Closed));
    }

    #[tokio::test]
    async fn a_finished_end_may_be_dropped() {
        let (left, mut right) = tether();
        right.finish();
        drop(right);
        assert_eq!(left.run("receive", async { Ok(7) }).await.map_err(|error| error.kind()), Ok(7));
    }
}
