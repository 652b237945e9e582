//! One run of the indexer: compares the folder with what the library has of it, and writes the difference.

use std::{fmt, path::Path, sync::Arc, time::Instant};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, TransactionSession, TransactionTrait,
};
use serde::{Deserialize, Serialize};
use sync_kit::prelude::Space;
use sync_models::{device, entry::EntryKind, location};

use super::{
    hash::{Hashed, hash_in_batches},
    walk::{Listing, walk},
    write::{self, Known, KnownEntries, TRANSACTION, Target},
};
use crate::{error::Failure, library, output::Output};

/// What a run did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Indexed {
    pub(crate) location: String,
    pub(crate) path: String,
    pub(crate) files: u64,
    pub(crate) folders: u64,
    pub(crate) bytes: u64,
    pub(crate) added: u64,
    pub(crate) changed: u64,
    pub(crate) removed: u64,
    pub(crate) new_contents: u64,
    pub(crate) skipped: Vec<String>,
    pub(crate) seconds: f64,
}

impl fmt::Display for Indexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} files and {} folders, {}; {} added, {} changed, {} removed, {} new contents, {:.2} s",
            self.location,
            self.files,
            self.folders,
            crate::output::bytes(self.bytes),
            self.added,
            self.changed,
            self.removed,
            self.new_contents,
            self.seconds,
        )?;
        self.skipped.iter().try_for_each(|reason| write!(f, "\n  skipped {reason}"))
    }
}

/// Brings the library's index of `folder` up to date, as entries of `device`.
pub(crate) async fn index(
    space: &Space,
    device: &device::Model,
    folder: &Path,
    name: Option<&str>,
    library: &Path,
    output: Output,
) -> Result<Indexed, Failure> {
    let started = Instant::now();
    let root = folder.canonicalize().map_err(Failure::file(folder))?;
    let location = location_of(space, device, &root, name).await?;
    let spinner = output.spinner(format!("listing {}", root.display()));
    let (walked, own_files) = (root.clone(), library.to_owned());
    let listing =
        tokio::task::spawn_blocking(move || walk(&walked, &own_files)).await.map_err(|error| {
            Failure::Io { doing: "listing the folder", source: std::io::Error::other(error) }
        })??;
    let listing = Arc::new(listing);
    spinner.finish_and_clear();

    let mut report = summary(&location, &listing);
    let known = write::known(space, location.id).await?;
    let (plan, ids) = compare(&listing, known);
    let mut target = Target { location: location.id, listing: &listing, ids };
    report.added = count(plan.levels.iter().map(Vec::len).sum::<usize>() + plan.new_files);
    report.changed = count(plan.changed.len() + plan.hash.len() - plan.new_files);
    report.removed = count(plan.removed.len());

    for ids in plan.removed.chunks(TRANSACTION) {
        let transaction = space.begin().await?;
        write::delete(&transaction, ids).await?;
        transaction.commit().await?;
    }
    for places in plan.levels.iter().flat_map(|level| level.chunks(TRANSACTION)) {
        let transaction = space.begin().await?;
        target.insert(&transaction, places).await?;
        transaction.commit().await?;
    }
    for places in plan.changed.chunks(TRANSACTION) {
        let transaction = space.begin().await?;
        for &place in places {
            if let Some(id) = target.id(place) {
                target.update(&transaction, id, place, None).await?;
            }
        }
        transaction.commit().await?;
    }

    let bar = output.bar("hashing", count(plan.hash.len()));
    let mut hashed = hash_in_batches(root, Arc::clone(&listing), plan.hash, TRANSACTION);
    while let Some(files) = hashed.recv().await {
        report.skipped.extend(files.iter().filter_map(|file| unread(&listing, file)));
        let transaction = space.begin().await?;
        report.new_contents += target.write_files(&transaction, &files).await?;
        transaction.commit().await?;
        bar.inc(count(files.len()));
    }
    bar.finish_and_clear();
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The location of a folder, made on first use.
async fn location_of(
    space: &Space,
    device: &device::Model,
    root: &Path,
    name: Option<&str>,
) -> Result<location::Model, Failure> {
    let path =
        root.to_str().ok_or_else(|| Failure::Usage(format!("{}: the path is not UTF-8", root.display())))?;
    let known = location::Entity::find()
        .filter(location::Column::DeviceId.eq(device.id))
        .filter(location::Column::Path.eq(path))
        .one(space)
        .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let own = root.file_name().and_then(|name| name.to_str()).unwrap_or("root");
    Ok(location::new(library::new_id(), device, path, name.unwrap_or(own)).insert(space).await?)
}

fn summary(location: &location::Model, listing: &Listing) -> Indexed {
    let of_kind = |kind| listing.found.iter().filter(move |item| item.kind == kind);
    Indexed {
        location: location.name.clone(),
        path: location.path.clone(),
        files: count(of_kind(EntryKind::File).count()),
        folders: count(of_kind(EntryKind::Folder).count()),
        bytes: of_kind(EntryKind::File).filter_map(|item| u64::try_from(item.size).ok()).sum(),
        skipped: listing.skipped.clone(),
        ..Default::default()
    }
}

/// What there is to write; numbers are places in the listing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// New folders and links, one list per depth, so that a folder has its row before what is in it.
    levels: Vec<Vec<usize>>,
    /// Folders and links whose row differs.
    changed: Vec<usize>,
    /// Files that are new or changed.
    hash: Vec<usize>,
    /// How many of them are new.
    new_files: usize,
    /// Local keys of entries that are gone.
    removed: Vec<i64>,
}

/// Compares the listing with the known entries; also answers the keys of those that stay.
fn compare(listing: &Listing, mut known: KnownEntries) -> (Plan, Vec<Option<i64>>) {
    let mut plan = Plan::default();
    let mut ids: Vec<Option<i64>> = Vec::with_capacity(listing.found.len());
    let mut depths: Vec<usize> = Vec::with_capacity(listing.found.len());
    for (place, item) in listing.found.iter().enumerate() {
        let folder = item.parent.map(|parent| ids.get(parent).copied().flatten());
        depths.push(item.parent.and_then(|parent| depths.get(parent)).map_or(0, |depth| depth + 1));
        let there = match folder {
            // What is in a folder without a row has none either.
            Some(None) => None,
            Some(Some(folder)) => known.remove(&(Some(folder), item.name.clone())),
            None => known.remove(&(None, item.name.clone())),
        };
        let stays = match there {
            Some(row) if row.kind == item.kind => Some(row),
            Some(row) => {
                plan.removed.push(row.id);
                None
            }
            None => None,
        };
        ids.push(stays.as_ref().map(|row| row.id));
        let is_file = item.kind == EntryKind::File;
        match stays {
            Some(row) if is_same(&row, item) => {}
            Some(_) if is_file => plan.hash.push(place),
            Some(_) => plan.changed.push(place),
            None if is_file => {
                plan.new_files += 1;
                plan.hash.push(place);
            }
            None => {
                let depth = depths.last().copied().unwrap_or_default();
                if plan.levels.len() <= depth {
                    plan.levels.resize_with(depth + 1, Vec::new);
                }
                if let Some(level) = plan.levels.get_mut(depth) {
                    level.push(place);
                }
            }
        }
    }
    plan.removed.extend(known.into_values().map(|row| row.id));
    plan.removed.sort_unstable();
    (plan, ids)
}

fn is_same(row: &Known, item: &super::walk::Found) -> bool {
    row.size == item.size
        && row.modified_at == item.modified_at
        && row.inode == item.inode
        && (row.hashed || item.kind != EntryKind::File)
}

/// Why a file has no hash, in words.
fn unread(listing: &Listing, file: &Hashed) -> Option<String> {
    let reason = file.hash.as_ref().err()?;
    Some(format!("the content of {}: {reason}", listing.path(file.place).display()))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::walk::Found, *};

    fn item(parent: Option<usize>, name: &str, kind: EntryKind) -> Found {
        Found { parent, name: name.to_owned(), kind, size: 1, modified_at: Some(5), inode: None }
    }

    fn row(id: i64, kind: EntryKind, hashed: bool) -> Known {
        Known { id, kind, size: 1, modified_at: Some(5), inode: None, hashed }
    }

    #[test]
    fn only_the_difference_is_planned() {
        use EntryKind::{File, Folder};
        let listing = Listing {
            found: vec![
                item(None, "kept", Folder),        // 0
                item(Some(0), "same", File),       // 1
                item(Some(0), "not hashed", File), // 2
                item(None, "new", Folder),         // 3
                item(Some(3), "inner", Folder),    // 4
                item(Some(4), "file", File),       // 5
                item(None, "was a file", Folder),  // 6
            ],
            skipped: Vec::new(),
        };
        let known: KnownEntries = [
            ((None, "kept"), row(10, Folder, false)),
            ((Some(10), "same"), row(11, File, true)),
            ((Some(10), "not hashed"), row(12, File, false)),
            ((Some(10), "gone"), row(13, File, true)),
            ((None, "was a file"), row(14, File, true)),
        ]
        .into_iter()
        .map(|((parent, name), row)| ((parent, name.to_owned()), row))
        .collect();
        let (plan, ids) = compare(&listing, known);
        let expected = Plan {
            levels: vec![vec![3, 6], vec![4]],
            changed: Vec::new(),
            hash: vec![2, 5],
            new_files: 1,
            removed: vec![13, 14],
        };
        assert_eq!(plan, expected);
        assert_eq!(ids, [Some(10), Some(11), Some(12), None, None, None, None]);
    }
}
