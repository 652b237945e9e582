//! Origins by their small local number, and what is held of each.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Sql};
use sync_core::{
    ids::{DeviceId, Hash, Incarnation, Origin, Seq},
    vector::{Held, SeqRange, VersionVector},
};

use super::{
    batch::Batch,
    db::{blob, execute, integer, query, signed, sqlite_row},
};
use crate::error::{Error, ErrorKind, Result};

/// Local number of an origin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct OriginNumber(pub(crate) i64);

/// What the database says of an origin.
#[derive(Clone, Debug)]
pub(crate) struct OriginRow {
    /// Its number.
    pub(crate) number: OriginNumber,
    /// What is held of it.
    pub(crate) held: Held,
    /// Hash of the header at its head.
    pub(crate) head_hash: Hash,
    /// Its public key, where known.
    pub(crate) public_key: Option<[u8; 32]>,
}

/// All known origins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    rows: HashMap<Origin, OriginRow>,
    numbers: HashMap<OriginNumber, Origin>,
}

impl Origins {
    /// Only this one, with nothing held: enough to read versions that it wrote.
    pub(crate) fn only(origin: Origin, number: OriginNumber) -> Self {
        let row = OriginRow { number, held: Held::default(), head_hash: Hash::NONE, public_key: None };
        Self { rows: HashMap::from([(origin, row)]), numbers: HashMap::from([(number, origin)]) }
    }

    /// Reads them all.
    pub(crate) async fn load(tx: &(impl ConnectionTrait + ?Sized)) -> Result<Self> {
        let mut out = Self::default();
        let sql = "SELECT o, device, incarnation, head, head_hash, ranges, public_key FROM _sync_origin";
        for row in query(tx, sql, vec![]).await? {
            let row = sqlite_row(&row)?;
            let device = blob(row, 1)?.and_then(DeviceId::from_slice).ok_or_else(|| damaged("device"))?;
            let incarnation = u32::try_from(integer(row, 2)?).map_err(|_| damaged("incarnation"))?;
            let origin = Origin { device, incarnation: Incarnation(incarnation) };
            let held =
                Held { head: Seq(integer(row, 3)?.cast_unsigned()), ranges: read_ranges(blob(row, 5)?)? };
            let entry = OriginRow {
                number: OriginNumber(integer(row, 0)?),
                held,
                head_hash: blob(row, 4)?.and_then(|b| b.try_into().ok()).map_or(Hash::NONE, Hash),
                public_key: blob(row, 6)?.and_then(|b| b.try_into().ok()),
            };
            out.numbers.insert(entry.number, origin);
            out.rows.insert(origin, entry);
        }
        Ok(out)
    }

    /// What is known of an origin.
    pub(crate) fn get(&self, origin: &Origin) -> Option<&OriginRow> {
        self.rows.get(origin)
    }

    /// The origin with a number.
    pub(crate) fn origin(&self, number: OriginNumber) -> Option<Origin> {
        self.numbers.get(&number).copied()
    }

    /// The number of an origin; a new one is entered.
    pub(crate) async fn number(&mut self, tx: &DatabaseTransaction, origin: Origin) -> Result<OriginNumber> {
        if let Some(row) = self.rows.get(&origin) {
            return Ok(row.number);
        }
        let result = execute(
            tx,
            "INSERT INTO _sync_origin (device, incarnation) VALUES (?, ?)",
            vec![
                Sql::Bytes(Some(origin.device.as_bytes().to_vec())),
                Sql::BigInt(Some(i64::from(origin.incarnation.0))),
            ],
        )
        .await?;
        let number = OriginNumber(signed(result.last_insert_id()));
        self.numbers.insert(number, origin);
        self.rows.insert(
            origin,
            OriginRow { number, held: Held::default(), head_hash: Hash::NONE, public_key: None },
        );
        Ok(number)
    }

    /// The stored vector.
    pub(crate) fn vector(&self) -> VersionVector {
        let mut vector = VersionVector::new();
        for (origin, row) in &self.rows {
            vector.insert(*origin, SeqRange { first: Seq(1), last: row.held.head });
            for range in &row.held.ranges {
                vector.insert(*origin, *range);
            }
        }
        vector
    }

    /// Stores what is held of a known origin now, when the batch is run.
    pub(crate) fn save(
        &mut self,
        batch: &mut Batch,
        origin: &Origin,
        held: Held,
        head_hash: Hash,
        public_key: Option<[u8; 32]>,
    ) {
        let Some(row) = self.rows.get_mut(origin) else { return };
        batch.push(
            "UPDATE _sync_origin SET head = ?, head_hash = ?, ranges = ?, public_key = coalesce(?, public_key)
             WHERE o = ?",
            [
                Sql::BigInt(Some(signed(held.head.0))),
                Sql::Bytes(Some(head_hash.0.to_vec())),
                Sql::Bytes(write_ranges(&held.ranges)),
                Sql::Bytes(public_key.map(|k| k.to_vec())),
                Sql::BigInt(Some(row.number.0)),
            ],
        );
        row.held = held;
        row.head_hash = head_hash;
        row.public_key = public_key.or(row.public_key);
    }
}

fn read_ranges(bytes: Option<&[u8]>) -> Result<Vec<SeqRange>> {
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    let (pairs, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(damaged("ranges"));
    }
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| damaged("ranges"));
    pairs
        .iter()
        .map(|pair| {
            let (first, last) = pair.split_at(8);
            Ok(SeqRange { first: Seq(number(first)?), last: Seq(number(last)?) })
        })
        .collect()
}

fn write_ranges(ranges: &[SeqRange]) -> Option<Vec<u8>> {
    if ranges.is_empty() {
        return None;
    }
    Some(ranges.iter().flat_map(|r| [r.first.0.to_le_bytes(), r.last.0.to_le_bytes()].concat()).collect())
}

fn damaged(what: &str) -> Error {
    Error::new(
        ErrorKind::Storage,
        "origins",
        format!("_sync_origin holds a damaged {what}; restore a backup"),
    )
}
