//! What this device holds, as everyone in the process sees it: it grows with every commit and every changeset that
//! arrives, and never shrinks.

use std::sync::Arc;

use sync_core::{
    ids::{Origin, Seq},
    vector::{SeqRange, VersionVector},
};
use tokio::sync::watch;

/// The vector of what is durable here. A wake-up, never the truth: that is in the database.
#[derive(Debug)]
pub(super) struct HeldVector(watch::Sender<Arc<VersionVector>>);

impl HeldVector {
    /// Starts with what the database holds.
    pub(super) fn new(stored: VersionVector) -> Self {
        Self(watch::Sender::new(Arc::new(stored)))
    }

    /// Hears of every change.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<VersionVector>> {
        self.0.subscribe()
    }

    /// What is known now.
    pub(super) fn now(&self) -> Arc<VersionVector> {
        Arc::clone(&self.0.borrow())
    }

    /// Takes note of what was read from the database. Another task may have told of a later commit since it was read:
    /// both count.
    pub(super) fn learn(&self, stored: &VersionVector) {
        self.0.send_if_modified(|held| {
            if held.covers(stored) {
                return false;
            }
            let mut vector = VersionVector::clone(held);
            vector.merge(stored);
            *held = Arc::new(vector);
            true
        });
    }

    /// This device committed a changeset.
    pub(super) fn committed(&self, origin: Origin, seq: Seq) {
        self.0.send_if_modified(|held| {
            if held.contains(&origin, seq) {
                return false;
            }
            let mut vector = VersionVector::clone(held);
            // ORDER: changesets commit in the order of their numbers; one below may be announced later.
            vector.insert(origin, SeqRange { first: vector.head(&origin).next(), last: seq });
            *held = Arc::new(vector);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use sync_core::{
        ids::{DeviceId, Incarnation, Origin, Seq},
        vector::{SeqRange, VersionVector},
    };

    use super::HeldVector;

    fn origin(n: u8) -> Origin {
        Origin { device: DeviceId::from_bytes([n; 16]), incarnation: Incarnation(1) }
    }

    fn vector(heads: &[(u8, u64)]) -> VersionVector {
        let mut vector = VersionVector::new();
        for (n, head) in heads {
            vector.insert(origin(*n), SeqRange { first: Seq(1), last: Seq(*head) });
        }
        vector
    }

    /// Lost until the next changeset arrived, and peers believed that it was not held.
    #[test]
    fn what_was_read_before_a_commit_was_told_counts() {
        let held = HeldVector::new(vector(&[(1, 7), (2, 3)]));
        let read = vector(&[(1, 7), (2, 4)]);
        held.committed(origin(1), Seq(8));
        held.learn(&read);
        assert_eq!(*held.now(), vector(&[(1, 8), (2, 4)]));
    }

    #[test]
    fn nothing_new_wakes_nobody() {
        let held = HeldVector::new(vector(&[(1, 7)]));
        let mut heard = held.subscribe();
        heard.mark_unchanged();
        held.learn(&vector(&[(1, 5)]));
        held.committed(origin(1), Seq(7));
        assert!(!heard.has_changed().is_ok_and(|changed| changed));
        held.committed(origin(1), Seq(9));
        assert!(heard.has_changed().is_ok_and(|changed| changed));
        assert_eq!(held.now().head(&origin(1)), Seq(9));
    }
}
