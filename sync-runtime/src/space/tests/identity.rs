//! The device folder: what is lost, half-written, restored or someone else's.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::indexing_slicing, reason = "the files have a known length")]

use std::{fs, path::Path};

use super::support::{Place, with_notes};
use crate::{
    ErrorKind, Space,
    space::{
        device::{Identity, Intent, Known},
        folder::{DeviceFolder, Stored},
    },
};
use sync_core::ids::{Incarnation, Seq};

async fn created(place: &Place) -> Space {
    with_notes(Space::create(place.database())).open().await.unwrap()
}

async fn reopened(place: &Place) -> crate::Result<Space> {
    with_notes(Space::open(place.database())).open().await
}

#[cfg(unix)]
#[tokio::test]
async fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let space = created(&place).await;
    space.close().await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.device("")), 0o700);
    for file in ["device.key", "space.key", "incarnation"] {
        assert_eq!(mode(&place.device(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn lost_or_damaged_device_key_is_an_error_until_the_application_says_so() {
    for damage in [None, Some(&b""[..]), Some(&b"synckdv1half a key"[..])] {
        let place = Place::new();
        let space = created(&place).await;
        let (id, old) = (space.id(), space.device_id());
        space.close().await.unwrap();
        match damage {
            None => fs::remove_file(place.device("device.key")).unwrap(),
            Some(bytes) => fs::write(place.device("device.key"), bytes).unwrap(),
        }
        for _ in 0..2 {
            let error = reopened(&place).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert!(error.to_string().contains("reidentify()"), "{error}");
        }
        let space = with_notes(Space::open(place.database())).reidentify().open().await.unwrap();
        assert_eq!(space.id(), id);
        assert_ne!(space.device_id(), old);
        let fresh = space.device_id();
        space.close().await.unwrap();
        assert_eq!(reopened(&place).await.unwrap().device_id(), fresh);
    }
}

#[tokio::test]
async fn lost_space_key_comes_back_with_a_code() {
    let place = Place::new();
    let space = created(&place).await;
    let (invite, origin) = (space.invite().unwrap(), space.status().origin);
    space.close().await.unwrap();
    let mut bytes = fs::read(place.device("space.key")).unwrap();
    bytes[20] ^= 1;
    fs::write(place.device("space.key"), &bytes).unwrap();
    let error = reopened(&place).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains("Space::join"), "{error}");
    let space = with_notes(Space::join(place.database(), invite.clone())).open().await.unwrap();
    assert_eq!((space.status().origin, space.invite().unwrap()), (origin, invite));
}

#[tokio::test]
async fn folder_of_another_device_is_refused() {
    let (left, right) = (Place::new(), Place::new());
    created(&left).await.close().await.unwrap();
    created(&right).await.close().await.unwrap();
    fs::copy(right.device("device.key"), left.device("device.key")).unwrap();
    assert_eq!(reopened(&left).await.unwrap_err().kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn restored_folder_starts_a_new_incarnation() {
    let place = Place::new();
    let space = created(&place).await;
    let origin = space.status().origin;
    space.close().await.unwrap();
    let mut bytes = fs::read(place.device("incarnation")).unwrap();
    bytes[8] ^= 1;
    fs::write(place.device("incarnation"), bytes).unwrap();
    let space = reopened(&place).await.unwrap();
    assert_eq!(space.device_id(), origin.device);
    let fresh = space.status().origin;
    assert_ne!(fresh, origin);
    space.close().await.unwrap();
    assert_eq!(reopened(&place).await.unwrap().status().origin, fresh, "and keeps it");
}

#[test]
fn database_behind_its_folder_starts_a_new_incarnation() {
    let place = Place::new();
    let settle = |known: Option<Known>| {
        let folder = DeviceFolder::of(&place.database()).unwrap();
        let intent = if known.is_none() { Intent::Create } else { Intent::Open };
        Identity::settle(folder, known, &intent, false).unwrap()
    };
    let first = settle(None);
    let known = Known { space: first.space, origin: first.origin(), head: Seq(10) };
    assert_eq!(settle(Some(known)).origin(), first.origin(), "no counter yet");
    first.folder.write_counter(first.incarnation, Seq(10)).unwrap();
    assert_eq!(settle(Some(known)).origin(), first.origin(), "level");
    first.folder.write_counter(first.incarnation, Seq(11)).unwrap();
    let second = settle(Some(known));
    assert_ne!(second.origin(), first.origin(), "the database lost sequence 11");
    let known = Known { space: first.space, origin: second.origin(), head: Seq(0) };
    assert_eq!(settle(Some(known)).origin(), second.origin(), "the old counter is of the old incarnation");
}

#[test]
fn files_are_whole_absent_or_damaged() {
    let place = Place::new();
    let folder = DeviceFolder::of(&place.database()).unwrap();
    assert_eq!(folder.counter().unwrap(), Stored::Absent);
    folder.write_counter(Incarnation(7), Seq(1 << 40)).unwrap();
    assert_eq!(folder.counter().unwrap(), Stored::Whole((Incarnation(7), Seq(1 << 40))));
    let whole = fs::read(place.device("counter")).unwrap();
    for length in 0..whole.len() {
        fs::write(place.device("counter"), &whole[..length]).unwrap();
        assert_eq!(folder.counter().unwrap(), Stored::Damaged, "cut at {length}");
    }
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x40;
        fs::write(place.device("counter"), &flipped).unwrap();
        assert_eq!(folder.counter().unwrap(), Stored::Damaged, "flipped at {at}");
    }
    fs::copy(place.device("counter"), place.device("incarnation")).unwrap();
    assert_eq!(folder.incarnation().unwrap(), Stored::Damaged);
}
