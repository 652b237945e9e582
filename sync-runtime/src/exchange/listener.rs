//! Accepts links at one address and starts a session for each.

use std::sync::Arc;

use sync_plugin::{Backoff, BoxListener, Link, Listener};

use super::{
    ExchangeEvent, Replica,
    status::{Direction, PeerState, Status},
    supervisor::Shared,
};

/// Most sessions over links that came in.
const MOST_ACCEPTED: usize = 256;

/// Runs until its task is stopped or the listener is over.
pub(super) async fn run<R: Replica>(shared: Arc<Shared<R>>, mut listener: BoxListener) {
    let mut backoff = Backoff::new();
    loop {
        match listener.accept().await {
            Ok(link) => {
                backoff.reset();
                let address = link.peer();
                let status = Arc::new(Status::new(address.clone(), Direction::Accepted, PeerState::Greeting));
                if !shared.welcome(link, status, MOST_ACCEPTED) {
                    shared.replica.event(ExchangeEvent::TurnedAway { address });
                }
            }
            Err(error) => {
                let address = listener.address().to_string();
                shared.replica.event(ExchangeEvent::ListenFailed { address, error: error.to_string() });
                if !error.is_retryable() {
                    return;
                }
                shared.context.sleep(backoff.next_delay(shared.context.random_u64())).await;
            }
        }
    }
}
