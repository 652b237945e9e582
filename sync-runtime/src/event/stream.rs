//! The bounded channel that events travel in. A slow listener loses events and is told so; nobody waits for it.

use tokio::sync::{
    broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
    watch,
};

use super::SyncEvent;

/// Events that a listener may be behind.
const BUFFER: usize = 1024;

/// Where the parts of the runtime put their events.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    events: broadcast::Sender<SyncEvent>,
    closed: watch::Sender<bool>,
}

impl Default for EventSender {
    fn default() -> Self {
        Self { events: broadcast::Sender::new(BUFFER), closed: watch::Sender::new(false) }
    }
}

impl EventSender {
    /// Tells whoever listens.
    pub(crate) fn send(&self, event: SyncEvent) {
        // An error means that nobody listens, which is their right.
        drop(self.events.send(event));
    }

    /// A listener from now on.
    pub(crate) fn subscribe(&self) -> Events {
        Events { events: self.events.subscribe(), closed: self.closed.subscribe() }
    }

    /// Says that the space is closed: nothing more will come.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Waits until the space is closed.
    pub(crate) async fn closed(&self) {
        // The sender is held here, so that this cannot fail.
        drop(self.closed.subscribe().wait_for(|closed| *closed).await);
    }
}

/// The events of a space since this was made; see [`SyncEvent`].
#[derive(Debug)]
pub struct Events {
    events: broadcast::Receiver<SyncEvent>,
    closed: watch::Receiver<bool>,
}

impl Events {
    /// The next event; `None` when the space is closed. May be cancelled without losing one.
    pub async fn next(&mut self) -> Option<SyncEvent> {
        let closed = async { drop(self.closed.wait_for(|closed| *closed).await) };
        let next = tokio::select! {
            biased;
            next = self.events.recv() => Some(next),
            () = closed => None,
        };
        match next {
            Some(Ok(event)) => Some(event),
            Some(Err(RecvError::Lagged(missed))) => Some(SyncEvent::Lagged { missed }),
            Some(Err(RecvError::Closed)) => None,
            // What was sent before the end still comes.
            None => self.try_next(),
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<SyncEvent> {
        match self.events.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Lagged(missed)) => Some(SyncEvent::Lagged { missed }),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(n: usize) -> SyncEvent {
        SyncEvent::Trouble { operation: "test", detail: n.to_string(), retried: false }
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_how_much_it_lost() {
        let sender = EventSender::default();
        let mut events = sender.subscribe();
        assert_eq!(events.try_next(), None);
        for n in 0..BUFFER + 3 {
            sender.send(trouble(n));
        }
        assert_eq!(events.next().await, Some(SyncEvent::Lagged { missed: 3 }));
        assert_eq!(events.next().await, Some(trouble(3)));
        sender.close();
        let mut left = 0;
        while events.next().await.is_some() {
            left += 1;
        }
        assert_eq!(left, BUFFER - 1, "what was sent before the end still comes");
    }
}
