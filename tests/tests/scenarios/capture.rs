//! Every way in which rows change: SeaORM, raw SQL, other connections, before the first opening.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, TransactionSession, TransactionTrait,
    sea_query::{Expr, ExprTrait as _},
};
use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Device, Models, Transport, event, path_in},
    digest::{number, texts},
    network::{converge, cut, heal, pair},
    rows::{hex, label, new_id, outside, project, rename, run, task, try_label},
    schema::{TABLES, label as label_model},
};

over_both_transports!(
    seaorm_calls_of_every_kind_arrive,
    raw_sql_through_the_space_arrives,
    another_connection_is_captured_while_the_space_is_open,
    another_connection_is_captured_while_the_space_is_closed,
    rows_from_before_pairing_are_adopted,
    rows_from_before_on_both_sides_merge,
    rolled_back_transaction_leaves_nothing,
    failed_statement_in_a_transaction_leaves_the_rest,
    column_that_stays_here_stays_here,
    trigger_of_the_application_that_alters_what_arrives_is_reported,
);

async fn seaorm_calls_of_every_kind_arrive(transport: Transport) {
    let (a, b) = pair(transport).await;
    let one = label(a.space(), "one").await;
    let many = (0..10).map(|n| label_model::ActiveModel {
        uuid: Set(new_id()),
        name: Set(format!("many{n}")),
        colour: Set(None),
        uses: Set(n),
        ..Default::default()
    });
    label_model::Entity::insert_many(many).exec(a.space()).await.unwrap();
    let mut edit = one.into_active_model();
    edit.colour = Set(Some("red".to_owned()));
    let saved = edit.save(a.space()).await.unwrap();
    let update = label_model::Entity::update_many()
        .col_expr(label_model::Column::Uses, Expr::col(label_model::Column::Uses).add(100))
        .filter(label_model::Column::Name.ne("one"));
    assert_eq!(update.exec(a.space()).await.unwrap().rows_affected, 10);
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT sum(uses) FROM label").await, 1045);
    saved.delete(a.space()).await.unwrap();
    let some = label_model::Entity::delete_many().filter(label_model::Column::Uses.gte(105));
    assert_eq!(some.exec(a.space()).await.unwrap().rows_affected, 5);
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(b.space(), "SELECT name FROM label ORDER BY name").await,
        ["many0", "many1", "many2", "many3", "many4"]
    );
}

async fn raw_sql_through_the_space_arrives(transport: Transport) {
    let (a, b) = pair(transport).await;
    run(
        a.space(),
        "INSERT INTO label (uuid, name, uses) SELECT randomblob(16), 'n' || value, value
         FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < 50) SELECT * FROM c)",
    )
    .await;
    run(a.space(), "UPDATE label SET colour = 'even' WHERE uses % 2 = 0; DELETE FROM label WHERE uses > 40")
        .await;
    let upsert = format!(
        "INSERT INTO label (uuid, name, uses) VALUES ({}, 'n1', 5) ON CONFLICT (name) DO UPDATE SET uses = uses + excluded.uses",
        hex(new_id())
    );
    run(a.space(), upsert).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 40);
    assert_eq!(number(b.space(), "SELECT count(*) FROM label WHERE colour = 'even'").await, 20);
    assert_eq!(number(b.space(), "SELECT uses FROM label WHERE name = 'n1'").await, 6);
}

async fn another_connection_is_captured_while_the_space_is_open(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = project(a.space(), "plan").await;
    task(a.space(), plan.uuid, "t").await;
    converge(&[&a, &b]).await;
    let id = hex(new_id());
    outside(&a.path(), &format!("INSERT INTO label (uuid, name, uses) VALUES ({id}, 'outside', 1)")).await;
    outside(&a.path(), "UPDATE label SET uses = uses + 2; DELETE FROM project").await;
    // Nobody calls anything on A: the program notices by itself.
    let arrived = async {
        while number(b.space(), "SELECT coalesce((SELECT uses FROM label WHERE name = 'outside'), 0)").await
            != 3
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(sync_tests::device::PATIENCE, arrived).await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM task").await, 0, "its cascade came as well");
}

async fn another_connection_is_captured_while_the_space_is_closed(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "x").await;
    label(a.space(), "gone").await;
    converge(&[&a, &b]).await;
    let a = a
        .restart_after(|path| async move {
            let id = hex(new_id());
            outside(&path, "UPDATE label SET colour = 'closed', uses = 9 WHERE name = 'x'").await;
            outside(&path, "DELETE FROM label WHERE name = 'gone'").await;
            outside(&path, &format!("INSERT INTO label (uuid, name, uses) VALUES ({id}, 'while closed', 1)"))
                .await;
        })
        .await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(b.space(), "SELECT name || uses FROM label ORDER BY name").await,
        ["while closed1", "x9"]
    );
}

/// Tables with rows, before anything of the framework has seen the file.
async fn seeded(rows: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::File::create(path_in(&folder)).unwrap();
    outside(&path_in(&folder), &format!("PRAGMA journal_mode = WAL; {TABLES} {rows}")).await;
    folder
}

async fn rows_from_before_pairing_are_adopted(transport: Transport) {
    let folder = seeded(
        "INSERT INTO project (id, uuid, title) VALUES (77, randomblob(16), 'old plan');
         INSERT INTO task (uuid, project_id, title) VALUES (randomblob(16), 77, 'old task');
         INSERT INTO setting (namespace, slug, value) VALUES ('app', 'theme', 'dark');
         INSERT INTO label (uuid, name, uses) VALUES (randomblob(16), 'old', 3)",
    )
    .await;
    let a = Device::first_in(folder, "a", transport, Models::Own, |builder| builder).await;
    let b = Device::join("b", &a).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let query = "SELECT p.title || ' ' || t.title FROM task t JOIN project p ON p.id = t.project_id";
    assert_eq!(texts(b.space(), query).await, ["old plan old task"]);
    run(b.space(), "UPDATE label SET uses = uses + 1; UPDATE task SET title = 'edited'").await;
    run(a.space(), "UPDATE label SET uses = uses + 1").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT uses FROM label").await, 5);
    assert_eq!(texts(a.space(), query).await, ["old plan edited"]);
}

async fn rows_from_before_on_both_sides_merge(transport: Transport) {
    let (mine, yours) = (
        seeded(
            "INSERT INTO setting (namespace, slug, value) VALUES ('app', 'theme', 'dark'), ('app', 'size', 'big');
             INSERT INTO label (uuid, name, uses) VALUES (X'000102030405060708090A0B0C0D0E0F', 'both', 1);
             INSERT INTO project (uuid, title) VALUES (randomblob(16), 'mine')",
        )
        .await,
        seeded(
            "INSERT INTO setting (namespace, slug, value) VALUES ('app', 'theme', 'light'), ('app', 'zoom', '2');
             INSERT INTO label (uuid, name, uses) VALUES (X'000102030405060708090A0B0C0D0E0F', 'both', 1);
             INSERT INTO label (uuid, name, uses) VALUES (randomblob(16), 'yours', 1);
             INSERT INTO project (uuid, title) VALUES (randomblob(16), 'yours')",
        )
        .await,
    );
    let a = Device::first_in(mine, "a", transport, Models::Own, |builder| builder).await;
    let b = Device::join_in(yours, "b", &a, |builder| builder).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT slug FROM setting ORDER BY slug").await, ["size", "theme", "zoom"]);
    assert_eq!(texts(a.space(), "SELECT name FROM label ORDER BY name").await, ["both", "yours"]);
    assert_eq!(texts(b.space(), "SELECT title FROM project ORDER BY title").await, ["mine", "yours"]);
    assert_eq!(sync_tests::network::hidden(&b).await, [""; 0]);
}

async fn rolled_back_transaction_leaves_nothing(transport: Transport) {
    let (a, b) = pair(transport).await;
    let before = a.vector().await.unwrap();
    let tx = a.begin().await.unwrap();
    label(&tx, "never").await;
    tx.rollback().await.unwrap();
    let tx = a.begin().await.unwrap();
    label(&tx, "dropped").await;
    drop(tx);
    assert_eq!(a.vector().await.unwrap(), before);
    label(a.space(), "real").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM label").await, ["real"]);
}

async fn failed_statement_in_a_transaction_leaves_the_rest(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "taken").await;
    let tx = a.begin().await.unwrap();
    label(&tx, "before").await;
    try_label(&tx, "taken").await.unwrap_err();
    label(&tx, "after").await;
    tx.commit().await.unwrap();
    cut(&[&a, &b]).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM label ORDER BY name").await, ["after", "before", "taken"]);
}

async fn column_that_stays_here_stays_here(transport: Transport) {
    let (a, b) = pair(transport).await;
    run(a.space(), "INSERT INTO sample (uuid, text, local) VALUES (randomblob(16), 'shared', 'mine')").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT text || quote(local) FROM sample").await, ["sharedNULL"]);
    let before = a.vector().await.unwrap();
    run(a.space(), "UPDATE sample SET local = 'mine again'").await;
    assert_eq!(a.vector().await.unwrap(), before, "nothing to tell anyone");
    run(b.space(), "UPDATE sample SET local = 'yours'").await;
    run(b.space(), "UPDATE sample SET text = 'edited'").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT text || local FROM sample").await, ["editedmine again"]);
}

/// Only this device has what it did, so nothing but telling helps.
async fn trigger_of_the_application_that_alters_what_arrives_is_reported(transport: Transport) {
    let (a, b) = pair(transport).await;
    let row = label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    run(
        b.space(),
        "CREATE TRIGGER touch AFTER UPDATE OF name ON label BEGIN UPDATE label SET colour = 'b' WHERE id = NEW.id; END",
    )
    .await;
    let mut events = b.events();
    rename(a.space(), row.uuid, "y").await;
    let told = event(&mut events, "the trigger", |event| match event {
        SyncEvent::Trouble { operation: "apply", detail, .. } => Some(detail.clone()),
        _ => None,
    });
    assert_eq!(
        told.await,
        "a trigger of the application changed rows of \"label\" while changes of others were applied (1 times); only this \
         device has that: let the trigger fill columns that do not sync, or drop it"
    );
}
