//! The body of the changeset that a drain makes, and the state that goes with each change.

use sync_core::{
    authorship,
    changeset::{Body, Change, ChangeKind, Name, Section, Version, Versions, encode_body},
    ids::Hash,
};

/// Changes of the transaction, shared and device-owned apart.
#[derive(Debug, Default)]
pub(super) struct LocalBody {
    shared: Body,
    owned: Body,
}

/// The encoded bodies.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) shared: Option<Vec<u8>>,
    pub(super) owned: Hash,
    pub(super) shared_count: u32,
    pub(super) owned_count: u32,
}

impl LocalBody {
    /// Adds whole inserted rows of one model.
    pub(super) fn push_inserts(&mut self, shared: Section, owned: Section) {
        if !shared.is_empty() {
            self.shared.sections.push(shared);
        }
        if !owned.is_empty() {
            self.owned.sections.push(owned);
        }
    }

    /// Adds one change.
    pub(super) fn push(&mut self, change: &Change, owned: bool, own: Version) {
        if owned { self.owned.push(change, own) } else { self.shared.push(change, own) }
    }

    /// Whether nothing changed.
    pub(super) fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.owned.is_empty()
    }

    /// The bytes of the shared part and the hash of the device-owned part.
    pub(super) fn encode(self, own: Version) -> Encoded {
        let count = |body: &Body| u32::try_from(body.len()).unwrap_or(u32::MAX);
        let (shared_count, owned_count) = (count(&self.shared), count(&self.owned));
        let owned = if self.owned.is_empty() { Hash::NONE } else { owned_hash(self.owned, own) };
        let shared = (!self.shared.is_empty()).then(|| encode_body(&self.shared));
        Encoded { shared, owned, shared_count, owned_count }
    }
}

/// Hash of the canonical encoding (see `sync_core::authorship::canonical_owned`): by model, kind, fields and record.
/// Whole sections are sorted as such; only changes with stamps of their own are taken apart.
fn owned_hash(mut body: Body, own: Version) -> Hash {
    if body.sections.iter().any(|section| {
        section.versions != Versions::Changeset || !section.over.is_empty() || !section.seen_delete.is_empty()
    }) {
        return authorship::owned_hash(body.sections.iter().flat_map(|section| section.changes(own)), own);
    }
    for section in &mut body.sections {
        section.columns.sort_by(|a, b| a.field.cmp(&b.field));
    }
    body.sections.sort_by_cached_key(|section| {
        let kind = match section.kind {
            ChangeKind::Insert => 0,
            ChangeKind::Write => 1,
            ChangeKind::Delete => 2,
        };
        let fields: Vec<(Name, u8)> =
            section.columns.iter().map(|c| (c.field.clone(), c.merge as u8)).collect();
        (section.model.clone(), kind, fields)
    });
    let mut merged: Vec<Section> = Vec::with_capacity(body.sections.len());
    for section in body.sections {
        match merged.last_mut() {
            Some(last) if last.can_take(&section) => last.append(section),
            _ => merged.push(section),
        }
    }
    merged.iter_mut().for_each(Section::sort_by_record);
    Hash::of(&encode_body(&Body { sections: merged }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::{
        changeset::FieldWrite,
        hlc::{Hlc, Stamp},
        ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
        value::{MergeKind, Value},
    };

    #[test]
    fn quick_hash_of_owned_rows_is_the_canonical_one() {
        let origin = Origin { device: DeviceId::from_bytes([1; 16]), incarnation: Incarnation(0) };
        let own = Version { stamp: Stamp::new(Hlc(7), origin), origin, seq: Seq(3) };
        let mut body = LocalBody::default();
        for n in (0..40_u8).rev() {
            let field = |name: &str| FieldWrite {
                field: name.into(),
                merge: MergeKind::LastWriter,
                value: Value::Integer(i64::from(n)),
            };
            let kind = if n % 3 == 0 { ChangeKind::Delete } else { ChangeKind::Insert };
            let fields = if n % 3 == 0 { vec![] } else { vec![field("b"), field("a")] };
            let change = Change {
                model: if n % 2 == 0 { "x".into() } else { "y".into() },
                record: RecordId::from_bytes([n; 16]),
                kind,
                version: own,
                over: None,
                seen_delete: None,
                fields,
            };
            body.push(&change, true, own);
        }
        let changes: Vec<Change> = body.owned.sections.iter().flat_map(|s| s.changes(own)).collect();
        assert_eq!(body.encode(own).owned, authorship::owned_hash(changes, own));
    }
}
