//! Valid inputs to begin from: the committed golden bytes of sync-core and what its encoders make of values drawn from
//! a seed.

mod chain;
mod golden;
mod messages;
mod values;

pub use chain::{
    Chain, PARTITION, SPACE, SPACE_KEY, device_key, header, origin, owned_rows, owned_run, page, run,
    run_part, statement, vector,
};
pub use golden::golden;
pub use messages::{hello, hello_for, messages, run_parts, signed_runs};
pub use values::{body, change, changes, record, row, set_operation, stamp, value, version};
