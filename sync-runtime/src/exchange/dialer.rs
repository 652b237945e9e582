//! Keeps one address connected: dials, runs the session, waits, dials again.

use std::{pin::pin, sync::Arc, time::Duration};

use sync_core::{ids::DeviceId, wire::Role};
use sync_plugin::{Backoff, SharedTransport, Url};

use super::{
    ExchangeEvent, Replica,
    status::{Direction, PeerState, Status},
    supervisor::{Shared, is_duplicate},
};

/// How long a dial may take, whatever the transport's own deadline.
const DIAL_LIMIT: Duration = Duration::from_secs(20);
/// A session that lasted so long counts as a success: the next wait is short again.
const LASTING: Duration = Duration::from_secs(10);

/// The status of an address before its first attempt.
pub(super) fn status(url: &Url) -> Arc<Status> {
    Arc::new(Status::new(url.to_string(), Direction::Dialled, PeerState::Dialling))
}

/// Runs until its task is stopped.
pub(super) async fn run<R: Replica>(
    shared: Arc<Shared<R>>,
    transport: SharedTransport,
    url: Url,
    status: Arc<Status>,
) {
    let mut backoff = Backoff::new();
    loop {
        status.known().state = PeerState::Dialling;
        let dial = transport.dial(&shared.context, &url);
        match shared.context.deadline(DIAL_LIMIT, "dial", dial).await.and_then(|dialled| dialled) {
            Ok(link) => {
                let began = shared.context.now().monotonic;
                let error = shared.converse(link, Role::Initiator, Arc::clone(&status)).await;
                let device = status.known().device;
                if is_duplicate(&error)
                    && let Some(device) = device
                {
                    gone(&shared, device).await;
                }
                if shared.context.now().monotonic.saturating_sub(began) >= LASTING {
                    backoff.reset();
                }
            }
            Err(error) => {
                let mut known = status.known();
                known.state = PeerState::Waiting;
                known.last_error = Some(error.to_string());
                let address = known.address.clone();
                drop(known);
                shared.replica.event(ExchangeEvent::DialFailed { address, error: error.to_string() });
            }
        }
        shared.context.sleep(backoff.next_delay(shared.context.random_u64())).await;
    }
}

/// Waits until there is no session with `device`.
async fn gone<R: Replica>(shared: &Shared<R>, device: DeviceId) {
    loop {
        let mut change = pin!(shared.changed.notified());
        // ORDER: registered before the look, so that a change in between is not missed.
        change.as_mut().enable();
        if !shared.is_live(device) {
            return;
        }
        change.await;
    }
}
