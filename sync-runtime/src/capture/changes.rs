//! The body of the changeset that a drain makes, and the state that goes with each change.

use sync_core::{
    authorship,
    changeset::{Body, Change, Section, Version, encode_body},
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
        let owned = authorship::owned_hash_of_sections(self.owned.sections, own);
        let shared = (!self.shared.is_empty()).then(|| encode_body(&self.shared));
        Encoded { shared, owned, shared_count, owned_count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::{
        changeset::{ChangeKind, FieldWrite},
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
