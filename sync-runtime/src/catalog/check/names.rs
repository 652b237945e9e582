//! Names of models, tables and their sources.

use super::super::freeze::Mistakes;
use crate::registration::{EntityMeta, Registration};

type Described = (&'static Registration, EntityMeta, String);

/// No two models of one name or table, and none of our own tables.
pub(in crate::catalog) fn check(described: &[Described], mistakes: &mut Mistakes) {
    for (at, (registration, meta, name)) in described.iter().enumerate() {
        let earlier = described.get(..at).unwrap_or_default();
        if let Some((other, ..)) = earlier.iter().find(|(_, _, other)| other == name) {
            let source = other.source;
            let text = format!(
                "the name is taken by {} ({}:{}); give one of them another with #[sync(name = \"…\")]",
                source.module, source.file, source.line
            );
            mistakes.of(registration, name, text);
        } else if let Some((other, ..)) =
            earlier.iter().find(|(_, m, _)| m.table.eq_ignore_ascii_case(&meta.table))
        {
            let source = other.source;
            let text = format!(
                "table \"{}\" is synced by {} ({}:{}) already; remove #[derive(Syncable)] from one of them",
                meta.table, source.module, source.file, source.line
            );
            mistakes.of(registration, name, text);
        }
        if is_ours(&meta.table) {
            mistakes.of(
                registration,
                name,
                format!(
                    "table \"{}\": names that begin with _sync_ are the framework's; rename it",
                    meta.table
                ),
            );
        }
        if name.is_empty() {
            mistakes.of(registration, name, "the name is empty; name it with #[sync(name = \"…\")]");
        }
    }
}

/// The name is one that only tables of the framework have.
pub(in crate::catalog) fn is_ours(table: &str) -> bool {
    table.to_ascii_lowercase().starts_with("_sync_")
}
