//! A folder of many small files, made for the demo.

use std::{fs, path::Path, thread};

use indicatif::ProgressBar;

use crate::error::Failure;

/// Files of one folder; folders stand in groups of as many.
const PER_FOLDER: u32 = 100;

/// Every so many files one has the same content as the first.
const REPEATED: u32 = 20;

/// Fills `root` with `files` small files, the same for the same number, in as many threads as there are
/// processors.
pub(super) fn fill(root: &Path, files: u32, bar: &ProgressBar) -> Result<(), Failure> {
    let threads = u32::try_from(thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    let folders = files.div_ceil(PER_FOLDER);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..folders)
                        .step_by(usize::try_from(threads).unwrap_or(1))
                        .try_for_each(|folder| fill_folder(root, folder, files, bar))
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(Failure::Node("a thread that makes files panicked".to_owned())))
        })
    })
}

fn fill_folder(root: &Path, folder: u32, files: u32, bar: &ProgressBar) -> Result<(), Failure> {
    let path = root.join(format!("group-{:03}", folder / PER_FOLDER)).join(format!("folder-{folder:05}"));
    fs::create_dir_all(&path).map_err(Failure::file(&path))?;
    let first = folder * PER_FOLDER;
    for file in first..files.min(first + PER_FOLDER) {
        let number = if file % REPEATED == 0 { 0 } else { file };
        let path = path.join(format!("file-{file:07}.txt"));
        fs::write(&path, format!("synthetic file {number}\n")).map_err(Failure::file(&path))?;
    }
    bar.inc(u64::from(files.min(first + PER_FOLDER).saturating_sub(first)));
    Ok(())
}
