//! Hashes files with BLAKE3 in parallel threads, batch after batch, ahead of the writer by a bounded number of
//! batches.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::sync::mpsc;

use super::walk::Listing;

/// Batches that wait for the writer.
const AHEAD: usize = 2;

/// A hashed file: its place in the listing and the hash, or why it has none.
#[derive(Debug)]
pub(crate) struct Hashed {
    pub(crate) place: usize,
    pub(crate) hash: Result<[u8; 32], String>,
}

/// Hashes the files at these places of the listing, in batches of at most `batch`. It ends early when nobody
/// receives any more.
pub(crate) fn hash_in_batches(
    root: PathBuf,
    listing: Arc<Listing>,
    places: Vec<usize>,
    batch: usize,
) -> mpsc::Receiver<Vec<Hashed>> {
    let (send, receive) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        for places in places.chunks(batch.max(1)) {
            if send.blocking_send(hash_all(&root, &listing, places)).is_err() {
                return;
            }
        }
    });
    receive
}

/// One batch, with as many threads as there are processors.
fn hash_all(root: &Path, listing: &Listing, places: &[usize]) -> Vec<Hashed> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(places.len()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Vec::new();
                while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    own.push(Hashed { place, hash: hash_one(&root.join(listing.path(place))) });
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The order in which rows are written should not depend on which thread was faster.
    done.sort_unstable_by_key(|hashed| hashed.place);
    done
}

fn hash_one(path: &Path) -> Result<[u8; 32], String> {
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    hasher.update_reader(file).map_err(|error| error.to_string())?;
    Ok(*hasher.finalize().as_bytes())
}
