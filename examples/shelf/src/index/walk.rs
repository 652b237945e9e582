//! Lists a folder, parents before children, without `.git`, ignored files and folders that say that they are
//! caches. It knows nothing of the database.

use std::{
    collections::HashMap,
    fs::Metadata,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use ignore::{DirEntry, WalkBuilder};
use sync_models::entry::EntryKind;

use crate::error::Failure;

/// One thing in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Place of its folder in the list; `None` at the top.
    pub(crate) parent: Option<usize>,
    pub(crate) name: String,
    pub(crate) kind: EntryKind,
    pub(crate) size: i64,
    /// Milliseconds since 1970.
    pub(crate) modified_at: Option<i64>,
    pub(crate) inode: Option<i64>,
}

/// What a walk gives.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) found: Vec<Found>,
    /// Things that could not be read or whose name is not UTF-8, each in words.
    pub(crate) skipped: Vec<String>,
}

impl Listing {
    /// Path of an item below the folder.
    pub(crate) fn path(&self, mut place: usize) -> PathBuf {
        let mut names = Vec::new();
        while let Some(item) = self.found.get(place) {
            names.push(item.name.as_str());
            match item.parent {
                Some(parent) => place = parent,
                None => break,
            }
        }
        names.iter().rev().collect()
    }
}

/// Lists `root`. `library` is the database in use: it and its companions are not indexed.
pub(crate) fn walk(root: &Path, library: &Path) -> Result<Listing, Failure> {
    let library = library.canonicalize().ok();
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .parents(true)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(move |entry| wanted(entry, library.as_deref()))
        .build();
    let mut listing = Listing::default();
    let mut folders: HashMap<PathBuf, usize> = HashMap::new();
    for entry in walker {
        match entry {
            Ok(entry) if entry.depth() == 0 => {}
            Ok(entry) => match describe(&entry, &folders) {
                Ok(found) => {
                    if found.kind == EntryKind::Folder {
                        folders.insert(entry.path().to_owned(), listing.found.len());
                    }
                    listing.found.push(found);
                }
                Err(reason) => listing.skipped.push(format!("{}: {reason}", entry.path().display())),
            },
            Err(error) if error.depth() == Some(0) => {
                return Err(Failure::NotFound(format!("{}: {error}", root.display())));
            }
            Err(error) => listing.skipped.push(error.to_string()),
        }
    }
    Ok(listing)
}

/// Whether to list an item at all, and to go into it when it is a folder.
fn wanted(entry: &DirEntry, library: Option<&Path>) -> bool {
    if entry.file_name() == ".git" {
        return false;
    }
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        // The tag file says that whoever looks for people's own files should go past (bford.info/cachedir).
        if entry.depth() > 0 && entry.path().join("CACHEDIR.TAG").exists() {
            return false;
        }
    }
    !library.is_some_and(|library| belongs_to(entry.path(), library))
}

/// `shelf.db`, `shelf.db-wal`, `shelf.db-shm`, `shelf.db.device`.
fn belongs_to(path: &Path, library: &Path) -> bool {
    if path.parent().map(Path::canonicalize).and_then(Result::ok).as_deref() != library.parent() {
        return false;
    }
    let (Some(name), Some(of)) = (path.file_name(), library.file_name()) else { return false };
    let (name, of) = (name.to_string_lossy(), of.to_string_lossy());
    name.strip_prefix(&*of).is_some_and(|rest| matches!(rest, "" | "-wal" | "-shm" | "-journal" | ".device"))
}

fn describe(entry: &DirEntry, folders: &HashMap<PathBuf, usize>) -> Result<Found, String> {
    let name = entry.file_name().to_str().ok_or("the name is not UTF-8")?.to_owned();
    let parent = match entry.path().parent() {
        Some(folder) if entry.depth() > 1 => Some(*folders.get(folder).ok_or("its folder was skipped")?),
        _ => None,
    };
    let metadata = entry.metadata().map_err(|error| error.to_string())?;
    let kind = match metadata.file_type() {
        kind if kind.is_file() => EntryKind::File,
        kind if kind.is_dir() => EntryKind::Folder,
        kind if kind.is_symlink() => EntryKind::Link,
        _ => return Err("neither file, folder nor link".to_owned()),
    };
    let size = if kind == EntryKind::File { metadata.len() } else { 0 };
    Ok(Found {
        parent,
        name,
        kind,
        size: i64::try_from(size).map_err(|error| error.to_string())?,
        modified_at: modified_at(&metadata),
        inode: inode(&metadata),
    })
}

/// `None` for what the system does not tell and for times before 1970.
fn modified_at(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> Option<i64> {
    i64::try_from(std::os::unix::fs::MetadataExt::ino(metadata)).ok()
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> Option<i64> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(listing: &Listing) -> Vec<String> {
        (0..listing.found.len()).map(|place| listing.path(place).to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn ignored_files_git_caches_and_the_library_are_left_out() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |path: &str| folder.path().join(path);
        for path in [".git", "src/deep", "target", "build"] {
            fs::create_dir_all(at(path))?;
        }
        fs::write(at(".gitignore"), "target\n*.tmp\n")?;
        fs::write(at("build/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55")?;
        for path in [".git/HEAD", "target/out", "a.tmp", "src/deep/b.rs", "src/a.rs", "build/x", "my.db-wal"]
        {
            fs::write(at(path), "x")?;
        }
        fs::write(at("my.db"), "x")?;
        fs::write(at("my.db.old"), "x")?;
        let listing = walk(folder.path(), &at("my.db")).map_err(std::io::Error::other)?;
        assert_eq!(
            names(&listing),
            [".gitignore", "my.db.old", "src", "src/a.rs", "src/deep", "src/deep/b.rs"]
        );
        assert_eq!(listing.skipped, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let outcome = walk(Path::new("/nowhere/at/all"), Path::new("x.db"));
        assert!(matches!(outcome, Err(Failure::NotFound(_))), "{outcome:?}");
    }
}
