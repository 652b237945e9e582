//! What two and three devices do to each other, over the memory and the WebSocket transport.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]

/// Each scenario as a test over each transport.
macro_rules! over_both_transports {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                Box::pin(super::$name(sync_tests::device::Transport::Memory)).await;
            })*
        }
        mod websocket {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                Box::pin(super::$name(sync_tests::device::Transport::WebSocket)).await;
            })*
        }
    };
}

mod arriving;
mod audit;
mod capture;
mod deletes;
mod events;
mod identity;
mod library;
mod merging;
mod ownership;
mod references;
mod restored;
mod topology;
mod unique;
mod values;
