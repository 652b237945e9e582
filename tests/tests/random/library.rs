//! A file library at random: entries that belong to their device, tags and collections that belong to nobody, closure
//! tables that follow.

use std::collections::{BTreeMap, BTreeSet};

use sync_tests::{
    device::Device,
    digest::texts,
    rows::{hex, run},
};

use super::operations::Draw;

/// The device's row, its location and a root folder.
pub(crate) async fn furnish(device: &Device) {
    let own = hex(device.uuid());
    run(
        device.space(),
        format!(
            "INSERT INTO device (uuid, name) VALUES ({own}, '{name}');
             INSERT INTO location (uuid, device_id, path, name)
                 SELECT {location}, id, '/{name}', 'home' FROM device WHERE uuid = {own};
             INSERT INTO entry (uuid, location_id, name, kind, size)
                 SELECT {root}, id, 'root', 1, 0 FROM location WHERE uuid = {location}",
            name = device.name(),
            location = owned(device, 1, 0),
            root = owned(device, 2, 0),
        ),
    )
    .await;
}

/// An id of a record that the device owns.
fn owned(device: &Device, model: u8, n: u8) -> String {
    let mut bytes = *device.uuid().as_bytes();
    bytes[0] = model;
    bytes[1] = n;
    hex(uuid::Uuid::from_bytes(bytes))
}

fn an_entry(draw: &mut Draw, device: &Device) -> String {
    owned(device, 2, u8::try_from(draw.below(6)).unwrap())
}

fn key(table: &str, id: &str) -> String {
    format!("(SELECT id FROM {table} WHERE uuid = {id})")
}

/// One statement on `device`.
pub(crate) fn statement(draw: &mut Draw, device: &Device) -> String {
    let n = draw.below(100);
    match draw.below(10) {
        0..=2 => entry(draw, n, device),
        3 => content(draw, n, device),
        4 | 5 => tag(draw, n),
        6 => tag_relation(draw),
        7 => collection(draw, n, device),
        8 => metadata(draw, n, device),
        _ => metadata_tag(draw, device),
    }
}

fn entry(draw: &mut Draw, n: usize, device: &Device) -> String {
    let (id, parent) = (an_entry(draw, device), an_entry(draw, device));
    let (location, root) = (key("location", &owned(device, 1, 0)), owned(device, 2, 0));
    let parent = key("entry", &parent);
    let name = draw.pick(&["x", "y", "z"]);
    match draw.below(8) {
        0..=2 => format!(
            "INSERT INTO entry (uuid, location_id, parent_id, name, kind, size)
             VALUES ({id}, {location}, coalesce({parent}, {}), '{name}{n}', 1, {n})",
            key("entry", &root)
        ),
        3 => format!("UPDATE entry SET parent_id = {parent} WHERE uuid = {id} AND uuid <> {root}"),
        4 => format!("UPDATE entry SET name = '{name}' WHERE uuid = {id}"),
        5 => format!("UPDATE entry SET size = {n}, modified_at = {n} WHERE uuid = {id}"),
        6 => format!("UPDATE entry SET parent_id = NULL WHERE uuid = {id}"),
        _ => format!("DELETE FROM entry WHERE uuid = {id} AND uuid <> {root}"),
    }
}

/// The same contents are found on all devices; their ids follow from the hash.
fn content(draw: &mut Draw, n: usize, device: &Device) -> String {
    let hash = draw.pick(&["1", "2", "3"]);
    let hash = format!("zeroblob(31) || x'0{hash}'");
    let hash = format!("CAST({hash} AS BLOB)");
    let id = an_entry(draw, device);
    match draw.below(4) {
        0 | 1 => format!(
            "INSERT INTO content_identity (uuid, content_hash, size) VALUES (randomblob(16), {hash}, {n})"
        ),
        2 => format!(
            "UPDATE entry SET content_id = (SELECT id FROM content_identity WHERE content_hash = {hash}) WHERE uuid = {id}"
        ),
        _ => format!("DELETE FROM content_identity WHERE content_hash = {hash}"),
    }
}

fn tag(draw: &mut Draw, n: usize) -> String {
    let (id, name) = (draw.id(21), draw.pick(&["x", "y", "z"]));
    match draw.below(5) {
        0 | 1 => format!("INSERT INTO tag (uuid, name) VALUES ({id}, '{name}')"),
        2 => format!("UPDATE tag SET name = '{name}', colour = 'c{n}' WHERE uuid = {id}"),
        3 => format!("UPDATE tag SET uses = uses + {n} WHERE uuid = {id}"),
        _ => format!("DELETE FROM tag WHERE uuid = {id}"),
    }
}

fn tag_relation(draw: &mut Draw) -> String {
    let (parent, child) = (key("tag", &draw.id(21)), key("tag", &draw.id(21)));
    match draw.below(3) {
        0 | 1 => format!(
            "INSERT INTO tag_relation (uuid, parent_id, child_id) VALUES (randomblob(16), {parent}, {child})"
        ),
        _ => format!("DELETE FROM tag_relation WHERE (parent_id, child_id) = ({parent}, {child})"),
    }
}

fn collection(draw: &mut Draw, n: usize, device: &Device) -> String {
    let id = draw.id(22);
    let (collection, entry) = (key("collection", &id), key("entry", &an_entry(draw, device)));
    let entry = if draw.chance(1, 2) { "(SELECT max(id) FROM entry)".to_owned() } else { entry };
    match draw.below(6) {
        0 => format!("INSERT INTO collection (uuid, name) VALUES ({id}, 'n{n}')"),
        1 => format!("UPDATE collection SET description = 'd{n}' WHERE uuid = {id}"),
        2 => format!("DELETE FROM collection WHERE uuid = {id}"),
        3 | 4 => format!(
            "INSERT INTO collection_entry (uuid, collection_id, entry_id, position)
             VALUES (randomblob(16), {collection}, {entry}, {n})"
        ),
        _ => {
            format!("DELETE FROM collection_entry WHERE (collection_id, entry_id) = ({collection}, {entry})")
        }
    }
}

/// About an entry it is the entry's device's, about a content anybody's.
fn metadata(draw: &mut Draw, n: usize, device: &Device) -> String {
    let shared = draw.id(23);
    let content = "(SELECT min(id) FROM content_identity)";
    let own = owned(device, 3, u8::try_from(draw.below(3)).unwrap());
    let entry = key("entry", &an_entry(draw, device));
    match draw.below(6) {
        0 => format!(
            "INSERT INTO user_metadata (uuid, content_id, notes) VALUES ({shared}, {content}, 'n{n}')"
        ),
        1 => format!("UPDATE user_metadata SET notes = 'm{n}' WHERE uuid = {shared}"),
        2 => format!("DELETE FROM user_metadata WHERE uuid = {shared}"),
        3 => format!("INSERT INTO user_metadata (uuid, entry_id, notes) VALUES ({own}, {entry}, 'n{n}')"),
        4 => format!("UPDATE user_metadata SET rating = {} WHERE uuid = {own}", n % 6),
        _ => format!("DELETE FROM user_metadata WHERE uuid = {own}"),
    }
}

fn metadata_tag(draw: &mut Draw, device: &Device) -> String {
    let about = if draw.chance(1, 2) { draw.id(23) } else { owned(device, 3, 0) };
    let (about, tag) = (key("user_metadata", &about), key("tag", &draw.id(21)));
    match draw.below(3) {
        0 | 1 => format!(
            "INSERT INTO user_metadata_tag (uuid, user_metadata_id, tag_id) VALUES (randomblob(16), {about}, {tag})"
        ),
        _ => format!("DELETE FROM user_metadata_tag WHERE (user_metadata_id, tag_id) = ({about}, {tag})"),
    }
}

/// The closure tables say what a walk from row to row finds.
pub(crate) async fn assert_closures(device: &Device) {
    let space = device.space();
    let parents =
        pairs(&texts(space, "SELECT id || ' ' || parent_id FROM entry WHERE parent_id IS NOT NULL").await);
    let entries = ids(&texts(space, "SELECT CAST(id AS TEXT) FROM entry").await);
    let kept =
        texts(space, "SELECT descendant_id || ' ' || ancestor_id || ' ' || depth FROM entry_closure").await;
    assert_eq!(sorted(kept), walk(&entries, &parents, 0), "entries of {}", device.name());
    let edges = pairs(&texts(space, "SELECT child_id || ' ' || parent_id FROM tag_relation").await);
    let tags = ids(&texts(space, "SELECT CAST(id AS TEXT) FROM tag").await);
    let kept =
        texts(space, "SELECT descendant_id || ' ' || ancestor_id || ' ' || depth FROM tag_closure").await;
    assert_eq!(sorted(kept), walk(&tags, &edges, 1), "tags of {}", device.name());
}

fn sorted(lines: Vec<String>) -> BTreeSet<String> {
    lines.into_iter().collect()
}

fn ids(lines: &[String]) -> Vec<i64> {
    lines.iter().map(|line| line.parse().unwrap()).collect()
}

fn pairs(lines: &[String]) -> BTreeMap<i64, Vec<i64>> {
    let mut out: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for line in lines {
        let (child, parent) = line.split_once(' ').unwrap();
        out.entry(child.parse().unwrap()).or_default().push(parent.parse().unwrap());
    }
    out
}

/// Breadth first from every id: the shortest way to each ancestor, of at least `least` steps.
fn walk(from: &[i64], parents: &BTreeMap<i64, Vec<i64>>, least: u32) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for start in from {
        let (mut met, mut level, mut depth) = (BTreeSet::from([*start]), vec![*start], 0);
        while !level.is_empty() {
            if depth >= least {
                out.extend(level.iter().map(|ancestor| format!("{start} {ancestor} {depth}")));
            }
            let above = level.iter().filter_map(|id| parents.get(id)).flatten();
            level = above.copied().filter(|id| met.insert(*id)).collect();
            depth += 1;
        }
    }
    out
}
