//! Entries as lists show them: with their whole path, which the closure table gives in one query.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid,
};
use serde::Serialize;
use sync_models::{
    entry::{self, EntryKind},
    entry_closure, location, tag, user_metadata, user_metadata_tag,
};

/// Keys of one IN list.
const KEYS: usize = 10_000;

/// One line of a list.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// `location/folder/name`.
    path: String,
    kind: &'static str,
    size: i64,
    tags: Vec<String>,
    id: Uuid,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = match self.kind {
            "file" => crate::output::bytes(u64::try_from(self.size).unwrap_or_default()),
            other => other.to_owned(),
        };
        write!(f, "{size:>12}  {}", self.path)?;
        if self.tags.is_empty() { Ok(()) } else { write!(f, "  [{}]", self.tags.join(", ")) }
    }
}

/// Lines of a list, each with its own text.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Lines<T>(pub(super) Vec<T>);

impl<T: fmt::Display> fmt::Display for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{line}")?;
        }
        Ok(())
    }
}

/// Entries with their paths and tags, sorted by path.
pub(super) async fn lines<C: ConnectionTrait>(
    database: &C,
    entries: Vec<entry::Model>,
) -> Result<Lines<Line>, DbErr> {
    let paths = Paths::of(database, &entries).await?;
    let tags = tags_of(database, &entries).await?;
    let mut lines: Vec<Line> = entries
        .into_iter()
        .map(|entry| Line {
            path: paths.of_entry(&entry),
            kind: match entry.kind {
                EntryKind::File => "file",
                EntryKind::Folder => "folder",
                EntryKind::Link => "link",
            },
            size: entry.size,
            tags: tags.get(&entry.id).cloned().unwrap_or_default(),
            id: entry.uuid,
        })
        .collect();
    lines.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Lines(lines))
}

/// Names of the folders above some entries, and of their locations.
struct Paths {
    /// By entry, the folders above it, the nearest first.
    above: HashMap<i64, Vec<i64>>,
    names: HashMap<i64, String>,
    locations: HashMap<i64, String>,
}

impl Paths {
    async fn of<C: ConnectionTrait>(database: &C, entries: &[entry::Model]) -> Result<Self, DbErr> {
        use entry_closure::Column::{AncestorId, Depth, DescendantId};
        let mut above: HashMap<i64, Vec<i64>> = HashMap::new();
        let keys: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
        for keys in keys.chunks(KEYS) {
            let rows: Vec<(i64, i64)> = entry_closure::Entity::find()
                .select_only()
                .columns([DescendantId, AncestorId])
                .filter(DescendantId.is_in(keys.iter().copied()))
                .filter(Depth.gt(0))
                .order_by_asc(Depth)
                .into_tuple()
                .all(database)
                .await?;
            for (entry, folder) in rows {
                above.entry(entry).or_default().push(folder);
            }
        }
        let folders: HashSet<i64> = above.values().flatten().copied().collect();
        let folders: Vec<i64> = folders.into_iter().collect();
        let mut names = HashMap::new();
        for keys in folders.chunks(KEYS) {
            let rows: Vec<(i64, String)> = entry::Entity::find()
                .select_only()
                .columns([entry::Column::Id, entry::Column::Name])
                .filter(entry::Column::Id.is_in(keys.iter().copied()))
                .into_tuple()
                .all(database)
                .await?;
            names.extend(rows);
        }
        let locations = location::Entity::find().all(database).await?;
        let locations = locations.into_iter().map(|location| (location.id, location.name)).collect();
        Ok(Self { above, names, locations })
    }

    fn of_entry(&self, entry: &entry::Model) -> String {
        let mut names: Vec<&str> = vec![&entry.name];
        for folder in self.above.get(&entry.id).into_iter().flatten() {
            names.push(self.names.get(folder).map_or("?", String::as_str));
        }
        names.push(self.locations.get(&entry.location_id).map_or("?", String::as_str));
        names.reverse();
        names.join("/")
    }
}

/// The names of the tags on entries, by their content or on themselves.
async fn tags_of<C: ConnectionTrait>(
    database: &C,
    entries: &[entry::Model],
) -> Result<HashMap<i64, Vec<String>>, DbErr> {
    let tagged: Vec<(user_metadata_tag::Model, Option<tag::Model>)> =
        user_metadata_tag::Entity::find().find_also_related(tag::Entity).all(database).await?;
    let mut names: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for (link, tag) in tagged {
        names.entry(link.user_metadata_id).or_default().extend(tag.map(|tag| tag.name));
    }
    let keys: Vec<i64> = names.keys().copied().collect();
    let (mut of_entry, mut of_content) = (HashMap::new(), HashMap::new());
    for keys in keys.chunks(KEYS) {
        let metadata = user_metadata::Entity::find()
            .filter(user_metadata::Column::Id.is_in(keys.iter().copied()))
            .all(database)
            .await?;
        for row in metadata {
            let tags = names.get(&row.id).cloned().unwrap_or_default();
            if let Some(entry) = row.entry_id {
                of_entry.insert(entry, tags);
            } else if let Some(content) = row.content_id {
                of_content.insert(content, tags);
            }
        }
    }
    let mut by_entry: HashMap<i64, Vec<String>> = HashMap::new();
    for entry in entries {
        let own = of_entry.get(&entry.id).into_iter().flatten();
        let shared = entry.content_id.and_then(|content| of_content.get(&content)).into_iter().flatten();
        let mut tags: Vec<String> = own.chain(shared).cloned().collect();
        tags.sort();
        tags.dedup();
        if !tags.is_empty() {
            by_entry.insert(entry.id, tags);
        }
    }
    Ok(by_entry)
}
