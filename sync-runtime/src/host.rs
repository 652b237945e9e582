//! The one module that reads the system's clock, draws random numbers and starts tasks. Everything else is given
//! them.

use std::{
    panic::AssertUnwindSafe,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt;
use sync_plugin::{BoxFuture, Context, Host, Moment, TaskHandle};
use uuid::Uuid;

/// The running program as plugins see it, on tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuntimeHost;

impl RuntimeHost {
    /// The context that plugins and sessions get.
    pub fn context() -> Context {
        Context::new(Self)
    }
}

/// The instant from which monotonic time is counted.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

impl Host for RuntimeHost {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where tasks start")]
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) -> TaskHandle {
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task panicked");
            }
        };
        let stop = tokio::spawn(watched).abort_handle();
        TaskHandle::new(move || stop.abort())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let unix_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Moment { unix_ms, monotonic: start().elapsed() }
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        fill_random(bytes);
    }
}

/// Randomness fit for keys.
///
/// # Panics
/// When the operating system has none; nothing can be kept secret then.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws random numbers")]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the operating system gives no randomness: {error}");
    }
}

/// A random array fit for keys.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}

/// A fresh random id (UUID version 4) for a record.
pub fn new_id() -> Uuid {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}

/// Runs `task` to its end, also when whoever waits for it gives up. A panic in it goes on in whoever waits; `None` when
/// the runtime ends first.
#[expect(clippy::disallowed_methods, reason = "this is the one place where tasks start")]
pub(crate) async fn finish<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Option<T> {
    match tokio::spawn(task).await {
        Ok(result) => Some(result),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}

/// Runs `task` to its end on its own, where a runtime is there to do it; whether one is.
#[expect(clippy::disallowed_methods, reason = "this is the one place where tasks start")]
pub(crate) fn detach(task: impl Future<Output = ()> + Send + 'static) -> bool {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            drop(runtime.spawn(task));
            true
        }
        Err(_) => false,
    }
}
