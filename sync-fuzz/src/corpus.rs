//! The committed inputs: one small file each, named by its hash, in a folder for each target.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sync_core::ids::Hash;

use crate::{
    engine::{Class, execute},
    targets::Target,
};

/// Longest input that is committed.
pub const MAX_FILE: usize = 4096;

/// Where the corpus of a target lies.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The files of a folder, in order of name; none when there is no such folder.
///
/// # Errors
/// What the file system says.
pub fn load(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.is_file());
    paths.sort();
    paths.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes))).collect()
}

/// The name of an input's file.
pub fn name(input: &[u8]) -> String {
    let first = Hash::of(input).0.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    format!("{first:016x}")
}

/// Writes an input into a folder; returns its file.
///
/// # Errors
/// What the file system says.
pub fn store(folder: &Path, input: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name(input));
    fs::write(&path, input)?;
    Ok(path)
}

/// The smallest input of each class among `inputs`, none longer than [`MAX_FILE`].
pub fn minimised(target: &Target, inputs: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut best: std::collections::BTreeMap<Class, Vec<u8>> = std::collections::BTreeMap::new();
    for input in inputs.into_iter().filter(|input| input.len() <= MAX_FILE) {
        let Ok(class) = execute(target, &input) else { continue };
        match best.get_mut(&class) {
            Some(known) if known.len() <= input.len() => {}
            Some(known) => *known = input,
            None => {
                best.insert(class, input);
            }
        }
    }
    best.into_values().collect()
}
