//! Changesets that are signed and well-formed and say what no application of this version says: unknown models and
//! fields, record ids and values of the wrong kind, references to nothing. Nothing of it may wedge a device, and all
//! devices make the same of it.

use sync_core::{
    changeset::{FieldWrite, decode_body},
    ids::RecordId,
    value::{MergeKind, Value},
};
use sync_tests::{
    device::{Device, Transport},
    digest::{number, texts},
    hostile::{Forger, Scene, Talk, Write, column, counted, refusals},
    network::{converge, heal, hidden},
    rows::{project_of, rename, run},
};

over_both_transports!(
    unknown_models_and_fields_are_kept_and_forwarded,
    a_record_id_that_is_none_is_refused_by_all,
    values_of_the_wrong_kind_never_wedge,
    references_of_the_wrong_kind_never_wedge,
    a_reference_to_nothing_waits_and_blocks_nobody,
    a_unique_value_taken_by_force_hides_the_later_row_on_all,
    many_claims_on_one_value_end_with_one_row,
);

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Rows in the shadow, of any model.
async fn shadow(device: &Device) -> Vec<String> {
    let query =
        "SELECT name || ' ' || hex(r) || ' ' || hex(state) FROM _sync_shadow JOIN _sync_model USING (m)
                 ORDER BY 1";
    texts(device.space(), query).await
}

async fn unknown_models_and_fields_are_kept_and_forwarded(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let ship = Write::insert("spaceship", 1, [column("name", text("Rocinante")), counted("crew", 4)]);
    let mut odd = Write::label(2, "with a field of the future");
    odd.fields.push(column("weight", Value::Real(0.5)));
    assert_eq!(talk.give(forger.commit(&[ship.clone(), odd])).await, None);
    let refit = Write::update("spaceship", ship.record, [column("name", text("Tachi"))]);
    assert_eq!(talk.give(forger.commit(&[refit])).await, None);
    scene.settled().await;
    assert_eq!(refusals(&scene.a).await, [""; 0]);
    scene.undisturbed();
    assert_eq!(shadow(&scene.a).await.iter().filter(|line| line.starts_with("spaceship ")).count(), 1);
    // A device that only ever meets B gets all of it.
    let c = Device::join("c", &scene.b).await;
    heal(&[&scene.b, &c]).await;
    converge(&[&scene.a, &scene.b, &c]).await;
    assert_eq!(shadow(&c).await, shadow(&scene.a).await);
    assert_eq!(shadow(&scene.b).await, shadow(&scene.a).await);
    let name = "SELECT name FROM label WHERE name LIKE 'with%'";
    assert_eq!(texts(c.space(), name).await, ["with a field of the future"]);
    // A known field of it is written over here; the unknown one stays with the record.
    rename(c.space(), uuid::Uuid::from_bytes([2; 16]), "renamed").await;
    converge(&[&scene.a, &scene.b, &c]).await;
    scene.settled().await;
    scene.unharmed().await;
}

/// Ids have no length of their own in a body, so 15 bytes make everything after them another thing.
async fn a_record_id_that_is_none_is_refused_by_all(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let whole = Forger::among(&scene.a).commit(&[Write::label(0xee, "x")]).shared.remove(0).unwrap();
    let at = whole.windows(16).position(|bytes| bytes == [0xee; 16]).unwrap();
    let mut expected = Vec::new();
    for (length, n) in [0, 1, 15, 17].into_iter().zip(1..) {
        let mut bytes = whole.clone();
        bytes.splice(at..at + 16, vec![0xee; length]);
        assert!(decode_body(&bytes).is_err(), "{length}");
        let run = forger.commit_bytes(bytes, 1);
        assert_eq!(talk.give(run).await, None);
        assert_eq!(scene.refused(&forger, n).await, "malformed body");
        expected.push(format!("{n}: malformed body"));
    }
    scene.unharmed().await;
    assert_eq!(refusals(&scene.a).await, expected);
    assert_eq!(refusals(&scene.b).await, expected);
}

/// Why records are hidden, without who is in the way, each with how often.
async fn reasons(device: &Device) -> Vec<String> {
    let reasons = hidden(device).await;
    let short = |reason: &String| reason.split([';', ',']).next().unwrap().to_owned();
    let short: Vec<String> = reasons.iter().map(short).collect();
    short.chunk_by(|a, b| a == b).map(|same| format!("{} {}", same.len(), same[0])).collect()
}

fn merging(field: &str, merge: MergeKind, value: Value) -> FieldWrite {
    FieldWrite { merge, ..column(field, value) }
}

async fn values_of_the_wrong_kind_never_wedge(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let id = RecordId::from_bytes;
    let values = [
        Value::Null,
        Value::Integer(7),
        Value::Real(1.5),
        Value::Blob(vec![0, 255]),
        Value::Reference(id([3; 16])),
        text(""),
        text("a\0b"),
        text("tag"),
        text(&"long".repeat(200_000)),
    ];
    let mut record = 10;
    for value in values {
        record += 1;
        let mut write = Write::label(record, "");
        write.fields[0] = column("name", value.clone());
        assert_eq!(talk.give(forger.commit(&[write])).await, None, "{value:?}");
        let update = Write::update("label", id([record; 16]), [column("colour", value)]);
        assert_eq!(talk.give(forger.commit(&[update])).await, None);
    }
    // Without its fields, with another merge kind, with a field twice as different kinds, with SQLite's own types.
    let label = |fields: Vec<FieldWrite>, n| Write::insert("label", n, fields);
    let writes = [
        label(Vec::new(), 40),
        label(vec![column("name", text("no counter"))], 41),
        label(vec![column("name", text("plain counter")), column("uses", Value::Integer(3))], 42),
        label(vec![merging("name", MergeKind::Max, text("largest name")), counted("uses", 1)], 43),
        label(vec![column("name", text("both")), merging("name", MergeKind::Min, text("kinds"))], 44),
        Write::update("label", id([99; 16]), [column("name", text("never inserted"))]),
        Write::delete("label", id([98; 16])),
        Write::insert(
            "span",
            50,
            [column("low", Value::Integer(9)), column("high", Value::Integer(1)), column("title", text(""))],
        ),
        Write::insert(
            "gauge",
            51,
            [
                merging("total", MergeKind::Counter, Value::Integer(i64::MAX)),
                merging("best", MergeKind::Max, text("text is larger")),
                merging("worst", MergeKind::Min, Value::Null),
                column("marks", text("not json")),
            ],
        ),
        Write::update(
            "gauge",
            id([51; 16]),
            [merging("total", MergeKind::Counter, Value::Integer(i64::MAX))],
        ),
        Write::insert(
            "sample",
            52,
            [
                column("whole", text("no number")),
                column("at", Value::Integer(-1)),
                column("local", text("stays")),
            ],
        ),
        Write::insert(
            "parcel",
            53,
            [
                column("country", Value::Null),
                column("code", Value::Blob(vec![1])),
                column("content", Value::Integer(0)),
            ],
        ),
    ];
    for write in writes {
        assert_eq!(talk.give(forger.commit(std::slice::from_ref(&write))).await, None, "{write:?}");
    }
    scene.undisturbed();
    scene.settled().await;
    assert_eq!(
        reasons(&scene.a).await,
        [
            "1 gauge: it fails CHECK (worst NOT NULL)",
            "1 label: it fails CHECK (name <> '')",
            "3 label: it fails CHECK (name NOT NULL)",
            "3 label: it fails CHECK (uses NOT NULL)",
            "1 label: sqlite_autoindex_label_2 is unique",
            "1 parcel: it fails CHECK (country NOT NULL)",
            "1 span: it fails CHECK (low <= high)",
        ]
    );
    // The rest is shown as SQLite keeps it in a column of text.
    assert_eq!(
        texts(scene.a.space(), "SELECT substr(hex(name), 1, 32) FROM label ORDER BY 1").await,
        ["00FF", "03".repeat(16).as_str(), "312E35", "37", "610062", "6C6F6E67".repeat(4).as_str(), "746167",]
    );
    // What is hidden or odd is written over like anything else.
    run(scene.b.space(), "UPDATE label SET name = 'put right ' || id, colour = NULL WHERE name <> 'tag'")
        .await;
    run(scene.a.space(), "DELETE FROM gauge").await;
    scene.settled().await;
    scene.unharmed().await;
}

async fn references_of_the_wrong_kind_never_wedge(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let tag: RecordId =
        texts(scene.a.space(), "SELECT hex(uuid) FROM label").await.remove(0).parse().unwrap();
    let values = [
        Value::Integer(1),
        Value::Null,
        text("1"),
        Value::Blob(vec![9; 15]),
        Value::Blob(vec![9; 16]),
        Value::Reference(tag),
        Value::Reference(RecordId::from_bytes([9; 16])),
    ];
    let mut record = 10;
    for value in &values {
        record += 1;
        let to = || column("project_id", value.clone());
        let chore = [to(), column("title", text("t")), column("done", Value::Integer(0))];
        let own =
            [column("device", value.clone()), column("place", text("p")), column("value", Value::Integer(1))];
        for write in [
            Write::insert("task", record, chore),
            Write::insert("memo", record, [to(), column("text", text("m"))]),
            Write::insert("folder", record, [column("parent_id", value.clone()), column("name", text("f"))]),
            Write::insert(
                "assignment",
                record,
                [to(), column("label_id", value.clone()), column("weight", Value::Null)],
            ),
        ] {
            assert_eq!(talk.give(forger.commit(std::slice::from_ref(&write))).await, None, "{write:?}");
        }
        let run = forger.commit_owned(&[Write::insert("reading", record, own)]);
        assert_eq!(talk.give(run).await, None, "{value:?}");
    }
    scene.settled().await;
    assert_eq!(
        reasons(&scene.a).await,
        [
            "5 assignment: it fails CHECK (label_id NOT NULL)",
            "1 assignment: label_id must refer to a row",
            "1 assignment: project_id must refer to a row",
            "5 task: it fails CHECK (project_id NOT NULL)",
            "2 task: project_id must refer to a row",
        ]
    );
    let of = |owner: &str| format!("a row of \"reading\" belongs to {owner}");
    let (nine, tag) = (of(&format!("device {}", "09".repeat(16))), of(&format!("device {tag}")));
    let expected = [(10, of("no device")), (25, nine.clone()), (30, tag), (35, nine)];
    assert_eq!(refusals(&scene.a).await, expected.map(|(n, reason)| format!("{n}: {reason}")));
    let dangling = "SELECT count(*) FROM memo WHERE text = 'm' AND project_id IS NOT NULL";
    assert_eq!(number(scene.a.space(), dangling).await, 0, "a number of the wire is nobody's local key");
    assert_eq!(number(scene.a.space(), "SELECT count(*) FROM pragma_foreign_key_check").await, 0);
    scene.unharmed().await;
}

/// Other systems' failure: a FOREIGN KEY wedges whatever comes after it.
async fn a_reference_to_nothing_waits_and_blocks_nobody(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let nowhere = Value::Reference(RecordId::from_bytes([77; 16]));
    let orphan = [
        column("project_id", nowhere.clone()),
        column("title", text("orphan")),
        column("done", Value::Integer(0)),
    ];
    let beside = Write::label(1, "of the same changeset");
    assert_eq!(talk.give(forger.commit(&[Write::insert("task", 5, orphan), beside])).await, None);
    scene.settled().await;
    let labels = "SELECT name FROM label WHERE name LIKE 'of the%'";
    assert_eq!(texts(scene.b.space(), labels).await, ["of the same changeset"]);
    assert_eq!(number(scene.b.space(), "SELECT count(*) FROM task WHERE title = 'orphan'").await, 0);
    scene.go_on().await;
    assert_eq!(number(scene.b.space(), "SELECT count(*) FROM task WHERE title = 'orphan'").await, 0);
    // What it waits for comes after all.
    let late = Write::insert("project", 77, [column("title", text("late"))]);
    assert_eq!(talk.give(forger.commit(&[late])).await, None);
    scene.settled().await;
    assert!(project_of(scene.b.space(), uuid::Uuid::from_bytes([77; 16])).await.is_some());
    assert_eq!(number(scene.a.space(), "SELECT count(*) FROM task WHERE title = 'orphan'").await, 1);
    assert_eq!(hidden(&scene.a).await, [""; 0]);
    scene.unharmed().await;
}

/// Other systems' failure: UNIQUE reported as success, and diverged.
async fn a_unique_value_taken_by_force_hides_the_later_row_on_all(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    assert_eq!(talk.give(forger.commit(&[Write::label(1, "tag")])).await, None);
    scene.settled().await;
    assert_eq!(hidden(&scene.a).await.len(), 1);
    assert_eq!(hidden(&scene.a).await, hidden(&scene.b).await);
    assert_eq!(texts(scene.b.space(), "SELECT hex(uuid) FROM label WHERE name = 'tag'").await.len(), 1);
    assert_ne!(texts(scene.b.space(), "SELECT hex(uuid) FROM label").await, ["01".repeat(16)]);
    scene.unharmed().await;
}

/// A thousand records that claim one value: one is shown, the rest is hidden, and it takes no time to speak of.
async fn many_claims_on_one_value_end_with_one_row(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let id = |n: u16| {
        let mut bytes = [5; 16];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        RecordId::from_bytes(bytes)
    };
    let claims: Vec<Write> =
        (0..1_000).map(|n| Write { record: id(n), ..Write::label(0, "claimed") }).collect();
    assert_eq!(talk.give(forger.commit(&claims)).await, None);
    scene.settled().await;
    assert_eq!(number(scene.b.space(), "SELECT count(*) FROM label WHERE name = 'claimed'").await, 1);
    assert_eq!(hidden(&scene.b).await.len(), 999);
    scene.unharmed().await;
}
