//! Invariant 13: identifiers in SQL come from the catalog, never from the wire.

use std::path::PathBuf;

use sync_core::{
    changeset::FieldWrite,
    value::{MergeKind, Value},
};
use sync_tests::{
    device::{Device, Transport},
    digest::texts,
    hostile::{Forger, Scene, Talk, Write, column, refusals},
    network::{converge, heal},
};

over_both_transports!(invariant_13_no_identifier_comes_from_the_wire);

/// What somebody might take for SQL, for a path, or for the end of a text.
fn names() -> Vec<String> {
    let named = [
        "label\"; DROP TABLE label; --",
        "label'; DROP TABLE label; --",
        "label`",
        "[label]",
        "la\0bel",
        "\0",
        " label",
        "LABEL",
        "lab\u{435}l",
        "\u{201c}label\u{201d}",
        "\u{ff02}label\u{ff02}",
        "label\" WHERE 1 = 1 --",
        "_sync_pending",
        "_sync_v_label",
        "sqlite_master",
        "main.label",
        "../../etc/passwd",
        "C:\\label",
        "?1",
        ":name",
        "rowid",
        "id",
        "uuid",
        "%s%n",
        "\u{202e}lebal",
    ];
    named.into_iter().map(str::to_owned).chain(["n".repeat(256)]).collect()
}

async fn schema(device: &Device) -> Vec<String> {
    texts(device.space(), "SELECT type || name || coalesce(sql, '') FROM sqlite_master ORDER BY 1").await
}

async fn invariant_13_no_identifier_comes_from_the_wire(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let before = (schema(&scene.a).await, schema(&scene.b).await);
    let files = files(&scene.a);
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let value = || Value::Text("\"; DELETE FROM label; --".to_owned());
    let kinds = [MergeKind::LastWriter, MergeKind::Max, MergeKind::Min];
    let mut kept = Vec::new();
    for (name, n) in names().into_iter().zip(1..) {
        let field = |merge| FieldWrite { merge, ..column(&name, value()) };
        let mut known = Write::label(n, &format!("label {n}"));
        known.fields.extend(kinds.map(field));
        let stranger = Write::insert(&name, n, kinds.map(field));
        let later = Write::update(&name, stranger.record, [field(MergeKind::LastWriter)]);
        let owned = Write::insert(&name, n, [field(MergeKind::LastWriter)]);
        assert_eq!(talk.give(forger.commit(&[known, stranger])).await, None, "{name:?}");
        assert_eq!(talk.give(forger.commit(&[later])).await, None, "{name:?}");
        assert_eq!(talk.give(forger.commit_owned(&[owned])).await, None, "{name:?}");
        kept.push(format!("label {n}"));
    }
    scene.undisturbed();
    scene.settled().await;
    assert_eq!((schema(&scene.a).await, schema(&scene.b).await), before);
    assert_eq!(self::files(&scene.a), files, "no file by a name of the wire");
    kept.push("tag".to_owned());
    kept.sort();
    let labels =
        texts(scene.b.space(), "SELECT name FROM label WHERE name NOT LIKE '%goes on%' ORDER BY name").await;
    assert_eq!(labels, kept);
    // No name at all, and one beyond any measure, make the changeset malformed, for all alike.
    let mut number = u64::try_from(names().len() * 3).unwrap();
    let mut refused = Vec::new();
    for name in [String::new(), "n".repeat(257), "n".repeat(1 << 20)] {
        let mut known = Write::label(201, "odd field");
        known.fields.push(column(&name, value()));
        for write in [Write::insert(&name, 200, [column("x", value())]), known] {
            number += 1;
            assert_eq!(talk.give(forger.commit(&[write])).await, None);
            assert_eq!(scene.refused(&forger, number).await, "malformed body");
            refused.push(format!("{number}: malformed body"));
        }
    }
    scene.unharmed().await;
    assert_eq!(refusals(&scene.a).await, refused);
    assert_eq!(refusals(&scene.b).await, refused);
    // All of it is passed on, and a newcomer makes the same of it.
    let c = Device::join("c", &scene.b).await;
    heal(&[&scene.b, &c]).await;
    converge(&[&scene.a, &scene.b, &c]).await;
    assert_eq!(schema(&c).await, before.0);
    assert_eq!(refusals(&c).await, refused);
}

/// Names of the files beside the database and in the device folder.
fn files(device: &Device) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![device.path().parent().unwrap().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    // What is being replaced at this moment has another name for as long.
    found.retain(|path| path.extension().is_none_or(|extension| extension != "new"));
    found.sort();
    found
}
