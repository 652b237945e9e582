//! The pieces of SQL that belong to a model, made once from the catalog. Every name in them is quoted and comes
//! from the catalog.

use std::fmt::Write as _;

use crate::catalog::{Catalog, Model, quote};

/// SQL pieces of one model. The application's table is `a`, its versions `v`, notes `p`.
#[derive(Clone, Debug)]
pub(crate) struct ModelSql {
    /// Record id, then every field in wire form (references as record ids): `a."uuid", a."name", r2."uuid"`.
    pub(crate) wire: String,
    /// The same, each on its own.
    pub(crate) wire_columns: Vec<String>,
    /// The application's table: `"tag" a`.
    pub(crate) table: String,
    /// The joins behind it that `wire` needs.
    pub(crate) joins: String,
    /// The key columns: `a."id"`.
    pub(crate) keys: String,
    /// `v.k0 = a."id"`.
    pub(crate) version_join: String,
    /// `p.k0 = a."id"`.
    pub(crate) pending_join: String,
    /// `v.k0 = p.k0`.
    pub(crate) version_pending: String,
    /// Number of key columns.
    pub(crate) key_columns: usize,
    /// Device at the end of the owner path, as an SQL expression, and the joins that it needs.
    pub(crate) owner: Option<OwnerSql>,
}

/// The owner path as SQL.
#[derive(Clone, Debug)]
pub(crate) struct OwnerSql {
    /// Joins from `a`.
    pub(crate) joins: String,
    /// The device id, or NULL.
    pub(crate) device: String,
}

impl ModelSql {
    /// Pieces of `model`.
    pub(crate) fn new(catalog: &Catalog, model: &Model) -> Self {
        let mut wire_columns = vec![format!("a.{}", quote(&model.id.column))];
        let table = format!("{} a", model.quoted());
        let mut joins = String::new();
        for (n, field) in model.fields.iter().enumerate() {
            let target = field.reference.filter(|r| !r.by_id).and_then(|r| catalog.model(r.target));
            match target {
                Some(target) => {
                    let key = target.key.first().map(|k| quote(&k.column)).unwrap_or_default();
                    wire_columns.push(format!("r{n}.{}", quote(&target.id.column)));
                    push(
                        &mut joins,
                        format_args!(
                            " LEFT JOIN {} r{n} ON r{n}.{key} = a.{}",
                            target.quoted(),
                            quote(&field.column)
                        ),
                    );
                }
                None => wire_columns.push(format!("a.{}", quote(&field.column))),
            }
        }
        let pairs = |left: &str, right: &str| {
            let pair = |(n, key): (usize, &crate::catalog::KeyColumn)| match right {
                "a" => format!("{left}.k{n} = a.{}", quote(&key.column)),
                _ => format!("{left}.k{n} = {right}.k{n}"),
            };
            model.key.iter().enumerate().map(pair).collect::<Vec<_>>().join(" AND ")
        };
        Self {
            wire: wire_columns.join(", "),
            wire_columns,
            table,
            joins,
            keys: model.key.iter().map(|k| format!("a.{}", quote(&k.column))).collect::<Vec<_>>().join(", "),
            version_join: pairs("v", "a"),
            pending_join: pairs("p", "a"),
            version_pending: pairs("v", "p"),
            key_columns: model.key.len(),
            owner: owner_sql(catalog, model),
        }
    }
}

fn owner_sql(catalog: &Catalog, model: &Model) -> Option<OwnerSql> {
    let crate::catalog::Ownership::Device { path, .. } = &model.regime else { return None };
    let mut joins = String::new();
    let mut alias = "a".to_owned();
    let mut device = "NULL".to_owned();
    for (n, step) in path.iter().enumerate() {
        device = format!("{alias}.{}", quote(&step.column));
        let Some(target) = step.target.and_then(|t| catalog.model(t)) else { break };
        let by_id = step
            .field
            .and_then(|f| catalog.model(step.model).and_then(|m| m.field(f).map(|f| f.reference)))
            .flatten()
            .is_some_and(|r| r.by_id);
        let key = if by_id { Some(&target.id.column) } else { target.key.first().map(|k| &k.column) };
        let key = key.map(|k| quote(k)).unwrap_or_default();
        let next = format!("o{n}");
        push(&mut joins, format_args!(" LEFT JOIN {} {next} ON {next}.{key} = {device}", target.quoted()));
        device = format!("{next}.{}", quote(&target.id.column));
        alias = next;
    }
    Some(OwnerSql { joins, device })
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    out.write_fmt(text).unwrap_or_default();
}
