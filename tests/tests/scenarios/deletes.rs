//! Deletes: against edits, for good, and what an insert of the same id brings back.

use sea_orm::{ColumnTrait, EntityTrait, ModelTrait, QueryFilter};
use sync_tests::{
    device::{Device, Transport},
    digest::{number, texts},
    network::{converge, cut, heal, pair},
    rows::{hex, label, later, memo, project, run, sketch, task},
    schema::{label as label_model, task as task_model},
};

over_both_transports!(
    update_then_delete_arrives_as_gone,
    delete_wins_against_a_later_edit,
    delete_loses_where_the_model_says_so,
    deletes_stick_after_everyone_reconnects,
    same_row_deleted_on_both_sides,
    deleted_row_inserted_again_is_back,
    reinsert_does_not_bring_old_children_back,
    delete_and_insert_in_one_transaction_is_an_edit,
    delete_many_deletes_everywhere,
);

async fn update_then_delete_arrives_as_gone(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "x").await;
    run(a.space(), "UPDATE label SET colour = 'red'").await;
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE label SET colour = 'blue'").await;
    converge(&[&a, &b]).await;
    tag.delete(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 0);
}

async fn delete_wins_against_a_later_edit(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "DELETE FROM label").await;
    later().await;
    run(b.space(), "UPDATE label SET colour = 'later', uses = uses + 1").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM label").await, 0);
}

/// Seen elsewhere: delete against update dropped the edit without trace.
async fn delete_loses_where_the_model_says_so(transport: Transport) {
    let (a, b) = pair(transport).await;
    sketch(a.space(), "title", "body").await;
    sketch(a.space(), "other", "body").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "DELETE FROM sketch").await;
    later().await;
    run(b.space(), "UPDATE sketch SET body = 'saved' WHERE title = 'title'").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT title || ' ' || body FROM sketch").await, ["title saved"]);
    // A delete that has seen the edit stands.
    run(a.space(), "DELETE FROM sketch").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM sketch").await, 0);
    // An edit stamped before the delete does not bring it back.
    sketch(a.space(), "third", "body").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(b.space(), "UPDATE sketch SET body = 'too early'").await;
    later().await;
    run(a.space(), "DELETE FROM sketch").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM sketch").await, 0);
}

async fn deletes_stick_after_everyone_reconnects(transport: Transport) {
    let (a, b) = pair(transport).await;
    let c = Device::join("c", &b).await;
    heal(&[&b, &c]).await;
    for name in ["keep", "one", "two", "three"] {
        label(a.space(), name).await;
    }
    let plan = project(b.space(), "plan").await;
    task(b.space(), plan.uuid, "t").await;
    memo(b.space(), plan.uuid, "m").await;
    converge(&[&a, &b, &c]).await;
    cut(&[&a, &b, &c]).await;
    run(a.space(), "DELETE FROM label WHERE name <> 'keep'").await;
    run(b.space(), "DELETE FROM project").await;
    let (a, b, c) = (a.restart().await, b.restart().await, c.restart().await);
    // The one who missed it talks to one side first, writes, and then to the other.
    heal(&[&c, &a]).await;
    converge(&[&c, &a]).await;
    label(c.space(), "new").await;
    heal(&[&c, &b]).await;
    converge(&[&a, &b, &c]).await;
    // A newcomer gets the deletes as well, and brings nothing back.
    let d = Device::join("d", &c).await;
    heal(&[&c, &d]).await;
    converge(&[&a, &b, &c, &d]).await;
    for device in [&a, &b, &c, &d] {
        assert_eq!(texts(device.space(), "SELECT name FROM label ORDER BY name").await, ["keep", "new"]);
        assert_eq!(number(device.space(), "SELECT count(*) FROM project").await, 0);
        assert_eq!(number(device.space(), "SELECT count(*) FROM task").await, 0);
        assert_eq!(texts(device.space(), "SELECT text || quote(project_id) FROM memo").await, ["mNULL"]);
    }
}

async fn same_row_deleted_on_both_sides(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "DELETE FROM label").await;
    run(b.space(), "DELETE FROM label").await;
    label(b.space(), "x").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT name FROM label").await, ["x"]);
}

async fn deleted_row_inserted_again_is_back(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    run(b.space(), "DELETE FROM label").await;
    converge(&[&a, &b]).await;
    let again = format!("INSERT INTO label (uuid, name, uses) VALUES ({}, 'again', 3)", hex(tag.uuid));
    run(a.space(), &again).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name || uses FROM label").await, ["again3"]);
    // The same on a device that wrote neither before, against an edit of the old row.
    cut(&[&a, &b]).await;
    run(a.space(), "UPDATE label SET colour = 'old life'").await;
    later().await;
    run(b.space(), "DELETE FROM label").await;
    run(b.space(), again.replace("'again', 3", "'third', 5")).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT name || uses FROM label").await, ["third5"]);
}

async fn reinsert_does_not_bring_old_children_back(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = project(a.space(), "plan").await;
    task(a.space(), plan.uuid, "old").await;
    memo(a.space(), plan.uuid, "old").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    // B adds children of the project that A deletes and makes again.
    task(b.space(), plan.uuid, "unseen").await;
    memo(b.space(), plan.uuid, "unseen").await;
    later().await;
    run(a.space(), "DELETE FROM project").await;
    run(a.space(), format!("INSERT INTO project (uuid, title) VALUES ({}, 'again')", hex(plan.uuid))).await;
    task(a.space(), plan.uuid, "new").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT title FROM project").await, ["again"]);
    let tasks = task_model::Entity::find().filter(task_model::Column::ProjectId.gt(0));
    let titles: Vec<String> = tasks.all(b.space()).await.unwrap().into_iter().map(|t| t.title).collect();
    assert_eq!(titles, ["new"]);
    assert_eq!(
        texts(b.space(), "SELECT text || quote(project_id) FROM memo ORDER BY text").await,
        ["oldNULL", "unseenNULL"]
    );
}

async fn delete_and_insert_in_one_transaction_is_an_edit(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(
        a.space(),
        format!(
            "INSERT OR REPLACE INTO label (id, uuid, name, uses) VALUES ({}, {}, 'y', 0)",
            tag.id,
            hex(tag.uuid)
        ),
    )
    .await;
    run(b.space(), "UPDATE label SET colour = 'kept'").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT name || colour FROM label").await, ["ykept"]);
}

async fn delete_many_deletes_everywhere(transport: Transport) {
    let (a, b) = pair(transport).await;
    for number in 0..40 {
        label(a.space(), &format!("n{number:02}")).await;
    }
    converge(&[&a, &b]).await;
    let some = label_model::Entity::delete_many().filter(label_model::Column::Name.lt("n30"));
    assert_eq!(some.exec(b.space()).await.unwrap().rows_affected, 30);
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM label").await, 10);
}
