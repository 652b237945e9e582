//! What the program gives its plugins: tasks, time and randomness. Plugins take them from here and nowhere else, so
//! that the engine owns every task and a test can own the clock. It must not know which async runtime stands behind.

use crate::{BoxFuture, ErrorKind, PluginError, Result};
use futures_util::future::{Either, select};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// An instant on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970-01-01 UTC; may step in either direction.
    pub unix_ms: u64,
    /// Time since some fixed start of the process; never steps back. Deadlines are measured on this one.
    pub monotonic: Duration,
}

/// What the runtime, or a test, implements to carry plugins.
pub trait Host: Send + Sync + 'static {
    /// Starts a task. `name` appears in reports of its failure.
    ///
    /// # Behavior
    /// - The task runs until it ends or the handle is dropped, whichever is first.
    /// - A panic in the task does not reach the plugin; the host reports it.
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) -> TaskHandle;

    /// A future that is ready after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// The present moment.
    fn now(&self) -> Moment;

    /// Fills `bytes` with randomness fit for keys.
    fn fill_random(&self, bytes: &mut [u8]);
}

/// A plugin's view of its [`Host`]; cheap to clone.
#[derive(Clone)]
pub struct Context {
    host: Arc<dyn Host>,
}

impl Context {
    /// The context that `host` stands behind.
    pub fn new(host: impl Host) -> Self {
        Self { host: Arc::new(host) }
    }

    /// Starts a task that lives no longer than the returned handle.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) -> TaskHandle {
        self.host.spawn(name, Box::pin(task))
    }

    /// A future that is ready after `duration`; it does not borrow the context.
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.host.sleep(duration)
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.host.now()
    }

    /// Fills `bytes` with randomness fit for keys.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.host.fill_random(bytes);
    }

    /// A random number, such as [`Backoff::next_delay`](crate::Backoff::next_delay) takes.
    pub fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.host.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Runs `future` for at most `limit`, then drops it and answers [`ErrorKind::Timeout`] for `operation`.
    pub async fn deadline<F: Future + Send>(
        &self,
        limit: Duration,
        operation: &'static str,
        future: F,
    ) -> Result<F::Output> {
        match select(pin!(future), self.sleep(limit)).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(((), _)) => {
                Err(PluginError::new(ErrorKind::Timeout, operation, format!("nothing for {limit:?}")))
            }
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").finish_non_exhaustive()
    }
}

/// Ownership of a running task: dropping it stops the task.
#[must_use = "dropping the handle stops the task"]
pub struct TaskHandle {
    stop: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl TaskHandle {
    /// A handle that calls `stop` when it is dropped; for implementations of [`Host`].
    pub fn new(stop: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { stop: Some(Box::new(stop)) }
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TaskHandle").finish_non_exhaustive()
    }
}
