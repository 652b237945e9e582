//! Who this device is: decides from the folder and the database which key, which space and which incarnation hold.
//! A key is never drawn over a log that another key wrote, unless the application says so.

use std::sync::Arc;

use sync_core::{
    authorship::{DeviceKey, SpaceKey},
    ids::{Incarnation, Origin, Seq, SpaceId},
};

use super::{
    folder::{DeviceFolder, Stored},
    invite::Invite,
};
use crate::{Error, ErrorKind, Result, host};

/// What the database remembers of whom it belonged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The space.
    pub(super) space: SpaceId,
    /// The device in its last incarnation.
    pub(super) origin: Origin,
    /// The last sequence that it gave there.
    pub(super) head: Seq,
}

/// What the application wants.
#[derive(Clone, Debug)]
pub(super) enum Intent {
    /// A new space.
    Create,
    /// The one that is there.
    Open,
    /// The one of this code.
    Join(Box<Invite>),
}

/// This device in its space.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) folder: DeviceFolder,
    pub(super) key: Arc<DeviceKey>,
    pub(super) space: SpaceId,
    pub(super) space_key: SpaceKey,
    pub(super) incarnation: Incarnation,
}

impl Identity {
    /// The device in its incarnation.
    pub(super) fn origin(&self) -> Origin {
        Origin { device: self.key.device(), incarnation: self.incarnation }
    }

    /// Settles who this is, and writes what was drawn to the folder.
    pub(super) fn settle(
        folder: DeviceFolder,
        known: Option<Known>,
        intent: &Intent,
        reidentify: bool,
    ) -> Result<Self> {
        let (space, space_key) = settle_space(&folder, known, intent)?;
        let (key, fresh) = settle_key(&folder, known, reidentify)?;
        let kept = match known {
            Some(known) if !fresh => kept_incarnation(&folder, known)?,
            _ => None,
        };
        let incarnation = match kept {
            Some(incarnation) => incarnation,
            None => {
                let drawn = Incarnation(u32::from_be_bytes(host::random()));
                folder.write_incarnation(drawn)?;
                drawn
            }
        };
        Ok(Self { folder, key: Arc::new(key), space, space_key, incarnation })
    }
}

fn settle_space(folder: &DeviceFolder, known: Option<Known>, intent: &Intent) -> Result<(SpaceId, SpaceKey)> {
    let (space, key) = match (intent, known) {
        (Intent::Create, None) => (SpaceId::from_bytes(host::random()), SpaceKey::from_bytes(host::random())),
        (Intent::Create, Some(_)) => {
            let message = "the database holds a space already; use Space::open, or another file";
            return Err(Error::new(ErrorKind::Misuse, "create space", message));
        }
        (Intent::Open, None) => {
            let message = "the database holds no space; use Space::create or Space::join";
            return Err(Error::new(ErrorKind::Storage, "open space", message));
        }
        (Intent::Open, Some(known)) => return stored_space(folder, known.space),
        (Intent::Join(invite), Some(known)) if known.space != invite.space() => {
            let message = "the database holds another space than the join code; join in another file";
            return Err(Error::new(ErrorKind::Misuse, "join space", message));
        }
        (Intent::Join(invite), _) => (invite.space(), invite.key().clone()),
    };
    match folder.space_key()? {
        Stored::Whole((stored, stored_key)) if stored == space && stored_key == key => {}
        Stored::Whole((stored, _)) if stored == space => {
            let message = "the join code holds another key than this device has; ask for a new code";
            return Err(Error::new(ErrorKind::Configuration, "join space", message));
        }
        Stored::Whole(_) | Stored::Absent | Stored::Damaged => folder.write_space_key(space, &key)?,
    }
    Ok((space, key))
}

fn stored_space(folder: &DeviceFolder, space: SpaceId) -> Result<(SpaceId, SpaceKey)> {
    let what = match folder.space_key()? {
        Stored::Whole((stored, key)) if stored == space => return Ok((space, key)),
        Stored::Whole(_) => "holds the key of another space",
        Stored::Absent => "lacks the key of the space",
        Stored::Damaged => "holds a damaged key of the space",
    };
    Err(Error::new(
        ErrorKind::Storage,
        "open space",
        format!("{} {what}; use Space::join with a code from another device", folder.path().display()),
    ))
}

/// The device key, and whether it is new.
fn settle_key(folder: &DeviceFolder, known: Option<Known>, reidentify: bool) -> Result<(DeviceKey, bool)> {
    let stored = folder.device_key()?;
    let what = match (stored, known) {
        _ if reidentify => return draw_key(folder),
        (Stored::Whole(key), None) => return Ok((key, true)),
        (Stored::Whole(key), Some(known)) if key.device() == known.origin.device => return Ok((key, false)),
        (Stored::Absent | Stored::Damaged, None) => return draw_key(folder),
        (Stored::Whole(_), Some(_)) => "holds the key of another device",
        (Stored::Absent, Some(_)) => "lacks the device's key",
        (Stored::Damaged, Some(_)) => "holds a damaged device key",
    };
    Err(Error::new(
        ErrorKind::Storage,
        "open space",
        format!(
            "{} {what}, and the database has a log that it wrote; put the folder back, or call reidentify() to go \
             on as a new device",
            folder.path().display()
        ),
    ))
}

fn draw_key(folder: &DeviceFolder) -> Result<(DeviceKey, bool)> {
    let key = DeviceKey::from_seed(&host::random());
    folder.write_device_key(&key)?;
    Ok((key, true))
}

/// The incarnation goes on only when folder and database agree on it and the database has not lost sequences that
/// the folder knows of; else one of them is a restored backup.
fn kept_incarnation(folder: &DeviceFolder, known: Known) -> Result<Option<Incarnation>> {
    let last = known.origin.incarnation;
    let same = folder.incarnation()? == Stored::Whole(last);
    let ahead =
        matches!(folder.counter()?, Stored::Whole((counted, seq)) if counted == last && seq > known.head);
    Ok((same && !ahead).then_some(last))
}
