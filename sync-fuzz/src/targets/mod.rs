//! The targets, each a function from any bytes to what became of them.

mod errors;
mod merging;
mod messages;
mod plugin;
mod runs;
mod sections;
mod sessions;
mod stored;
mod table;
mod vectors;
mod wire;

pub use errors::{
    assemble_error, body_error, frame_error, header_error, message_error, record_error, seal_error,
    session_error, statement_error, violation,
};
pub use merging::{changes, owned};
pub use messages::{ack, error_message, heartbeat, hello, range_request, range_response, run_part};
pub use plugin::{configuration, url};
pub use runs::{assemble, pieces, statement, verify};
pub use sections::{body, header};
pub use sessions::{PEER_SEED, SESSION_SEED, session};
pub use stored::{json, record, residue, row_array, set_operation, value};
pub use table::{ALL, Target, find};
pub use vectors::{entries, hlc, id, vector};
pub use wire::{Zstd, frame, handshake, inner, sealed, sealed_sample};
