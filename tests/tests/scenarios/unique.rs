//! UNIQUE that stays in force: the older insert keeps the value, the other record is hidden and says why.

use sea_orm::{TransactionSession, TransactionTrait};
use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Device, Transport, event},
    digest::texts,
    network::{converge, cut, heal, hidden, pair},
    rows::{hex, label, later, new_id, project, rename, run},
};

over_both_transports!(
    value_taken_twice_stays_with_the_older_insert,
    renamed_loser_is_shown,
    renamed_or_deleted_winner_shows_the_loser,
    values_swapped_on_one_side_arrive,
    values_swapped_around_three_rows_arrive,
    keys_swapped_arrive,
    three_devices_take_one_value,
    insert_or_replace_over_a_unique_value_travels,
    hidden_row_can_be_renamed_by_another_device,
    insert_over_a_hidden_row_keeps_what_others_counted,
    partial_index_over_a_parent_that_comes_along,
    index_over_an_expression,
    rows_that_leave_a_partial_index_keep_their_values,
);

/// Both insert "x" apart from each other; the first insert is A's.
async fn clash(transport: Transport) -> (Device, Device, uuid::Uuid, uuid::Uuid) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let older = label(a.space(), "x").await;
    later().await;
    let newer = label(b.space(), "x").await;
    run(b.space(), "UPDATE label SET colour = 'newer'").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    (a, b, older.uuid, newer.uuid)
}

async fn names(device: &Device) -> Vec<String> {
    texts(device.space(), "SELECT name || ' ' || quote(uuid) FROM label ORDER BY name").await
}

/// Seen elsewhere: reported as success and then diverged, values in the wrong row.
async fn value_taken_twice_stays_with_the_older_insert(transport: Transport) {
    let (a, b, older, newer) = clash(transport).await;
    for device in [&a, &b] {
        assert_eq!(names(device).await, [format!("x {}", hex(older))]);
        let found = device.hidden().await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].record.as_bytes(), newer.as_bytes());
        assert!(hidden(device).await[0].contains("unique"), "{found:?}");
    }
}

async fn renamed_loser_is_shown(transport: Transport) {
    let (a, b, older, newer) = clash(transport).await;
    // The winner's device renames its own; the value is free for the other.
    let mut events = b.events();
    rename(a.space(), older, "y").await;
    converge(&[&a, &b]).await;
    assert_eq!(names(&a).await, [format!("x {}", hex(newer)), format!("y {}", hex(older))]);
    assert_eq!(
        texts(a.space(), "SELECT coalesce(colour, '-') FROM label ORDER BY name").await,
        ["newer", "-"]
    );
    assert_eq!(hidden(&a).await, [""; 0]);
    event(&mut events, "Shown", |event| match event {
        SyncEvent::Shown { record, .. } if record.as_bytes() == newer.as_bytes() => Some(()),
        _ => None,
    })
    .await;
}

async fn renamed_or_deleted_winner_shows_the_loser(transport: Transport) {
    let (a, b, older, newer) = clash(transport).await;
    run(b.space(), format!("DELETE FROM label WHERE uuid = {}", hex(older))).await;
    converge(&[&a, &b]).await;
    assert_eq!(names(&a).await, [format!("x {}", hex(newer))]);
    assert_eq!(hidden(&b).await, [""; 0]);
}

async fn values_swapped_on_one_side_arrive(transport: Transport) {
    let (a, b) = pair(transport).await;
    let (one, two) = (label(a.space(), "one").await, label(a.space(), "two").await);
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    rename(a.space(), one.uuid, "spare").await;
    rename(a.space(), two.uuid, "one").await;
    rename(a.space(), one.uuid, "two").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(names(&b).await, [format!("one {}", hex(two.uuid)), format!("two {}", hex(one.uuid))]);
    assert_eq!(hidden(&b).await, [""; 0]);
}

async fn values_swapped_around_three_rows_arrive(transport: Transport) {
    let (a, b) = pair(transport).await;
    for name in ["p", "q", "r"] {
        label(b.space(), name).await;
    }
    converge(&[&a, &b]).await;
    let before = names(&a).await;
    // In one transaction, with placeholders of the application's own.
    run(
        a.space(),
        "UPDATE label SET name = name || '!'; UPDATE label SET name = CASE name WHEN 'p!' THEN 'q' WHEN 'q!' THEN 'r' ELSE 'p' END",
    )
    .await;
    converge(&[&a, &b]).await;
    assert_ne!(names(&b).await, before);
    assert_eq!(texts(b.space(), "SELECT name FROM label ORDER BY name").await, ["p", "q", "r"]);
}

/// The key consists of fields, so that the rows have other keys on the way.
async fn keys_swapped_arrive(transport: Transport) {
    let (a, b) = pair(transport).await;
    let insert = |code: u8| {
        format!(
            "INSERT INTO parcel (country, code, uuid, content) VALUES ('de', '{code}', {}, 'of {code}')",
            hex(new_id())
        )
    };
    run(a.space(), insert(1)).await;
    run(a.space(), insert(2)).await;
    converge(&[&a, &b]).await;
    let tx = a.space().begin().await.unwrap();
    for (from, to) in [("1", "x"), ("2", "1"), ("x", "2")] {
        run(&tx, format!("UPDATE parcel SET code = '{to}', content = content || '.' WHERE code = '{from}'"))
            .await;
    }
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(b.space(), "SELECT country || code || content FROM parcel ORDER BY code").await,
        ["de1of 2.", "de2of 1.."]
    );
}

async fn three_devices_take_one_value(transport: Transport) {
    let (a, b) = pair(transport).await;
    let c = Device::join("c", &b).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b, &c]).await;
    let first = label(c.space(), "x").await;
    later().await;
    let second = label(a.space(), "x").await;
    later().await;
    label(b.space(), "x").await;
    heal(&[&a, &b, &c]).await;
    converge(&[&a, &b, &c]).await;
    assert_eq!(names(&a).await, [format!("x {}", hex(first.uuid))]);
    assert_eq!(hidden(&a).await.len(), 2);
    rename(a.space(), first.uuid, "free").await;
    converge(&[&a, &b, &c]).await;
    assert_eq!(names(&c).await, [format!("free {}", hex(first.uuid)), format!("x {}", hex(second.uuid))]);
    assert_eq!(hidden(&b).await.len(), 1);
}

async fn insert_or_replace_over_a_unique_value_travels(transport: Transport) {
    let (a, b) = pair(transport).await;
    let old = label(a.space(), "x").await;
    label(a.space(), "other").await;
    converge(&[&a, &b]).await;
    let fresh = new_id();
    run(
        b.space(),
        format!("INSERT OR REPLACE INTO label (uuid, name, uses) VALUES ({}, 'x', 4)", hex(fresh)),
    )
    .await;
    converge(&[&a, &b]).await;
    assert_eq!(names(&a).await[1], format!("x {}", hex(fresh)));
    assert!(!names(&a).await.iter().any(|line| line.contains(&hex(old.uuid))));
    assert_eq!(hidden(&a).await, [""; 0]);
}

/// Settling is an ordinary write, and inserting over the hidden id is one.
async fn hidden_row_can_be_renamed_by_another_device(transport: Transport) {
    let (a, b, older, newer) = clash(transport).await;
    run(a.space(), format!("INSERT INTO label (uuid, name, uses) VALUES ({}, 'settled', 0)", hex(newer)))
        .await;
    converge(&[&a, &b]).await;
    assert_eq!(names(&b).await, [format!("settled {}", hex(newer)), format!("x {}", hex(older))]);
    assert_eq!(hidden(&b).await, [""; 0]);
}

/// The inserted value is the base to which the shares add up, and the row that was inserted says so at once.
async fn insert_over_a_hidden_row_keeps_what_others_counted(transport: Transport) {
    let (a, b) = pair(transport).await;
    cut(&[&a, &b]).await;
    label(a.space(), "x").await;
    later().await;
    let newer = label(b.space(), "x").await;
    run(b.space(), "UPDATE label SET uses = uses + 7").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    run(
        a.space(),
        format!("INSERT INTO label (uuid, name, uses) VALUES ({}, 'settled', 5)", hex(newer.uuid)),
    )
    .await;
    assert_eq!(texts(a.space(), "SELECT CAST(uses AS TEXT) FROM label WHERE name = 'settled'").await, ["12"]);
    converge(&[&a, &b]).await;
}

/// The parent of the younger seat has no row yet when the seat is judged, and the index counts the seat all the same.
async fn partial_index_over_a_parent_that_comes_along(transport: Transport) {
    let (a, b) = pair(transport).await;
    let shared = label(a.space(), "shared").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    for on in [&a, &b] {
        let tx = on.space().begin().await.unwrap();
        // An update beside the inserts, so that they do not go the quick way.
        rename(&tx, shared.uuid, on.name()).await;
        let parent = project(&tx, on.name()).await;
        let text = format!(
            "INSERT INTO seat (uuid, project_id, name) VALUES ({}, {}, 'x')",
            hex(new_id()),
            parent.id
        );
        run(&tx, text).await;
        tx.commit().await.unwrap();
        later().await;
    }
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let found = hidden(&a).await;
    assert!(found.len() == 1 && found[0].contains("seat_taken is unique"), "{found:?}");
    let taken = "SELECT p.title FROM seat s JOIN project p ON p.id = s.project_id";
    assert_eq!(texts(b.space(), taken).await, ["a"]);
}

async fn index_over_an_expression(transport: Transport) {
    let (a, b) = pair(transport).await;
    let shared = label(a.space(), "shared").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    for (on, code, line) in [(&a, "ABC", 1), (&b, "abc", 2), (&a, "q", 1), (&b, "Abc", 1)] {
        let tx = on.space().begin().await.unwrap();
        rename(&tx, shared.uuid, &format!("{code}{line}")).await;
        let values = format!("{}, '{code}{line}', '{code}', {line}", hex(new_id()));
        run(&tx, format!("INSERT INTO seat (uuid, name, code, line) VALUES ({values})")).await;
        tx.commit().await.unwrap();
        later().await;
    }
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let found = hidden(&a).await;
    assert!(found.len() == 1 && found[0].contains("seat_code is unique"), "{found:?}");
    assert_eq!(texts(b.space(), "SELECT name FROM seat ORDER BY name").await, ["ABC1", "abc2", "q1"]);
    // The older one goes, and the value is free.
    run(a.space(), "DELETE FROM seat WHERE name = 'ABC1'").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM seat ORDER BY name").await, ["Abc1", "abc2", "q1"]);
    assert_eq!(hidden(&b).await, [""; 0]);
}

/// Both were given placeholders on the way, and only the column that had changed was written afterwards.
async fn rows_that_leave_a_partial_index_keep_their_values(transport: Transport) {
    let (a, b) = pair(transport).await;
    let parent = project(a.space(), "p").await;
    for name in ["x", "y"] {
        let values = format!("{}, {}, '{name}'", hex(new_id()), parent.id);
        run(a.space(), format!("INSERT INTO seat (uuid, project_id, name) VALUES ({values})")).await;
    }
    converge(&[&a, &b]).await;
    run(a.space(), "DELETE FROM project").await;
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(b.space(), "SELECT name FROM seat WHERE project_id IS NULL ORDER BY name").await,
        ["x", "y"]
    );
}
