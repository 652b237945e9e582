//! The first read of a drain: what is noted, and the state that the changeset continues.

use std::collections::BTreeMap;

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    hlc::{Clock, Hlc},
    ids::{DeviceId, Hash, Incarnation, Origin, Seq},
};

use super::{ahead::Ahead, notes::NoteKind};
use crate::{
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::db::{blob, integer, query, sqlite_row},
};

/// Kinds of notes by model number and kind, and the own origin's state.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Notes of each model.
    pub(crate) models: BTreeMap<i64, Kinds>,
    /// The clock as stored.
    pub(crate) clock: Clock,
    /// The highest stamp in the merged state.
    pub(crate) ceiling: Hlc,
    /// The last own changeset.
    pub(crate) head: Seq,
    /// Its hash.
    pub(crate) head_hash: Hash,
    /// Heads of other origins that changed since.
    pub(crate) seen: Vec<(Origin, Seq)>,
    /// Records in the shadow, any model.
    pub(crate) shadowed: bool,
    /// The first and the last note.
    pub(crate) notes: (i64, i64),
}

/// What kinds of notes a model has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kinds {
    /// Something that is no plain insert.
    pub(crate) others: bool,
}

impl Kinds {
    /// Nothing but inserts.
    pub(crate) fn only_inserts(self) -> bool {
        !self.others
    }
}

/// Reads the summary; one statement, which need not look at the notes that were looked at ahead.
pub(super) async fn read(tx: &DatabaseTransaction, local: &Local, ahead: &Ahead) -> Result<Summary> {
    let sql = "SELECT DISTINCT m, t, NULL, NULL, NULL, NULL, NULL, NULL FROM _sync_pending WHERE n > ?
        UNION ALL SELECT -2, o.incarnation, o.head, NULL, o.device, NULL, NULL, NULL
        FROM _sync_state s JOIN _sync_origin o ON o.o <> s.own AND o.seen <> o.head
        UNION ALL SELECT -1, s.clock, s.ceiling, o.head, o.head_hash, EXISTS (SELECT 1 FROM _sync_shadow),
        (SELECT coalesce(min(n), 0) FROM _sync_pending), (SELECT coalesce(max(n), 0) FROM _sync_pending)
        FROM _sync_state s JOIN _sync_origin o ON o.o = s.own";
    let mut models: BTreeMap<i64, Kinds> = BTreeMap::new();
    let mut state = None;
    let mut seen = Vec::new();
    let mut note = |number: i64, kind: i64| {
        if local.numbered(number).is_some() {
            let kinds = models.entry(number).or_default();
            kinds.others |= NoteKind::from_number(kind) != Some(NoteKind::Insert);
        }
    };
    ahead.kinds.iter().for_each(|(number, kind)| note(*number, *kind));
    for row in query(tx, sql, vec![Sql::BigInt(Some(ahead.at))]).await? {
        let row = sqlite_row(&row)?;
        let number = integer(row, 0)?;
        if number == -2 {
            if let Some(device) = blob(row, 4)?.and_then(DeviceId::from_slice) {
                let incarnation = Incarnation(u32::try_from(integer(row, 1)?).unwrap_or(0));
                seen.push((Origin { device, incarnation }, Seq(integer(row, 2)?.cast_unsigned())));
            }
            continue;
        }
        if number < 0 {
            let hash = blob(row, 4)?.and_then(|b| b.try_into().ok()).map_or(Hash::NONE, Hash);
            state = Some((
                Clock::resume(Hlc(integer(row, 1)?.cast_unsigned())),
                Hlc(integer(row, 2)?.cast_unsigned()),
                Seq(integer(row, 3)?.cast_unsigned()),
                hash,
                integer(row, 5)? != 0,
                (integer(row, 6)?, integer(row, 7)?),
            ));
            continue;
        }
        note(number, integer(row, 1)?);
    }
    let (clock, ceiling, head, head_hash, shadowed, notes) = state.ok_or_else(|| {
        Error::new(
            ErrorKind::Storage,
            "drain",
            "_sync_state is empty: the space was not opened completely; open it again",
        )
    })?;
    seen.sort_unstable();
    Ok(Summary { models, clock, ceiling, head, head_hash, seen, shadowed, notes })
}
