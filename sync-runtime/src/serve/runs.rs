//! Runs from the log.

use sea_orm::{ConnectionTrait, Value as Sql};
use sync_core::{
    authorship::{DeviceKey, PublicKey, sign_head},
    changeset::Header,
    ids::{Hash, Origin, Seq},
    session::ServeRequest,
    vector::SeqRange,
    wire::{HeadProof, Run, Signature},
};

use super::owned;
use crate::{
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        compress,
        db::{blob, integer, query, signed, sqlite_row},
        origins::{OriginNumber, Origins},
    },
};

/// Rows of the log read at a time.
const ROWS: i64 = 1_000;
/// About what a device-owned row takes in a page.
const ROW_BYTES: usize = 64;

/// Reads what a peer lacks, as far as it fits. All reads must be of one snapshot.
pub(crate) async fn serve(
    db: &(impl ConnectionTrait + ?Sized),
    local: &Local,
    key: &DeviceKey,
    request: &ServeRequest,
) -> Result<Vec<Run>> {
    let origins = Origins::load(db).await?;
    let mut budget = request.max_bytes;
    let mut out = Vec::new();
    for (origin, range) in &request.lacking {
        let mut rest = *range;
        while !rest.is_empty() {
            if !out.is_empty() && budget == 0 {
                return Ok(out);
            }
            let Some((run, used)) = run(db, local, &origins, key, *origin, rest, budget).await? else {
                break;
            };
            rest.first = run.range().last.next();
            budget = budget.saturating_sub(used);
            out.push(run);
        }
    }
    Ok(out)
}

/// One run from the start of a range, and about how many bytes it takes.
async fn run(
    db: &(impl ConnectionTrait + ?Sized),
    local: &Local,
    origins: &Origins,
    key: &DeviceKey,
    origin: Origin,
    range: SeqRange,
    budget: usize,
) -> Result<Option<(Run, usize)>> {
    let Some(row) = origins.get(&origin) else { return Ok(None) };
    let own = origin.device == local.origin.device;
    let public_key = if own {
        key.public()
    } else {
        match row.public_key {
            Some(key) => PublicKey(key),
            None => return Ok(None),
        }
    };
    let sql =
        "SELECT s, header, shared, proof FROM _sync_log WHERE o = ? AND s BETWEEN ? AND ? ORDER BY s LIMIT ?";
    let values = vec![
        Sql::BigInt(Some(row.number.0)),
        Sql::BigInt(Some(signed(range.first.0))),
        Sql::BigInt(Some(signed(range.last.0))),
        Sql::BigInt(Some(ROWS)),
    ];
    let mut run = Run {
        partition: sync_core::ids::PartitionId::ROOT,
        origin,
        public_key,
        first: range.first,
        headers: Vec::new(),
        shared: Vec::new(),
        links: Vec::new(),
        proof: HeadProof { seq: Seq::ZERO, hash: Hash::NONE, signature: Signature([0; 64]) },
        owned: Vec::new(),
    };
    let mut stamps = Vec::new();
    let (mut used, mut owned_rows, mut signature) = (0_usize, 0_usize, None);
    for item in query(db, sql, values).await? {
        let item = sqlite_row(&item)?;
        let seq = Seq(integer(item, 0)?.cast_unsigned());
        if seq != run.range().last.next() || (used >= budget && !run.headers.is_empty()) {
            break;
        }
        let header = blob(item, 1)?.unwrap_or_default().to_vec();
        let shared = blob(item, 2)?.map(compress::unpack).transpose()?;
        let decoded = Header::decode(&header).map_err(|e| damaged().with_source(e))?;
        let count = usize::try_from(decoded.owned_count).unwrap_or(usize::MAX);
        used += header.len() + shared.as_ref().map_or(0, Vec::len) + count.saturating_mul(ROW_BYTES);
        owned_rows = owned_rows.saturating_add(count);
        signature = blob(item, 3)?.map(<[u8]>::to_vec);
        stamps.push(decoded.hlc);
        run.headers.push(header);
        run.shared.push(shared);
    }
    if run.headers.is_empty() {
        return Ok(None);
    }
    if own {
        sign(&mut run, local, key);
    } else {
        prove(db, row.number, &mut run, signature).await?;
    }
    if owned_rows > 0 {
        run.owned = owned::pages(db, local, row.number, origin, run.range(), &stamps).await?;
    }
    Ok(Some((run, used)))
}

fn sign(run: &mut Run, local: &Local, key: &DeviceKey) {
    let hash = run.headers.last().map_or(Hash::NONE, |header| Hash::of(header));
    let seq = run.range().last;
    run.proof = sign_head(key, &local.space, &run.partition, &run.origin, seq, hash);
}

/// Takes the origin's own signature at or after the end of the run, with the headers up to it.
async fn prove(
    db: &(impl ConnectionTrait + ?Sized),
    number: OriginNumber,
    run: &mut Run,
    signature: Option<Vec<u8>>,
) -> Result<()> {
    let mut hash = run.headers.last().map_or(Hash::NONE, |header| Hash::of(header));
    let mut seq = run.range().last;
    let mut signature = signature;
    while signature.is_none() {
        let sql = "SELECT s, header, proof FROM _sync_log WHERE o = ? AND s = ?";
        let values = vec![Sql::BigInt(Some(number.0)), Sql::BigInt(Some(signed(seq.next().0)))];
        let rows = query(db, sql, values).await?;
        let Some(row) = rows.first() else { return Err(damaged()) };
        let row = sqlite_row(row)?;
        let header = blob(row, 1)?.unwrap_or_default().to_vec();
        seq = seq.next();
        hash = Hash::of(&header);
        signature = blob(row, 2)?.map(<[u8]>::to_vec);
        run.links.push(header);
    }
    let signature = signature.and_then(|s| s.try_into().ok()).map(Signature).ok_or_else(damaged)?;
    run.proof = HeadProof { seq, hash, signature };
    Ok(())
}

fn damaged() -> Error {
    Error::new(ErrorKind::Storage, "serve", "_sync_log lacks a header or a signature; restore a backup")
}
