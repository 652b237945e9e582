//! Stamps of local changes: `max(clock, what it overwrites + 1)` (docs/merge.md section 2). Whoever saw a value can
//! replace it, whatever stamp it carries.

use super::record::{DeletePolicy, Record};
use crate::{
    hlc::{Hlc, Stamp},
    ids::Origin,
    value::MergeKind,
};

/// A local write would need a stamp beyond the year 2200.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what this overwrites is stamped at the end of time ({overwrites:?}); no later stamp exists")]
pub struct BeyondEnd {
    /// The stamp that it would have to be above.
    pub overwrites: Stamp,
}

/// The stamp of a local write of `origin` at `clock`: the clock's, or the next above `overwrites`.
pub fn write_stamp(clock: Hlc, origin: Origin, overwrites: Stamp) -> Result<Stamp, BeyondEnd> {
    let own = Stamp::new(clock, origin);
    let stamp = if own > overwrites { own } else { Stamp::new(overwrites.hlc.successor(), origin) };
    if stamp.hlc < Hlc::MAX_VALID { Ok(stamp) } else { Err(BeyondEnd { overwrites }) }
}

/// What a write to these fields overwrites. A field that nobody has written counts from the insert.
pub fn write_overwrites<'a>(
    record: &Record,
    fields: impl IntoIterator<Item = (&'a str, MergeKind)>,
) -> Stamp {
    let version = |(name, kind)| record.field_as(name, kind).and_then(super::FieldState::version);
    fields
        .into_iter()
        .filter_map(|field| version(field).or_else(|| record.insert().copied()))
        .map(|version| version.stamp)
        .max()
        .unwrap_or(Stamp::ZERO)
}

/// What a reference to `target` must be above, besides the field's own version, to resolve: the target's insert,
/// and its delete where a later write brought the target back.
pub fn reference_overwrites(target: &Record) -> Stamp {
    target.insert().map(|insert| insert.stamp).max(target.delete_stamp()).unwrap_or(Stamp::ZERO)
}

/// What a delete overwrites: everything of the record.
pub fn delete_overwrites(record: &Record) -> Stamp {
    record.highest()
}

/// Stamp of a local insert, and what it declares dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InsertStamp {
    /// Its stamp.
    pub stamp: Stamp,
    /// For `Change::over`.
    pub over: Option<Stamp>,
}

/// The stamp of a local insert: above everything known of the record, above the partition's floor
/// ([`Stamp::ZERO`] when nothing was ever forgotten) and above every unresolved reference to it. What it declares
/// dead is the same without writes to a record that was never deleted.
pub fn insert_stamp(
    clock: Hlc,
    origin: Origin,
    known: Option<&Record>,
    policy: DeletePolicy,
    floor: Stamp,
    unresolved: impl IntoIterator<Item = Stamp>,
) -> Result<InsertStamp, BeyondEnd> {
    let dead = known.filter(|record| record.delete_stamp().is_some() && !record.is_alive(policy));
    let over = unresolved.into_iter().chain(dead.map(Record::highest)).fold(floor, Stamp::max);
    let overwrites = known.map_or(over, |record| over.max(record.highest()));
    let stamp = write_stamp(clock, origin, overwrites)?;
    Ok(InsertStamp { stamp, over: (over > Stamp::ZERO).then_some(over) })
}

/// The total share to send after adding `delta` to a counter. Saturates at the bounds of an integer.
pub fn next_share(record: &Record, name: &str, origin: Origin, delta: i64) -> i64 {
    record.own_share(name, origin).saturating_add(delta)
}
