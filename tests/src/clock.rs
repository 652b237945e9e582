//! Clocks that are wrong or in a hurry, for devices of a test.

use std::time::Duration;

use sync_plugin::{BoxFuture, Context, Host, Moment, TaskHandle};
use sync_runtime::host::RuntimeHost;

/// The real host with another time.
#[derive(Debug)]
struct Warped {
    ahead: Duration,
    speed: u32,
    start: Moment,
}

impl Host for Warped {
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) -> TaskHandle {
        RuntimeHost.spawn(name, task)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        RuntimeHost.sleep(duration / self.speed)
    }

    fn now(&self) -> Moment {
        let passed = RuntimeHost.now().monotonic.saturating_sub(self.start.monotonic) * self.speed;
        let since = u64::try_from((self.ahead + passed).as_millis()).unwrap();
        Moment { unix_ms: self.start.unix_ms + since, monotonic: self.start.monotonic + passed }
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        RuntimeHost.fill_random(bytes);
    }
}

/// The clock of a device whose owner set it wrong.
pub fn clock_ahead(ahead: Duration) -> Context {
    Context::new(Warped { ahead, speed: 1, start: RuntimeHost.now() })
}

/// A clock that runs `speed` times as fast as the real one, for all that waits.
pub fn hurried(speed: u32) -> Context {
    Context::new(Warped { ahead: Duration::ZERO, speed, start: RuntimeHost.now() })
}
