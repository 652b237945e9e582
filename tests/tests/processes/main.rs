//! Other processes: programs that write to the database file of a device, and a device that is killed while it writes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "a failure names its seed")]

mod kills;
mod programs;
