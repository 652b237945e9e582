//! Headers and bodies of changesets; a page of state is a body.

use sync_core::changeset::{Header, decode_body, encode_body};

use super::{body_error, header_error};
use crate::{
    allocation::bounded,
    outcome::{Outcome, magnitude},
};

/// A changeset's header.
pub fn header(input: &[u8]) -> Outcome {
    match bounded("header", input.len(), || Header::decode(input)) {
        Err(error) => header_error(&error),
        Ok(header) => {
            assert_eq!(header.encode(), input, "a header has one form");
            Outcome::ok(header.seen.len() + header.siblings.len())
        }
    }
}

/// A changeset's body.
pub fn body(input: &[u8]) -> Outcome {
    match bounded("body", input.len(), || decode_body(input)) {
        Err(error) => body_error(error),
        Ok(body) => {
            assert!(body.len().saturating_mul(16) <= input.len(), "a change takes a record id at least");
            let again = encode_body(&body);
            assert_eq!(decode_body(&again).as_ref(), Ok(&body), "survives");
            for section in &body.sections {
                for column in &section.columns {
                    assert_eq!(column.cells.len(), section.len(), "a cell for each change");
                    assert_eq!(column.cells.iter().count(), section.len(), "all of them can be read");
                }
            }
            let columns = body.sections.iter().map(|section| section.columns.len()).max().unwrap_or_default();
            Outcome::ok(body.len()).at(magnitude(body.len()) * 8 + magnitude(columns).min(7))
        }
    }
}
