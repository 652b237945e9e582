//! The body of the changeset that a drain makes, and the state that goes with each change.

use sync_core::{
    changeset::{Body, Change, ChangeKind, Section, Version, encode_body},
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
    pub(super) fn encode(mut self) -> Encoded {
        let count = |body: &Body| u32::try_from(body.len()).unwrap_or(u32::MAX);
        let (shared_count, owned_count) = (count(&self.shared), count(&self.owned));
        let owned = if self.owned.is_empty() {
            Hash::NONE
        } else {
            canonical_owned(&mut self.owned);
            Hash::of(&encode_body(&self.owned))
        };
        let shared = (!self.shared.is_empty()).then(|| encode_body(&self.shared));
        Encoded { shared, owned, shared_count, owned_count }
    }
}

/// Brings device-owned changes into the order whose hash the header states: by model, kind and record id.
fn canonical_owned(body: &mut Body) {
    let kind = |kind| match kind {
        ChangeKind::Insert => 0,
        ChangeKind::Write => 1,
        ChangeKind::Delete => 2,
    };
    body.sections.sort_by(|a, b| a.model.cmp(&b.model).then(kind(a.kind).cmp(&kind(b.kind))));
    let mut merged: Vec<Section> = Vec::with_capacity(body.sections.len());
    for section in body.sections.drain(..) {
        match merged.last_mut() {
            Some(last) if last.can_take(&section) => last.append(section),
            _ => merged.push(section),
        }
    }
    merged.iter_mut().for_each(Section::sort_by_record);
    body.sections = merged;
}
