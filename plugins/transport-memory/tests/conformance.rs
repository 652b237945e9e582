//! The memory transport keeps the transport contract.

use sync_conformance::{Harness, transport_suite};
use sync_transport_memory::{MemoryConfig, MemoryTransport};

fn harness() -> Harness {
    Harness::new(MemoryTransport::new(MemoryConfig::default()), "memory://", "memory://nobody-listens-here")
        .invalid("memory://name/with/a/path")
        .invalid("memory://user@name")
}

transport_suite!(harness);
