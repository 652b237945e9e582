//! Changesets: one committed transaction as a header and a columnar body.

mod cells;
mod codec;
mod header;
mod section;

pub use cells::{CellIter, Cells};
pub use codec::{BodyError, MAX_BODY, MAX_NAME, decode_body, encode_body};
pub use header::{Header, HeaderError};
pub use section::{Body, Change, ChangeKind, Column, FieldWrite, Name, Section, Version, Versions};
