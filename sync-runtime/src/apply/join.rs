//! Joins incoming changes into the merged state and settles the view: the one compare-and-apply.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    changeset::{Change, ChangeKind, Name},
    ids::RecordId,
    merge::Record,
};

use super::{
    context::{Focus, Place},
    load, place,
    settle::{Settle, Settled},
};
use crate::{
    engine::local::Local,
    error::Result,
    store::{
        batch::Batch,
        db::{execute, integer, query_one, signed, sqlite_row},
        origins::Origins,
        versions::{ShadowStatus, StateWrites, id},
    },
};

/// A change and its regime.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) change: Change,
    /// It came as a device-owned row.
    pub(crate) owned: bool,
}

/// What applying did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied {
    pub(crate) settled: Settled,
    /// Records for which two writes have equal stamps and different bytes.
    pub(crate) equivocations: Vec<(Name, RecordId)>,
}

/// Joins and settles. References, unique values and checks are in force afterwards.
pub(crate) async fn apply_changes(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    incoming: Vec<Incoming>,
) -> Result<Applied> {
    let mut applied = Applied::default();
    let mut known: BTreeMap<Place, Vec<Incoming>> = BTreeMap::new();
    let mut unknown: BTreeMap<(Name, RecordId), Vec<Incoming>> = BTreeMap::new();
    for item in incoming {
        match local.catalog.by_name.get(&item.change.model) {
            Some(model) => known.entry((*model, item.change.record)).or_default().push(item),
            None => {
                unknown.entry((item.change.model.clone(), item.change.record)).or_default().push(item);
            }
        }
    }
    if !unknown.is_empty() {
        keep_unknown(tx, local, origins, unknown).await?;
    }
    let mut focus = Focus::default();
    focus.load(tx, local, origins, known.keys().copied()).await?;
    let mut queue = BTreeSet::new();
    for (place, changes) in known {
        let (Some(entry), Some((model, _))) = (focus.entries.get_mut(&place), local.model(place.0)) else {
            continue;
        };
        let record = &mut entry.loaded.record;
        let before = (record.insert().copied(), record.delete_stamp());
        let mut changed = false;
        for item in &changes {
            let (joined, owned) = join_one(record, entry.loaded.owned, item);
            entry.loaded.owned = owned;
            changed |= joined.changed;
            if joined.equivocation {
                applied.equivocations.push((model.name.clone(), place.1));
            }
        }
        if !changed {
            continue;
        }
        record.drop_void(model.delete);
        entry.changed = true;
        entry.moved = before != (record.insert().copied(), record.delete_stamp());
        queue.insert(place);
        focus.index(local, place);
    }
    let mut settle = Settle { tx, local, origins, focus };
    settle.run(queue).await?;
    applied.settled = place::write(tx, local, origins, settle.focus).await?;
    Ok(applied)
}

/// Joins one change. A device-owned record has one author: of several devices that claim an id, the one with the
/// smallest device id, which all members agree on; a delete without an insert of its author claims nothing.
fn join_one(record: &mut Record, owned: bool, item: &Incoming) -> (sync_core::merge::Joined, bool) {
    let author = item.change.version.origin.device;
    let holder = record.insert().map(|v| v.origin.device);
    let ignored = (sync_core::merge::Joined::default(), owned);
    if !item.owned {
        // A shared write to what its owner wrote as his own.
        return if owned && holder.is_some() { ignored } else { (record.join_change(&item.change), false) };
    }
    let insert = item.change.kind == ChangeKind::Insert;
    match holder {
        Some(holder) if owned && holder != author => {
            if !insert || holder < author {
                return ignored;
            }
            *record = Record::default();
        }
        None if insert && record.delete().is_some_and(|d| d.origin.device != author) => {
            *record = Record::default();
        }
        Some(_) | None if !owned && insert => *record = Record::default(),
        // A device-owned write to what was inserted as shared.
        Some(_) if !owned => return ignored,
        _ => {}
    }
    let joined = record.join_change(&item.change);
    record.reduce_to_highest();
    (joined, true)
}

/// Keeps changes of models that this version of the program does not know.
async fn keep_unknown(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    unknown: BTreeMap<(Name, RecordId), Vec<Incoming>>,
) -> Result<()> {
    let mut numbers: HashMap<Name, i64> = HashMap::new();
    let mut writes = StateWrites::default();
    for ((name, record), changes) in unknown {
        let number = match numbers.get(&name) {
            Some(number) => *number,
            None => dictionary_number(tx, &name).await?,
        };
        numbers.insert(name, number);
        let stored = load::shadow(tx, number, &[record]).await?.remove(&record);
        let mut state = stored.map_or_else(Record::default, |stored| stored.1);
        let mut owned = has_dots(tx, origins, (number, record), &state).await?;
        for item in &changes {
            (_, owned) = join_one(&mut state, owned, item);
        }
        writes.shadow.push((number, record, ShadowStatus::Waiting, state.encode()));
        if owned {
            writes.own_dots(&state, number, record, origins);
        }
    }
    let mut batch = Batch::default();
    writes.write(tx, local, &mut batch).await?;
    batch.flush(tx).await
}

/// Whether a record in the shadow is device-owned, where no catalog says what its model is.
async fn has_dots(
    tx: &DatabaseTransaction,
    origins: &Origins,
    (number, record): (i64, RecordId),
    state: &Record,
) -> Result<bool> {
    let text = "SELECT 1 FROM _sync_dot WHERE o = ? AND s = ? AND m = ? AND r = ?";
    for (origin, seq) in state.dots() {
        let Some(row) = origins.get(&origin) else { continue };
        let values = vec![
            Sql::BigInt(Some(row.number.0)),
            Sql::BigInt(Some(signed(seq.0))),
            Sql::BigInt(Some(number)),
            id(record),
        ];
        if query_one(tx, text, values).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The number of a model in the dictionary; a new name is entered.
async fn dictionary_number(tx: &DatabaseTransaction, name: &Name) -> Result<i64> {
    let value = || vec![Sql::String(Some(name.as_str().to_owned()))];
    execute(tx, "INSERT OR IGNORE INTO _sync_model (name) VALUES (?)", value()).await?;
    match query_one(tx, "SELECT m FROM _sync_model WHERE name = ?", value()).await? {
        Some(row) => integer(sqlite_row(&row)?, 0),
        None => Ok(0),
    }
}
