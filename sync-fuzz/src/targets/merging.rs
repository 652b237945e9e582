//! What decoded changes do to a record, and the hash of device-owned rows in its two ways.

use std::collections::BTreeSet;

use sync_core::{
    authorship::{owned_hash, owned_hash_of_sections},
    changeset::{Body, Change, Header, decode_body},
    ids::Hash,
    merge::{DeletePolicy, InvalidChange, Record, check},
};

use super::body_error;
use crate::{outcome::Outcome, samples};

/// Most changes that are merged one by one: the cost of a run grows with them.
const MOST: usize = 256;

fn own_header() -> Header {
    samples::header(4, Hash([1; 32]))
}

/// A body whose changes are checked and merged into one record: in any order, however often, the state is the same.
pub fn changes(input: &[u8]) -> Outcome {
    let body = match decode_body(input) {
        Err(error) => return body_error(error),
        Ok(body) if body.len() > MOST => return Outcome::error("more changes than are merged", ""),
        Ok(body) => body,
    };
    let header = own_header();
    let all = body.changes(&header);
    assert_eq!(all.len(), body.len(), "each change is handed out");
    rebuild(&body, &all, &header);
    let (mut good, mut bad) = (Vec::new(), None);
    for change in &all {
        match check(change) {
            Ok(()) => good.push(change),
            Err(error) => bad = Some(error),
        }
    }
    merge(&good);
    bad.as_ref().map_or_else(|| Outcome::ok(good.len()), invalid)
}

const fn invalid(error: &InvalidChange) -> Outcome {
    match error {
        InvalidChange::Stamp(_) => Outcome::error("change stamp", ""),
        InvalidChange::Value { .. } => Outcome::error("change value", ""),
        InvalidChange::Doubled(_) => Outcome::error("change doubled", ""),
        InvalidChange::Shape(what) => Outcome::error("change shape", what),
    }
}

/// Pushed one by one into a new body, the changes are the same.
fn rebuild(body: &Body, all: &[Change], header: &Header) {
    let mut again = Body::default();
    for change in all {
        again.push(change, header.version());
    }
    assert_eq!(again.len(), body.len(), "each change is taken");
    assert_eq!(again.changes(header), all, "changes survive being put into sections");
}

fn merge(changes: &[&Change]) {
    let mut forward = Record::default();
    let mut backward = Record::default();
    for change in changes {
        forward.join_change(change);
    }
    for change in changes.iter().rev() {
        backward.join_change(change);
    }
    assert_eq!(forward, backward, "order means nothing");
    for change in changes {
        assert!(!forward.join_change(change).changed, "repetition means nothing");
    }
    let mut joined = Record::default();
    joined.join(&forward);
    assert_eq!(joined, forward, "joining states is joining their changes");
    let bytes = forward.encode();
    assert_eq!(Record::decode(&bytes).as_ref(), Ok(&forward), "a merged state can be stored");
    for policy in [DeletePolicy::Wins, DeletePolicy::Loses] {
        let mut dropped = forward.clone();
        dropped.drop_void(policy);
        assert_eq!(dropped.is_alive(policy), forward.is_alive(policy), "void values decide nothing");
    }
}

/// A page of device-owned rows: the hash of whole sections is that of the changes.
pub fn owned(input: &[u8]) -> Outcome {
    let body = match decode_body(input) {
        Err(error) => return body_error(error),
        Ok(body) if body.len() > MOST => return Outcome::error("more changes than are hashed", ""),
        Ok(body) => body,
    };
    let header = own_header();
    // No author writes a record or a column twice, or NaN; the quick way does not look for them.
    let mut seen = BTreeSet::new();
    let unique = body.sections.iter().all(|section| {
        let mut fields: Vec<_> = section.columns.iter().map(|column| column.field.clone()).collect();
        fields.sort();
        fields.dedup();
        let records = section.records.iter().all(|record| seen.insert((section.model.clone(), *record)));
        records && fields.len() == section.columns.len()
    });
    if !unique {
        return Outcome::error("a record or column twice", "");
    }
    let quick = owned_hash_of_sections(body.sections.clone(), header.version());
    let slow = owned_hash(body.changes(&header), header.version());
    assert_eq!(quick, slow, "both ways give the same hash");
    Outcome::ok(body.len())
}
