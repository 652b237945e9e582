//! From reports to events.

use std::collections::BTreeMap;

use sync_core::ids::RecordId;

use super::{hidden::in_words, local::Local};
use crate::{
    apply::settle::Settled,
    catalog::ModelIndex,
    event::{EventSender, SyncEvent},
    ingest::Report,
};

/// Tells what a run did.
pub(super) fn of_report(events: &EventSender, local: &Local, report: &Report) {
    of_settled(events, local, &report.settled);
    for (origin, seq, reason) in &report.refused {
        events.send(SyncEvent::Refused { origin: *origin, seq: *seq, reason: reason.clone() });
    }
    if let Some((origin, skew)) = report.skew {
        events.send(SyncEvent::ClockSkew { origin, skew });
    }
    for detail in &report.faults {
        events.send(SyncEvent::Trouble { operation: "merge", detail: detail.clone(), retried: false });
    }
}

/// Tells what the view shows differently.
pub(super) fn of_settled(events: &EventSender, local: &Local, settled: &Settled) {
    let name = |model: ModelIndex| local.model(model).map(|(model, _)| model.name.clone());
    for (place, reason) in &settled.hidden {
        if let Some(model) = name(place.0) {
            let reason = in_words(local, place.0, reason);
            events.send(SyncEvent::Hidden { model, record: place.1, reason });
        }
    }
    for place in &settled.shown {
        if let Some(model) = name(place.0) {
            events.send(SyncEvent::Shown { model, record: place.1 });
        }
    }
    for detail in &settled.surplus {
        events.send(SyncEvent::Trouble { operation: "apply", detail: detail.clone(), retried: false });
    }
    let written: &BTreeMap<ModelIndex, Vec<RecordId>> = &settled.written;
    for (model, records) in written {
        if let Some(model) = name(*model) {
            events.send(SyncEvent::Applied { model, records: records.as_slice().into() });
        }
    }
}
