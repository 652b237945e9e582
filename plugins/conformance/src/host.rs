//! The host that carries plugins in the suites: tokio's tasks and timers, repeatable randomness. Not for production.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use sync_plugin::{BoxFuture, Context, Host, Moment, TaskHandle};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// 2025-01-01 UTC in milliseconds: the suites' clock starts there, so that nothing depends on the day they run.
const START_MS: u64 = 1_735_689_600_000;

/// A [`Host`] on the tokio runtime in which it was made.
#[derive(Debug)]
pub struct TokioHost {
    runtime: Handle,
    start: Instant,
    drawn: AtomicU64,
}

impl TokioHost {
    /// A context on the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn context() -> Context {
        Context::new(Self { runtime: Handle::current(), start: Instant::now(), drawn: AtomicU64::new(1) })
    }
}

impl Host for TokioHost {
    #[expect(clippy::disallowed_methods, reason = "this host stands in for the runtime's")]
    fn spawn(&self, _name: &'static str, task: BoxFuture<'static, ()>) -> TaskHandle {
        let task = self.runtime.spawn(task).abort_handle();
        TaskHandle::new(move || task.abort())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Moment {
        let monotonic = self.start.elapsed();
        let passed = u64::try_from(monotonic.as_millis()).unwrap_or(u64::MAX);
        Moment { unix_ms: START_MS.saturating_add(passed), monotonic }
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = crate::frames::mix(self.drawn.fetch_add(1, Ordering::Relaxed));
            for (byte, random) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
