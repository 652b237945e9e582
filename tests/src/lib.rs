//! What the workspace's tests share: models, devices that sync, and comparisons of whole contents. Nothing here reaches
//! into the runtime; everything goes through what an application can call.
#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on panics")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

pub mod clock;
pub mod device;
pub mod digest;
pub mod hostile;
pub mod journal;
pub mod network;
pub mod proxy;
pub mod rows;
pub mod schema;

// Linked for their registration.
use sync_transport_memory as _;
use sync_transport_websocket as _;

/// Each of these functions as a test over each transport.
#[macro_export]
macro_rules! over_both_transports {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                Box::pin(super::$name($crate::device::Transport::Memory)).await;
            })*
        }
        mod websocket {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                Box::pin(super::$name($crate::device::Transport::WebSocket)).await;
            })*
        }
    };
}
