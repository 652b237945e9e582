//! Writes what the walk and the hashing gave: ordinary SeaORM calls in transactions of several thousand
//! entries. There is no word about syncing here.

use std::collections::HashMap;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QuerySelect, prelude::Uuid,
};
use sync_models::{content_identity, entry};

use super::{hash::Hashed, walk::Listing};
use crate::{error::Failure, library};

/// Rows of one statement: ten columns each stay below the 32,766 values that SQLite binds.
pub(super) const STATEMENT: usize = 3_000;

/// Rows of one transaction.
pub(super) const TRANSACTION: usize = 6_000;

/// An entry that the library has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) kind: entry::EntryKind,
    pub(super) size: i64,
    pub(super) modified_at: Option<i64>,
    pub(super) inode: Option<i64>,
    pub(super) hashed: bool,
}

/// The entries of a location by folder and name.
pub(super) type KnownEntries = HashMap<(Option<i64>, String), Known>;

type KnownRow = (i64, Option<i64>, String, entry::EntryKind, i64, Option<i64>, Option<i64>, Option<i64>);

/// Reads what the library has of a location.
pub(super) async fn known<C: ConnectionTrait>(database: &C, location: i64) -> Result<KnownEntries, DbErr> {
    use entry::Column::{ContentId, Id, Inode, Kind, LocationId, ModifiedAt, Name, ParentId, Size};
    let rows: Vec<KnownRow> = entry::Entity::find()
        .select_only()
        .columns([Id, ParentId, Name, Kind, Size, ModifiedAt, Inode, ContentId])
        .filter(LocationId.eq(location))
        .into_tuple()
        .all(database)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, parent, name, kind, size, modified_at, inode, content)| {
            ((parent, name), Known { id, kind, size, modified_at, inode, hashed: content.is_some() })
        })
        .collect())
}

/// Where new entries go, and the local keys of the listing's items as far as they have rows.
pub(super) struct Target<'a> {
    pub(super) location: i64,
    pub(super) listing: &'a Listing,
    pub(super) ids: Vec<Option<i64>>,
}

impl Target<'_> {
    /// The local key of an item's row.
    pub(super) fn id(&self, place: usize) -> Option<i64> {
        self.ids.get(place).copied().flatten()
    }

    /// A row for an item; its folder has one already.
    fn row(&self, place: usize, content: Option<i64>) -> Result<entry::ActiveModel, Failure> {
        let gone = || Failure::NotFound(format!("{}: not listed", self.listing.path(place).display()));
        let item = self.listing.found.get(place).ok_or_else(gone)?;
        let parent = match item.parent {
            Some(folder) => Some(self.id(folder).ok_or_else(gone)?),
            None => None,
        };
        Ok(entry::ActiveModel {
            kind: Set(item.kind),
            parent_id: Set(parent),
            modified_at: Set(item.modified_at),
            inode: Set(item.inode),
            content_id: Set(content),
            ..entry::file(library::new_id(), self.location, item.name.as_str(), item.size)
        })
    }

    /// Inserts folders or links that stand in folders with rows, and notes their keys.
    pub(super) async fn insert<C: ConnectionTrait>(
        &mut self,
        database: &C,
        places: &[usize],
    ) -> Result<(), Failure> {
        for places in places.chunks(STATEMENT) {
            let mut rows = Vec::with_capacity(places.len());
            let mut places_of: HashMap<Uuid, usize> = HashMap::with_capacity(places.len());
            for &place in places {
                let row = self.row(place, None)?;
                if let Set(id) = row.uuid {
                    places_of.insert(id, place);
                }
                rows.push(row);
            }
            for row in entry::Entity::insert_many(rows).exec_with_returning(database).await? {
                let slot = places_of.get(&row.uuid).and_then(|place| self.ids.get_mut(*place));
                if let Some(slot) = slot {
                    *slot = Some(row.id);
                }
            }
        }
        Ok(())
    }

    /// Writes hashed files: inserts those without a row, updates the others. Answers how many contents are new.
    pub(super) async fn write_files<C: ConnectionTrait>(
        &self,
        database: &C,
        files: &[Hashed],
    ) -> Result<u64, Failure> {
        let (contents, new) = self.contents(database, files).await?;
        let mut rows = Vec::new();
        for file in files {
            let content = file.hash.as_ref().ok().and_then(|hash| contents.get(hash)).copied();
            match self.id(file.place) {
                None => rows.push(self.row(file.place, content)?),
                Some(id) => self.update(database, id, file.place, content).await?,
            }
        }
        for slice in rows.chunks(STATEMENT) {
            entry::Entity::insert_many(slice.to_vec()).exec_without_returning(database).await?;
        }
        Ok(new)
    }

    /// Brings the row of an item up to date.
    pub(super) async fn update<C: ConnectionTrait>(
        &self,
        database: &C,
        id: i64,
        place: usize,
        content: Option<i64>,
    ) -> Result<(), Failure> {
        if let Some(item) = self.listing.found.get(place) {
            let changed = entry::ActiveModel {
                id: Set(id),
                size: Set(item.size),
                modified_at: Set(item.modified_at),
                inode: Set(item.inode),
                content_id: Set(content),
                ..Default::default()
            };
            changed.update(database).await?;
        }
        Ok(())
    }

    /// The local keys of the files' contents, which are made as far as they are new, and how many were.
    async fn contents<C: ConnectionTrait>(
        &self,
        database: &C,
        files: &[Hashed],
    ) -> Result<(HashMap<[u8; 32], i64>, u64), Failure> {
        let mut wanted: HashMap<[u8; 32], i64> = HashMap::new();
        for file in files {
            if let (Ok(hash), Some(item)) = (&file.hash, self.listing.found.get(file.place)) {
                wanted.insert(*hash, item.size);
            }
        }
        let mut hashes: Vec<[u8; 32]> = wanted.keys().copied().collect();
        hashes.sort_unstable();
        let mut ids = HashMap::with_capacity(wanted.len());
        for slice in hashes.chunks(STATEMENT) {
            note_keys(&mut ids, content_keys(database, slice).await?);
        }
        hashes.retain(|hash| !ids.contains_key(hash));
        let mut new = 0;
        for slice in hashes.chunks(STATEMENT) {
            let rows: Vec<content_identity::ActiveModel> = slice
                .iter()
                .filter_map(|hash| wanted.get(hash).map(|size| content_identity::new(hash, *size)))
                .collect();
            new += content_identity::Entity::insert_many(rows).exec_without_returning(database).await?;
            note_keys(&mut ids, content_keys(database, slice).await?);
        }
        Ok((ids, new))
    }
}

async fn content_keys<C: ConnectionTrait>(
    database: &C,
    hashes: &[[u8; 32]],
) -> Result<Vec<(i64, Vec<u8>)>, DbErr> {
    use content_identity::Column::{ContentHash, Id};
    content_identity::Entity::find()
        .select_only()
        .columns([Id, ContentHash])
        .filter(ContentHash.is_in(hashes.iter().map(|hash| hash.to_vec())))
        .into_tuple()
        .all(database)
        .await
}

fn note_keys(ids: &mut HashMap<[u8; 32], i64>, rows: Vec<(i64, Vec<u8>)>) {
    for (id, hash) in rows {
        if let Ok(hash) = <[u8; 32]>::try_from(hash) {
            ids.insert(hash, id);
        }
    }
}

/// Deletes entries by local key; what is in a folder goes with it.
pub(super) async fn delete<C: ConnectionTrait>(database: &C, ids: &[i64]) -> Result<(), DbErr> {
    for slice in ids.chunks(STATEMENT) {
        entry::Entity::delete_many()
            .filter(entry::Column::Id.is_in(slice.iter().copied()))
            .exec(database)
            .await?;
    }
    Ok(())
}
