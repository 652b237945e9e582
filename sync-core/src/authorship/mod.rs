//! Who wrote what: device keys, signed heads of chains, signed statements, and the check of a whole run.
//!
//! Nothing is believed because a peer says so. A device id is the hash of a key; the key signs the head of the
//! origin's chain; the chain proves every header; the header proves the bodies. No IO, no clock, no randomness.

mod head;
mod key;
mod owned;
mod statement;
mod verify;

pub use head::{sign_head, verify_head};
pub use key::{DeviceKey, InvalidKey, PublicKey, SpaceKey};
pub(crate) use key::{sign_hello, verify_hello};
pub use owned::{canonical_owned, owned_hash, owned_hash_of_sections};
pub use statement::{Floor, Head, SignedStatement, Statement, StatementError};
pub use verify::{Refusal, Shared, VerifiedChangeset, VerifiedRun, Violation, verify_run};
