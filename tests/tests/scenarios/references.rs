//! FOREIGN KEYs that stay in force: children under parents that the other side deletes, trees, order of arrival.

use sea_orm::{TransactionSession, TransactionTrait};
use sync_tests::{
    device::{Device, Transport},
    digest::{number, texts},
    network::{converge, cut, heal, hidden, pair},
    rows::{assign, drop_project, folder, hex, invoice, label, later, memo, new_id, project, run, task},
};

over_both_transports!(
    child_under_a_deleted_parent_goes_with_it,
    child_that_may_stay_loses_its_parent,
    child_that_must_have_its_parent_is_hidden_until_it_is_back,
    local_cascades_travel,
    tree_deleted_against_a_new_leaf,
    tree_moves_on_both_sides,
    child_moved_to_another_parent_survives,
    child_that_leaves_before_its_parent_goes_stays,
    junctions_of_a_deleted_parent_go,
    parents_and_children_of_one_transaction_arrive_together,
    local_keys_differ_and_references_still_fit,
    hidden_parent_hides_its_children,
);

async fn shared_project(a: &Device, b: &Device) -> uuid::Uuid {
    let plan = project(a.space(), "plan").await;
    converge(&[a, b]).await;
    cut(&[a, b]).await;
    plan.uuid
}

async fn child_under_a_deleted_parent_goes_with_it(transport: Transport) {
    for early in [true, false] {
        let (a, b) = pair(transport).await;
        let plan = shared_project(&a, &b).await;
        if early {
            task(b.space(), plan, "orphan").await;
        }
        later().await;
        drop_project(a.space(), plan).await;
        later().await;
        if !early {
            task(b.space(), plan, "orphan").await;
        }
        heal(&[&a, &b]).await;
        converge(&[&a, &b]).await;
        assert_eq!(number(b.space(), "SELECT count(*) FROM task").await, 0);
        assert_eq!(hidden(&b).await, [""; 0]);
    }
}

async fn child_that_may_stay_loses_its_parent(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = shared_project(&a, &b).await;
    memo(b.space(), plan, "stays").await;
    drop_project(a.space(), plan).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT text || quote(project_id) FROM memo").await, ["staysNULL"]);
    // It can be given another, and edited.
    let other = project(a.space(), "other").await;
    run(a.space(), format!("UPDATE memo SET project_id = {}, text = 'moved'", other.id)).await;
    converge(&[&a, &b]).await;
    let query = "SELECT text || ' ' || title FROM memo JOIN project p ON p.id = project_id";
    assert_eq!(texts(b.space(), query).await, ["moved other"]);
}

/// Seen elsewhere: a FOREIGN KEY that wedges.
async fn child_that_must_have_its_parent_is_hidden_until_it_is_back(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = shared_project(&a, &b).await;
    invoice(b.space(), plan, 7).await;
    later().await;
    drop_project(a.space(), plan).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM invoice").await, 0);
    let reasons = hidden(&a).await;
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("project_id") && reasons[0].contains("deleted"), "{reasons:?}");
    // Nothing is wedged: other changes go on.
    label(b.space(), "goes on").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM label").await, 1);
}

async fn local_cascades_travel(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = project(a.space(), "plan").await;
    for n in 0..20 {
        task(a.space(), plan.uuid, &format!("t{n}")).await;
        memo(a.space(), plan.uuid, &format!("m{n}")).await;
    }
    converge(&[&a, &b]).await;
    drop_project(b.space(), plan.uuid).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM task").await, 0);
    assert_eq!(number(a.space(), "SELECT count(*) FROM memo WHERE project_id IS NULL").await, 20);
}

async fn tree_deleted_against_a_new_leaf(transport: Transport) {
    let (a, b) = pair(transport).await;
    let root = folder(a.space(), None, "root").await;
    let branch = folder(a.space(), Some(root.uuid), "branch").await;
    folder(a.space(), None, "elsewhere").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "DELETE FROM folder WHERE name = 'root'").await;
    let leaf = folder(b.space(), Some(branch.uuid), "leaf").await;
    folder(b.space(), Some(leaf.uuid), "below").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM folder").await, ["elsewhere"]);
}

async fn tree_moves_on_both_sides(transport: Transport) {
    let (a, b) = pair(transport).await;
    let root = folder(a.space(), None, "root").await;
    let left = folder(a.space(), Some(root.uuid), "left").await;
    let right = folder(a.space(), Some(root.uuid), "right").await;
    let leaf = folder(a.space(), Some(left.uuid), "leaf").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let under = |child: uuid::Uuid, parent: uuid::Uuid| {
        format!(
            "UPDATE folder SET parent_id = (SELECT id FROM folder WHERE uuid = {}) WHERE uuid = {}",
            hex(parent),
            hex(child)
        )
    };
    run(a.space(), under(leaf.uuid, root.uuid)).await;
    later().await;
    run(b.space(), under(leaf.uuid, right.uuid)).await;
    folder(b.space(), Some(leaf.uuid), "twig").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let query = "SELECT f.name || '<' || p.name FROM folder f JOIN folder p ON p.id = f.parent_id ORDER BY 1";
    assert_eq!(texts(a.space(), query).await, ["leaf<right", "left<root", "right<root", "twig<leaf"]);
}

async fn child_moved_to_another_parent_survives(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = project(a.space(), "plan").await;
    let safe = project(a.space(), "safe").await;
    task(a.space(), plan.uuid, "moved").await;
    task(a.space(), plan.uuid, "left").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let to = format!("UPDATE task SET project_id = (SELECT id FROM project WHERE uuid = {})", hex(safe.uuid));
    run(b.space(), format!("{to} WHERE title = 'moved'")).await;
    later().await;
    // A's own database cascades the delete to both; that is A's authored delete, which wins.
    drop_project(a.space(), plan.uuid).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM task").await, 0);
    // A task that A did not have, moved away before the delete arrives, stays.
    let again = project(a.space(), "again").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    task(b.space(), again.uuid, "saved").await;
    run(b.space(), &to).await;
    drop_project(a.space(), again.uuid).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT title FROM task").await, ["saved"]);
}

/// Both arrive at once, and the database must not take the child along.
async fn child_that_leaves_before_its_parent_goes_stays(transport: Transport) {
    let (a, b) = pair(transport).await;
    let (old, new) = (project(a.space(), "old").await, project(a.space(), "new").await);
    task(a.space(), old.uuid, "t").await;
    for (id, parent) in [(hex(new_id()), "NULL"), (hex(new_id()), "(SELECT id FROM folder)")] {
        run(a.space(), format!("INSERT INTO folder (uuid, parent_id, name) VALUES ({id}, {parent}, 'f')"))
            .await;
    }
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let to_new =
        format!("UPDATE task SET project_id = (SELECT id FROM project WHERE uuid = {})", hex(new.uuid));
    run(b.space(), to_new).await;
    run(b.space(), format!("DELETE FROM project WHERE uuid = {}", hex(old.uuid))).await;
    run(b.space(), "UPDATE folder SET parent_id = NULL, name = 'free'").await;
    run(b.space(), "DELETE FROM folder WHERE id = (SELECT min(id) FROM folder)").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT title FROM task").await, ["t"]);
    assert_eq!(texts(a.space(), "SELECT name FROM folder").await, ["free"]);
}

async fn junctions_of_a_deleted_parent_go(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "tag").await;
    let plan = shared_project(&a, &b).await;
    assign(b.space(), tag.uuid, plan, 1).await;
    drop_project(a.space(), plan).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM assignment").await, 0);
    // The same pair again, with the project made again under its id.
    run(b.space(), format!("INSERT INTO project (uuid, title) VALUES ({}, 'back')", hex(plan))).await;
    assign(b.space(), tag.uuid, plan, 2).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT cast(weight AS TEXT) FROM assignment").await, ["2"]);
}

async fn parents_and_children_of_one_transaction_arrive_together(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tx = a.begin().await.unwrap();
    let plan = project(&tx, "plan").await;
    let tag = label(&tx, "tag").await;
    task(&tx, plan.uuid, "t").await;
    memo(&tx, plan.uuid, "m").await;
    invoice(&tx, plan.uuid, 1).await;
    assign(&tx, tag.uuid, plan.uuid, 9).await;
    let root = folder(&tx, None, "root").await;
    folder(&tx, Some(root.uuid), "leaf").await;
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    for table in ["project", "label", "task", "memo", "invoice", "assignment"] {
        assert_eq!(number(b.space(), format!("SELECT count(*) FROM {table}")).await, 1, "{table}");
    }
    assert_eq!(hidden(&b).await, [""; 0]);
}

async fn local_keys_differ_and_references_still_fit(transport: Transport) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    for n in 0..5 {
        project(b.space(), &format!("b{n}")).await;
    }
    let plan = project(a.space(), "a").await;
    let task = task(a.space(), plan.uuid, "of a").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let query = "SELECT p.title FROM task t JOIN project p ON p.id = t.project_id";
    assert_eq!(texts(b.space(), query).await, ["a"]);
    let key = number(b.space(), format!("SELECT id FROM project WHERE uuid = {}", hex(plan.uuid))).await;
    assert_ne!((key, plan.id), (1, 6), "each database numbers its own rows");
    assert_eq!(plan.id, 1);
    assert_eq!(key, 6);
    assert_eq!(task.project_id, 1);
}

async fn hidden_parent_hides_its_children(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = project(a.space(), "plan").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let first = label(a.space(), "x").await;
    later().await;
    let second = label(b.space(), "x").await;
    assign(b.space(), second.uuid, plan.uuid, 5).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM assignment").await, 0);
    assert_eq!(hidden(&a).await.len(), 2);
    sync_tests::rows::rename(a.space(), first.uuid, "y").await;
    converge(&[&a, &b]).await;
    assert_eq!(hidden(&a).await, [""; 0]);
    assert_eq!(texts(a.space(), "SELECT cast(weight AS TEXT) FROM assignment").await, ["5"]);
}
