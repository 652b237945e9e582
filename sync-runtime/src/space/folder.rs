//! The device folder beside the database: keys, incarnation and a counter that a restored backup of the database
//! cannot turn back. The only part of the runtime that touches files. It decides nothing.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind as IoKind, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sync_core::{
    authorship::{DeviceKey, SpaceKey},
    ids::{Incarnation, Seq, SpaceId},
};
use zeroize::Zeroize as _;

use crate::{Error, ErrorKind, Result};

/// Bytes of BLAKE3 at the end of each file.
const CHECKSUM: usize = 16;

/// A file of the folder and the bytes that mark it.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    mark: &'static [u8; 8],
}

const DEVICE: Kind = Kind { name: "device.key", mark: b"synckdv1" };
const SPACE: Kind = Kind { name: "space.key", mark: b"synckspc" };
const INCARNATION: Kind = Kind { name: "incarnation", mark: b"synckinc" };
const COUNTER: Kind = Kind { name: "counter", mark: b"synckcnt" };

/// The folder `<database>.device`, for its owner only.
#[derive(Clone, Debug)]
pub(super) struct DeviceFolder {
    path: PathBuf,
}

/// What a file of the folder says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored<T> {
    /// This.
    Whole(T),
    /// There is none.
    Absent,
    /// Half-written or changed.
    Damaged,
}

impl<T> Stored<T> {
    fn map<U>(self, read: impl FnOnce(T) -> Option<U>) -> Stored<U> {
        match self {
            Self::Whole(content) => read(content).map_or(Stored::Damaged, Stored::Whole),
            Self::Absent => Stored::Absent,
            Self::Damaged => Stored::Damaged,
        }
    }
}

impl DeviceFolder {
    /// The folder of a database; made if it is not there.
    pub(super) fn of(database: &Path) -> Result<Self> {
        let mut name = OsString::from(database.as_os_str());
        name.push(".device");
        let path = PathBuf::from(name);
        make_private(&path).map_err(|error| failed(&path, "make", error))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn device_key(&self) -> Result<Stored<DeviceKey>> {
        Ok(self.read::<32>(DEVICE)?.map(|mut seed| {
            let key = DeviceKey::from_seed(&seed);
            seed.zeroize();
            Some(key)
        }))
    }

    pub(super) fn write_device_key(&self, key: &DeviceKey) -> Result<()> {
        self.write(DEVICE, key.seed(), Durability::Synced)
    }

    pub(super) fn space_key(&self) -> Result<Stored<(SpaceId, SpaceKey)>> {
        Ok(self.read::<48>(SPACE)?.map(|mut bytes| {
            let (space, key) = bytes.split_at(16);
            let both = SpaceId::from_slice(space).zip(SpaceKey::from_slice(key).ok());
            bytes.zeroize();
            both
        }))
    }

    pub(super) fn write_space_key(&self, space: SpaceId, key: &SpaceKey) -> Result<()> {
        let mut bytes = [0_u8; 48];
        let (left, right) = bytes.split_at_mut(16);
        left.copy_from_slice(space.as_bytes());
        right.copy_from_slice(key.as_bytes());
        let outcome = self.write(SPACE, &bytes, Durability::Synced);
        bytes.zeroize();
        outcome
    }

    pub(super) fn incarnation(&self) -> Result<Stored<Incarnation>> {
        Ok(self.read::<4>(INCARNATION)?.map(|bytes| Some(Incarnation(u32::from_be_bytes(bytes)))))
    }

    pub(super) fn write_incarnation(&self, incarnation: Incarnation) -> Result<()> {
        self.write(INCARNATION, &incarnation.0.to_be_bytes(), Durability::Synced)
    }

    /// A sequence that this device is known to have reached in an incarnation.
    pub(super) fn counter(&self) -> Result<Stored<(Incarnation, Seq)>> {
        Ok(self.read::<12>(COUNTER)?.map(|bytes| {
            let (incarnation, rest) = bytes.split_first_chunk::<4>()?;
            let (seq, _) = rest.split_first_chunk::<8>()?;
            Some((Incarnation(u32::from_be_bytes(*incarnation)), Seq(u64::from_be_bytes(*seq))))
        }))
    }

    /// Notes it. Not forced to the disk: an older value only detects less.
    pub(super) fn write_counter(&self, incarnation: Incarnation, seq: Seq) -> Result<()> {
        let mut bytes = Vec::with_capacity(12);
        bytes.extend_from_slice(&incarnation.0.to_be_bytes());
        bytes.extend_from_slice(&seq.0.to_be_bytes());
        self.write(COUNTER, &bytes, Durability::Cached)
    }

    fn read<const N: usize>(&self, kind: Kind) -> Result<Stored<[u8; N]>> {
        let path = self.path.join(kind.name);
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(Stored::Absent),
            Err(error) => return Err(failed(&path, "read", error)),
        };
        let stored = unwrap_content(kind, &bytes).map_or(Stored::Damaged, Stored::Whole);
        bytes.zeroize();
        Ok(stored)
    }

    fn write(&self, kind: Kind, content: &[u8], durability: Durability) -> Result<()> {
        let path = self.path.join(kind.name);
        let mut bytes = Vec::with_capacity(8 + content.len() + CHECKSUM);
        bytes.extend_from_slice(kind.mark);
        bytes.extend_from_slice(content);
        let sum = blake3::hash(&bytes);
        bytes.extend(sum.as_bytes().iter().take(CHECKSUM));
        let outcome =
            replace(&self.path, &path, &bytes, durability).map_err(|error| failed(&path, "write", error));
        bytes.zeroize();
        outcome
    }
}

fn unwrap_content<const N: usize>(kind: Kind, bytes: &[u8]) -> Option<[u8; N]> {
    let (content, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    let content_hash = blake3::hash(content);
    let plain = content.strip_prefix(kind.mark)?;
    if content_hash.as_bytes().starts_with(sum) { plain.try_into().ok() } else { None }
}

/// Whether a file survives the loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Durability {
    Synced,
    Cached,
}

/// Replaces a file in one step: whoever reads sees the old or the new content, never half of one.
fn replace(folder: &Path, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    // Two that write one file at once would take the fresh one from each other.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = path.with_extension("new");
    let mut file = create_private(&fresh)?;
    file.write_all(bytes)?;
    if durability == Durability::Synced {
        // ORDER: content, then name, then the folder that holds the name.
        file.sync_all()?;
    }
    drop(file);
    fs::rename(&fresh, path)?;
    if durability == Durability::Synced {
        sync_folder(folder)?;
    }
    Ok(())
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    // Folders cannot be opened as files here; renaming is durable by itself.
    Ok(())
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == IoKind::AlreadyExists => {}
        outcome => outcome?,
    }
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("it is no folder"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == IoKind::AlreadyExists => Ok(()),
        outcome => outcome,
    }
}

fn failed(path: &Path, verb: &str, error: io::Error) -> Error {
    let message = format!("cannot {verb} {}: {error}", path.display());
    Error::new(ErrorKind::Storage, "device folder", message).with_source(error).retryable()
}
