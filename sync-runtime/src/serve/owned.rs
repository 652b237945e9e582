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
    error::Result,
    store::{
        db::{integer, query, signed, sqlite_row},
        model_sql::ModelSql,
        origins::OriginNumber,
        rows,
        versions::{StoredVersion, is_hybrid},
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
) -> Result<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    for (model, sql) in local.catalog.models.iter().zip(local.sql.iter()) {
        if model.may_be_owned() {
            shown(db, model, sql, number, origin, range, &mut out).await?;
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
    number: OriginNumber,
    origin: Origin,
    range: SeqRange,
    out: &mut Vec<Vec<u8>>,
) -> Result<()> {
    let hybrid = if is_hybrid(model) { " AND v.w = 1" } else { "" };
    let text = format!(
        "SELECT {}, v.s, coalesce(v.h, l.hlc) FROM {} v CROSS JOIN {} ON {}{}{}
         WHERE v.o = ? AND v.s BETWEEN ? AND ?{hybrid}
         AND NOT EXISTS (SELECT 1 FROM _sync_shadow z WHERE z.m = ? AND z.r = a.{}) ORDER BY v.s",
        sql.wire,
        model.versions_table(),
        sql.table,
        sql.version_join,
        StoredVersion::LOG_JOIN,
        sql.joins,
        quote(&model.id.column),
    );
    let values = vec![
        Sql::BigInt(Some(number.0)),
        Sql::BigInt(Some(signed(range.first.0))),
        Sql::BigInt(Some(signed(range.last.0))),
        Sql::BigInt(Some(model.number)),
    ];
    let found = query(db, &text, values).await?;
    for chunk in found.chunks(PAGE) {
        out.push(encode_body(&Body { sections: vec![section(model, origin, chunk)?] }));
    }
    Ok(())
}

fn section(model: &Model, origin: Origin, chunk: &[QueryResult]) -> Result<Section> {
    let mut section = rows::row_section(model);
    rows::append(&mut section, model, chunk)?;
    let at = model.fields.len() + 1;
    let versions = chunk
        .iter()
        .map(|row| {
            let row = sqlite_row(row)?;
            let seq = Seq(integer(row, at)?.cast_unsigned());
            let hlc = Hlc(integer(row, at + 1)?.cast_unsigned());
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
