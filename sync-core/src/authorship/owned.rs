//! The canonical encoding of a changeset's device-owned rows: what its header names, and what a receiver computes
//! again from the pages that reach it.

use std::collections::BTreeMap;

use crate::{
    changeset::{Body, Change, ChangeKind, Name, Version, encode_body},
    ids::{Hash, RecordId},
    value::MergeKind,
};

/// Sections in order of model, kind and fields (which are sorted by name), records in order of id.
type Key = (Name, u8, Vec<(Name, u8)>);

fn key(change: &Change) -> Key {
    let kind = match change.kind {
        ChangeKind::Insert => 0,
        ChangeKind::Write => 1,
        ChangeKind::Delete => 2,
    };
    let fields = change.fields.iter().map(|field| (field.field.clone(), merge_number(field.merge)));
    (change.model.clone(), kind, fields.collect())
}

const fn merge_number(merge: MergeKind) -> u8 {
    merge as u8
}

/// Encodes `changes` canonically. `own` is the changeset's version; a change that has it carries none of its own.
pub fn canonical_owned(changes: impl IntoIterator<Item = Change>, own: Version) -> Vec<u8> {
    let mut sections: BTreeMap<Key, BTreeMap<RecordId, Change>> = BTreeMap::new();
    for mut change in changes {
        change.fields.sort_by(|a, b| a.field.cmp(&b.field));
        sections.entry(key(&change)).or_default().insert(change.record, change);
    }
    let mut body = Body::default();
    for change in sections.into_values().flat_map(BTreeMap::into_values) {
        body.push(&change, own);
    }
    encode_body(&body)
}

/// Hash of the canonical encoding; [`Hash::NONE`] when there are no changes.
pub fn owned_hash(changes: impl IntoIterator<Item = Change>, own: Version) -> Hash {
    let mut changes = changes.into_iter().peekable();
    if changes.peek().is_none() { Hash::NONE } else { Hash::of(&canonical_owned(changes, own)) }
}
