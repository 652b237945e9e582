//! The canonical encoding of a changeset's device-owned rows: what its header names, and what a receiver computes
//! again from the pages that reach it.

use std::collections::BTreeMap;

use crate::{
    changeset::{Body, Change, ChangeKind, Name, Section, Version, Versions, encode_body},
    ids::{Hash, RecordId},
    value::MergeKind,
};

/// Sections in order of model, kind and fields (which are sorted by name), records in order of id.
type Key = (Name, u8, Vec<(Name, u8)>);

fn key(change: &Change) -> Key {
    let kind = kind_number(change.kind);
    let fields = change.fields.iter().map(|field| (field.field.clone(), merge_number(field.merge)));
    (change.model.clone(), kind, fields.collect())
}

const fn kind_number(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::Insert => 0,
        ChangeKind::Write => 1,
        ChangeKind::Delete => 2,
    }
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

/// As [`owned_hash`], of whole sections. Only changes with stamps of their own are taken apart; whole sections are
/// sorted as such. A record that occurs twice in a section is not looked for: no author writes one.
pub fn owned_hash_of_sections(mut sections: Vec<Section>, own: Version) -> Hash {
    if sections.iter().all(Section::is_empty) {
        return Hash::NONE;
    }
    let plain =
        |s: &Section| s.versions == Versions::Changeset && s.over.is_empty() && s.seen_delete.is_empty();
    if !sections.iter().all(plain) {
        return owned_hash(sections.iter().flat_map(|section| section.changes(own)), own);
    }
    for section in &mut sections {
        section.columns.sort_by(|a, b| a.field.cmp(&b.field));
    }
    sections.sort_by_cached_key(section_key);
    let mut merged: Vec<Section> = Vec::with_capacity(sections.len());
    for section in sections {
        match merged.last_mut() {
            Some(last) if last.can_take(&section) => last.append(section),
            _ => merged.push(section),
        }
    }
    merged.iter_mut().for_each(Section::sort_by_record);
    Hash::of(&encode_body(&Body { sections: merged }))
}

fn section_key(section: &Section) -> Key {
    let fields = section.columns.iter().map(|column| (column.field.clone(), merge_number(column.merge)));
    (section.model.clone(), kind_number(section.kind), fields.collect())
}

/// Hash of the canonical encoding; [`Hash::NONE`] when there are no changes.
pub fn owned_hash(changes: impl IntoIterator<Item = Change>, own: Version) -> Hash {
    let mut changes = changes.into_iter().peekable();
    if changes.peek().is_none() { Hash::NONE } else { Hash::of(&canonical_owned(changes, own)) }
}
