//! `shelf ls`.

use std::{fmt, path::Path};

use sea_orm::{
    ColumnTrait, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde::Serialize;
use sync_kit::prelude::Space;
use sync_models::{collection, collection_entry, device, entry, entry_closure, location, tag};

use super::listing::{Lines, lines};
use crate::{cli::Ls, error::Failure, library, output::Output};

/// A location with its device.
#[derive(Debug, Serialize)]
struct LocationLine {
    name: String,
    device: String,
    path: String,
    entries: u64,
}

impl fmt::Display for LocationLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12}  {}  ({}: {})", self.entries, self.name, self.device, self.path)
    }
}

/// A tag or a collection with a number.
#[derive(Debug, Serialize)]
struct Counted {
    name: String,
    count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    colour: Option<String>,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12}  {}", self.count, self.name)?;
        self.colour.iter().try_for_each(|colour| write!(f, "  {colour}"))
    }
}

/// Lists what was asked for.
pub(super) async fn run(path: &Path, arguments: &Ls, output: Output) -> Result<(), Failure> {
    let space = library::existing(path).await?;
    if arguments.tags {
        output.show(&Lines(tags(&space).await?))?;
    } else if arguments.collections {
        output.show(&Lines(collections(&space).await?))?;
    } else if let Some(name) = &arguments.collection {
        let entries = collected(&space, name).await?;
        output.show(&lines(&space, entries).await?)?;
    } else if let Some(path) = &arguments.path {
        let entries = below(&space, path, arguments.recursive).await?;
        output.show(&lines(&space, entries).await?)?;
    } else {
        output.show(&Lines(locations(&space).await?))?;
    }
    Ok(space.close().await?)
}

async fn locations(space: &Space) -> Result<Vec<LocationLine>, Failure> {
    let mut lines = Vec::new();
    let found = location::Entity::find()
        .find_also_related(device::Entity)
        .order_by_asc(location::Column::Name)
        .all(space)
        .await?;
    for (location, device) in found {
        lines.push(LocationLine {
            entries: location.find_related(entry::Entity).count(space).await?,
            name: location.name,
            device: device.map(|device| device.name).unwrap_or_default(),
            path: location.path,
        });
    }
    Ok(lines)
}

async fn tags(space: &Space) -> Result<Vec<Counted>, Failure> {
    let tags = tag::Entity::find().order_by_asc(tag::Column::Name).all(space).await?;
    Ok(tags.into_iter().map(|tag| Counted { name: tag.name, count: tag.uses, colour: tag.colour }).collect())
}

async fn collections(space: &Space) -> Result<Vec<Counted>, Failure> {
    let mut lines = Vec::new();
    for found in collection::Entity::find().order_by_asc(collection::Column::Name).all(space).await? {
        let count = found.find_related(collection_entry::Entity).count(space).await?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        lines.push(Counted { name: found.name, count, colour: None });
    }
    Ok(lines)
}

async fn collected(space: &Space, name: &str) -> Result<Vec<entry::Model>, Failure> {
    let collection = collection::Entity::find()
        .filter(collection::Column::Name.eq(name))
        .order_by_asc(collection::Column::Id)
        .one(space)
        .await?
        .ok_or_else(|| Failure::NotFound(format!("{name}: no such collection")))?;
    Ok(collection.find_related(entry::Entity).all(space).await?)
}

/// What is in a folder or at the top of a location; with `recursive`, everything below, by the closure table.
async fn below(space: &Space, path: &str, recursive: bool) -> Result<Vec<entry::Model>, Failure> {
    let locations = library::locations_named(space, path.trim_matches('/')).await?;
    if !locations.is_empty() {
        let keys = locations.iter().map(|location| location.id);
        let inside = entry::Entity::find().filter(entry::Column::LocationId.is_in(keys));
        let inside = if recursive { inside } else { inside.filter(entry::Column::ParentId.is_null()) };
        return Ok(inside.all(space).await?);
    }
    let folder = library::entry_at(space, path).await?;
    if folder.kind != entry::EntryKind::Folder {
        return Ok(vec![folder]);
    }
    if !recursive {
        return Ok(entry::Entity::find().filter(entry::Column::ParentId.eq(folder.id)).all(space).await?);
    }
    let keys = entry_closure::Entity::find()
        .select_only()
        .column(entry_closure::Column::DescendantId)
        .filter(entry_closure::Column::AncestorId.eq(folder.id))
        .filter(entry_closure::Column::Depth.gt(0))
        .into_query();
    Ok(entry::Entity::find().filter(entry::Column::Id.in_subquery(keys)).all(space).await?)
}
