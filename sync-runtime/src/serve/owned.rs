//! Pages of device-owned rows as they are now, those whose version lies in a range of sequences.

use sea_orm::{ConnectionTrait, QueryResult, Value as Sql};
use sync_core::{
    changeset::{Body, Change, Section, Version, Versions, encode_body},
    hlc::{Hlc, Stamp},
    ids::{Origin, RecordId, Seq},
    vector::SeqRange,
};

use crate::{
    apply::load,
    catalog::{Model, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        db::{integer, optional_integer, query, query_one, signed, sqlite_row},
        model_sql::ModelSql,
        origins::OriginNumber,
        rows,
        versions::is_hybrid,
    },
};

/// Rows in a page.
const PAGE: usize = 4_000;

/// The pages, parents before children.
pub(super) async fn pages(
    db: &(impl ConnectionTrait + ?Sized),
    local: &Local,
    number: OriginNumber,
    origin: Origin,
    range: SeqRange,
    stamps: &[Hlc],
) -> Result<Vec<Vec<u8>>> {
    let of_header = |seq: Seq| {
        let at = usize::try_from(seq.0.checked_sub(range.first.0)?).ok()?;
        stamps.get(at).copied()
    };
    let mut out = Vec::new();
    for (model, sql) in local.catalog.models.iter().zip(local.sql.iter()) {
        if model.may_be_owned() {
            shown(db, model, sql, (number, origin), range, &of_header, &mut out).await?;
        }
    }
    shadowed(db, local, number, origin, range, &mut out).await?;
    Ok(out)
}

/// Rows that show their state.
async fn shown(
    db: &(impl ConnectionTrait + ?Sized),
    model: &Model,
    sql: &ModelSql,
    (number, origin): (OriginNumber, Origin),
    range: SeqRange,
    of_header: &(impl Fn(Seq) -> Option<Hlc> + Sync),
    out: &mut Vec<Vec<u8>>,
) -> Result<()> {
    let any = "SELECT 1 FROM _sync_shadow WHERE m = ? LIMIT 1";
    let shadowed = query_one(db, any, vec![Sql::BigInt(Some(model.number))]).await?.is_some();
    let id = quote(&model.id.column);
    let unshadowed = if shadowed {
        format!(
            " AND NOT EXISTS (SELECT 1 FROM _sync_shadow z WHERE z.m = {} AND z.r = a.{id})",
            model.number
        )
    } else {
        String::new()
    };
    let hybrid = if is_hybrid(model) { " AND v.w = 1" } else { "" };
    let text = format!(
        "SELECT {}, v.s, v.h FROM {} v CROSS JOIN {} ON {}{}
         WHERE v.o = ? AND v.s BETWEEN ? AND ?{hybrid}{unshadowed} ORDER BY v.s",
        sql.wire,
        model.versions_table(),
        sql.table,
        sql.version_join,
        sql.joins,
    );
    let values = vec![
        Sql::BigInt(Some(number.0)),
        Sql::BigInt(Some(signed(range.first.0))),
        Sql::BigInt(Some(signed(range.last.0))),
    ];
    let found = query(db, &text, values).await?;
    for chunk in found.chunks(PAGE) {
        out.push(encode_body(&Body { sections: vec![section(model, origin, of_header, chunk)?] }));
    }
    Ok(())
}

/// A page; a stamp that does not stand with the row is the one of its changeset's header.
fn section(
    model: &Model,
    origin: Origin,
    of_header: &impl Fn(Seq) -> Option<Hlc>,
    chunk: &[QueryResult],
) -> Result<Section> {
    let mut section = rows::row_section(model);
    rows::append(&mut section, model, chunk)?;
    let at = model.fields.len() + 1;
    let versions = chunk
        .iter()
        .map(|row| {
            let row = sqlite_row(row)?;
            let seq = Seq(integer(row, at)?.cast_unsigned());
            let own = optional_integer(row, at + 1)?.map(|hlc| Hlc(hlc.cast_unsigned()));
            let hlc = own.or_else(|| of_header(seq)).ok_or_else(|| {
                let message =
                    format!("a version in {} has no stamp; restore a backup", model.versions_table());
                Error::new(ErrorKind::Storage, "serve", message)
            })?;
            Ok(Version { stamp: Stamp::new(hlc, origin), origin, seq })
        })
        .collect::<Result<Vec<_>>>()?;
    section.versions = Versions::Explicit(versions);
    Ok(section)
}

/// Dead, hidden and altered ones, and those of unknown models.
async fn shadowed(
    db: &(impl ConnectionTrait + ?Sized),
    local: &Local,
    number: OriginNumber,
    origin: Origin,
    range: SeqRange,
    out: &mut Vec<Vec<u8>>,
) -> Result<()> {
    let text = "SELECT s.r, s.status, s.state, n.name FROM _sync_dot d JOIN _sync_shadow s ON s.m = d.m AND s.r = d.r
        JOIN _sync_model n ON n.m = d.m WHERE d.o = ? AND d.s BETWEEN ? AND ? GROUP BY s.m, s.r";
    let values = vec![
        Sql::BigInt(Some(number.0)),
        Sql::BigInt(Some(signed(range.first.0))),
        Sql::BigInt(Some(signed(range.last.0))),
    ];
    let mut changes: Vec<Change> = Vec::new();
    for row in query(db, text, values).await? {
        let row = sqlite_row(&row)?;
        let (record, _, state): (RecordId, _, _) = load::read_shadow(row)?;
        let name = match crate::store::db::cell(row, 3)? {
            sync_core::value::ValueRef::Text(name) => name.into(),
            _ => continue,
        };
        let within = |c: &Change| {
            c.version.origin == origin && range.first <= c.version.seq && c.version.seq <= range.last
        };
        changes.extend(state.changes(&name, record).into_iter().filter(within));
    }
    changes.sort_by(|a, b| {
        let rank = |c: &Change| local.catalog.by_name.get(&c.model).map_or(usize::MAX, |m| m.0);
        rank(a).cmp(&rank(b))
    });
    for chunk in changes.chunks(PAGE) {
        let mut body = Body::default();
        // No change has this version, so that each carries its own.
        let nobody = Version { stamp: Stamp::ZERO, origin: Stamp::ZERO.origin, seq: Seq::ZERO };
        for change in chunk {
            body.push(change, nobody);
        }
        out.push(encode_body(&body));
    }
    Ok(())
}
