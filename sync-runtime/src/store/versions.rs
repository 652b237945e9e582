//! Record versions beside the rows (`_sync_v_…`) and merged states in the shadow.

use sea_orm::{DatabaseTransaction, Value as Sql};
use sqlx::sqlite::SqliteRow;
use sync_core::{
    changeset::Version,
    hlc::{Hlc, Stamp},
    ids::{RecordId, Seq},
    merge::Record,
};

use super::{
    batch::Batch,
    db::{blob, optional_integer, signed},
    key::Key,
    origins::{OriginNumber, Origins},
};
use crate::{
    catalog::Model,
    error::{Error, ErrorKind, Result},
};

/// The version of a shown row.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StoredVersion {
    /// The insert (for device-owned rows: the last write).
    pub(crate) insert: Version,
    /// What does not follow from the insert and the row.
    pub(crate) residue: Option<Vec<u8>>,
    /// The row is device-owned.
    pub(crate) owned: bool,
}

impl StoredVersion {
    /// Reads o, s, hlc, x and w from `first` on; `None` where there is no version.
    pub(crate) fn read(
        row: &SqliteRow,
        first: usize,
        origins: &Origins,
        model: &Model,
    ) -> Result<Option<Self>> {
        let Some(number) = optional_integer(row, first)? else { return Ok(None) };
        let lost = |what: &str| {
            Error::new(
                ErrorKind::Storage,
                "versions",
                format!("a version in {} lacks its {what}", model.table),
            )
        };
        let origin = origins.origin(OriginNumber(number)).ok_or_else(|| lost("origin"))?;
        let seq = optional_integer(row, first + 1)?.ok_or_else(|| lost("sequence"))?;
        let hlc = optional_integer(row, first + 2)?.ok_or_else(|| lost("stamp"))?;
        let owned = match optional_integer(row, first + 4)? {
            Some(flag) => flag != 0,
            None => model.may_be_owned(),
        };
        Ok(Some(Self {
            insert: Version {
                stamp: Stamp::new(Hlc(hlc.cast_unsigned()), origin),
                origin,
                seq: Seq(seq.cast_unsigned()),
            },
            residue: blob(row, first + 3)?.map(<[u8]>::to_vec),
            owned,
        }))
    }

    /// The columns that [`Self::read`] takes; `v` is the versions table, `l` the log.
    pub(crate) fn columns(model: &Model) -> &'static str {
        if is_hybrid(model) {
            "v.o, v.s, coalesce(v.h, l.hlc), v.x, v.w"
        } else {
            "v.o, v.s, coalesce(v.h, l.hlc), v.x, NULL"
        }
    }

    /// The join to the log behind the join to the versions.
    pub(crate) const LOG_JOIN: &str = " LEFT JOIN _sync_log l ON l.o = v.o AND l.s = v.s";
}

/// Rows of the model may be either.
pub(crate) fn is_hybrid(model: &Model) -> bool {
    model.may_be_owned() && model.may_be_shared()
}

/// A version to write.
#[derive(Clone, Debug)]
pub(crate) struct VersionRow {
    pub(crate) key: Key,
    pub(crate) origin: OriginNumber,
    pub(crate) seq: Seq,
    /// The stamp's hlc, where it is not the one of the changeset's header.
    pub(crate) hlc: Option<Hlc>,
    pub(crate) residue: Option<Vec<u8>>,
    pub(crate) owned: bool,
}

/// Status of a record in the shadow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub(crate) enum ShadowStatus {
    /// Shown, but a reference reads NULL.
    Altered,
    /// Alive, but not shown: it waits for a record, loses a unique value, or fails a check.
    Hidden,
    /// Dead, in the merged state or in the view.
    Dead,
    /// Without a known insert, or of an unknown model.
    Waiting,
}

impl ShadowStatus {
    /// Its number in the table.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Altered => 1,
            Self::Hidden => 2,
            Self::Dead => 3,
            Self::Waiting => 4,
        }
    }

    /// The status with a number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        [Self::Altered, Self::Hidden, Self::Dead, Self::Waiting].into_iter().find(|s| s.number() == number)
    }
}

/// Changes of versions and shadow to write together.
#[derive(Debug, Default)]
pub(crate) struct StateWrites {
    /// Versions to set.
    pub(crate) versions: Vec<(crate::catalog::ModelIndex, VersionRow)>,
    /// Versions of rows that are gone.
    pub(crate) gone: Vec<(crate::catalog::ModelIndex, Key)>,
    /// Shadow entries to set: model number, record, status, state.
    pub(crate) shadow: Vec<(i64, RecordId, ShadowStatus, Vec<u8>)>,
    /// Shadow entries that end.
    pub(crate) unshadow: Vec<(i64, RecordId)>,
    /// What records in the shadow wait for: (model number, what) by holder (model number, record).
    pub(crate) wants: Vec<(i64, Vec<u8>, i64, RecordId)>,
    /// Dots of device-owned records in the shadow.
    pub(crate) dots: Vec<(OriginNumber, Seq, i64, RecordId)>,
}

impl StateWrites {
    /// Enters a device-owned record into the shadow with its dots.
    pub(crate) fn own_dots(&mut self, record: &Record, number: i64, id: RecordId, origins: &Origins) {
        for (origin, seq) in record.dots() {
            if let Some(row) = origins.get(&origin) {
                self.dots.push((row.number, seq, number, id));
            }
        }
    }

    /// Writes everything.
    pub(crate) async fn write(
        self,
        tx: &DatabaseTransaction,
        local: &crate::engine::local::Local,
        batch: &mut Batch,
    ) -> Result<()> {
        self.write_removals(tx, local, batch).await?;
        self.write_versions(tx, local, batch).await?;
        let shadow = self
            .shadow
            .into_iter()
            .map(|(number, record, status, state)| {
                vec![
                    Sql::BigInt(Some(number)),
                    id(record),
                    Sql::BigInt(Some(status.number())),
                    Sql::Bytes(Some(state)),
                ]
            })
            .collect();
        batch
            .push_rows(
                tx,
                "INSERT INTO _sync_shadow (m, r, status, state)",
                4,
                " ON CONFLICT (m, r) DO UPDATE SET status = excluded.status, state = excluded.state",
                shadow,
            )
            .await?;
        let wants = self
            .wants
            .into_iter()
            .map(|(m, what, hm, hr)| {
                vec![Sql::BigInt(Some(m)), Sql::Bytes(Some(what)), Sql::BigInt(Some(hm)), id(hr)]
            })
            .collect();
        batch.push_rows(tx, "INSERT OR IGNORE INTO _sync_wants (m, w, hm, hr)", 4, "", wants).await?;
        let dots = self
            .dots
            .into_iter()
            .map(|(o, s, m, r)| {
                vec![Sql::BigInt(Some(o.0)), Sql::BigInt(Some(signed(s.0))), Sql::BigInt(Some(m)), id(r)]
            })
            .collect();
        batch.push_rows(tx, "INSERT OR IGNORE INTO _sync_dot (o, s, m, r)", 4, "", dots).await
    }

    async fn write_removals(
        &self,
        tx: &DatabaseTransaction,
        local: &crate::engine::local::Local,
        batch: &mut Batch,
    ) -> Result<()> {
        for head in [
            "DELETE FROM _sync_shadow WHERE (m, r) IN (",
            "DELETE FROM _sync_wants WHERE (hm, hr) IN (",
            "DELETE FROM _sync_dot WHERE (m, r) IN (",
        ] {
            let rows =
                self.unshadow.iter().map(|(number, r)| vec![Sql::BigInt(Some(*number)), id(*r)]).collect();
            batch.push_rows(tx, head, 2, ")", rows).await?;
        }
        for gone in self.gone.chunk_by(|a, b| a.0 == b.0) {
            let Some((model, sql)) = gone.first().and_then(|row| local.model(row.0)) else { continue };
            let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
            let head = format!("DELETE FROM {} WHERE ({keys}) IN (", model.versions_table());
            let rows = gone.iter().map(|(_, key)| key.to_sql()).collect();
            batch.push_rows(tx, &head, sql.key_columns, ")", rows).await?;
        }
        Ok(())
    }

    async fn write_versions(
        &self,
        tx: &DatabaseTransaction,
        local: &crate::engine::local::Local,
        batch: &mut Batch,
    ) -> Result<()> {
        for rows in self.versions.chunk_by(|a, b| a.0 == b.0) {
            let Some((model, sql)) = rows.first().and_then(|row| local.model(row.0)) else { continue };
            let hybrid = is_hybrid(model);
            let keys = (0..sql.key_columns).map(|n| format!("k{n}")).collect::<Vec<_>>().join(", ");
            let (w, set_w) = if hybrid { (", w", ", w = excluded.w") } else { ("", "") };
            let head = format!("INSERT INTO {} ({keys}, o, s, h, x{w})", model.versions_table());
            let tail = format!(
                " ON CONFLICT ({keys}) DO UPDATE SET o = excluded.o, s = excluded.s, h = excluded.h,
                 x = excluded.x{set_w}"
            );
            let values = rows
                .iter()
                .map(|(_, row)| {
                    let mut values = row.key.to_sql();
                    values.push(Sql::BigInt(Some(row.origin.0)));
                    values.push(Sql::BigInt(Some(signed(row.seq.0))));
                    values.push(Sql::BigInt(row.hlc.map(|h| signed(h.0))));
                    values.push(Sql::Bytes(row.residue.clone()));
                    if hybrid {
                        values.push(Sql::BigInt(Some(i64::from(row.owned))));
                    }
                    values
                })
                .collect();
            batch.push_rows(tx, &head, sql.key_columns + 4 + usize::from(hybrid), &tail, values).await?;
        }
        Ok(())
    }
}

/// A record id to bind.
pub(crate) fn id(record: RecordId) -> Sql {
    Sql::Bytes(Some(record.as_bytes().to_vec()))
}
