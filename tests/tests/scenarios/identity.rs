//! Record ids: drawn, derived from parents or values, and primary keys that the application changes.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use sea_orm::{TransactionSession, TransactionTrait};
use sync_runtime::ErrorKind;
use sync_tests::{
    device::Transport,
    digest::{number, texts},
    network::{converge, cut, heal, hidden, pair},
    rows::{assign, hex, label, later, memo, new_id, project, run, task},
    schema::setting,
};

over_both_transports!(
    same_junction_pair_on_both_sides_is_one_record,
    same_natural_key_on_both_sides_is_one_record,
    natural_key_that_changes_takes_the_record_along,
    natural_key_left_by_one_row_and_taken_by_another,
    seeds_of_two_devices_do_not_double,
    local_primary_key_may_change,
    primary_key_of_two_columns_syncs,
    bad_record_id_is_a_typed_error,
);

/// Lesson 9: two uuids, one primary key, and the whole backfill aborted.
async fn same_junction_pair_on_both_sides_is_one_record(transport: Transport) {
    let (a, b) = pair(transport).await;
    let (tag, plan) = (label(a.space(), "tag").await, project(a.space(), "plan").await);
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    assign(a.space(), tag.uuid, plan.uuid, 1).await;
    later().await;
    assign(b.space(), tag.uuid, plan.uuid, 2).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT cast(weight AS TEXT) FROM assignment").await, ["2"]);
    assert_eq!(hidden(&a).await, [""; 0]);
    run(a.space(), "DELETE FROM assignment").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM assignment").await, 0);
    assign(b.space(), tag.uuid, plan.uuid, 3).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT cast(weight AS TEXT) FROM assignment").await, ["3"]);
}

async fn put(db: &impl ConnectionTrait, slug: &str, value: &str) -> setting::Model {
    let row = setting::ActiveModel {
        namespace: Set("app".to_owned()),
        slug: Set(slug.to_owned()),
        value: Set(value.to_owned()),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

async fn same_natural_key_on_both_sides_is_one_record(transport: Transport) {
    let (a, b) = pair(transport).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    put(a.space(), "theme", "dark").await;
    later().await;
    put(b.space(), "theme", "light").await;
    put(b.space(), "size", "big").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(a.space(), "SELECT slug || '=' || value FROM setting ORDER BY slug").await,
        ["size=big", "theme=light"]
    );
    assert_eq!(
        number(a.space(), "SELECT count(*) FROM setting WHERE uuid IS NULL").await,
        0,
        "the drain fills it"
    );
}

async fn natural_key_that_changes_takes_the_record_along(transport: Transport) {
    let (a, b) = pair(transport).await;
    put(a.space(), "theme", "dark").await;
    put(a.space(), "size", "big").await;
    converge(&[&a, &b]).await;
    let before = texts(a.space(), "SELECT quote(uuid) FROM setting WHERE value = 'dark'").await;
    run(b.space(), "UPDATE setting SET slug = 'colours' WHERE slug = 'theme'").await;
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(a.space(), "SELECT slug || '=' || value FROM setting ORDER BY slug").await,
        ["colours=dark", "size=big"]
    );
    assert_ne!(texts(a.space(), "SELECT quote(uuid) FROM setting WHERE value = 'dark'").await, before);
    // The old key is free again, everywhere.
    put(a.space(), "theme", "new").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT value FROM setting WHERE slug = 'theme'").await, ["new"]);
}

/// Within one transaction, so that the record has another row than before and no note says what differs.
async fn natural_key_left_by_one_row_and_taken_by_another(transport: Transport) {
    let (a, b) = pair(transport).await;
    put(a.space(), "theme", "dark").await;
    converge(&[&a, &b]).await;
    let tx = b.space().begin().await.unwrap();
    run(&tx, "UPDATE setting SET slug = 'old' WHERE slug = 'theme'").await;
    put(&tx, "theme", "light").await;
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(a.space(), "SELECT slug || '=' || value FROM setting ORDER BY slug").await,
        ["old=dark", "theme=light"]
    );
}

/// Lesson 9: default rows doubled when two seeded libraries joined.
async fn seeds_of_two_devices_do_not_double(transport: Transport) {
    let (a, b) = pair(transport).await;
    cut(&[&a, &b]).await;
    for slug in ["theme", "size", "language", "zoom"] {
        put(a.space(), slug, "default").await;
        put(b.space(), slug, "default").await;
    }
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM setting").await, 4);
    assert_eq!(hidden(&b).await, [""; 0]);
}

async fn local_primary_key_may_change(transport: Transport) {
    let (a, b) = pair(transport).await;
    let plan = project(a.space(), "plan").await;
    let tag = label(a.space(), "tag").await;
    converge(&[&a, &b]).await;
    run(a.space(), format!("UPDATE label SET id = 900, colour = 'red' WHERE uuid = {}", hex(tag.uuid))).await;
    task(a.space(), plan.uuid, "t").await;
    memo(a.space(), plan.uuid, "m").await;
    converge(&[&a, &b]).await;
    let moved = format!(
        "PRAGMA defer_foreign_keys = ON; UPDATE project SET id = 700 WHERE uuid = {};
         UPDATE task SET project_id = 700; UPDATE memo SET project_id = 700",
        hex(plan.uuid)
    );
    let before = a.digest().await.unwrap();
    run(a.space(), moved).await;
    converge(&[&a, &b]).await;
    assert_eq!(a.digest().await.unwrap(), before, "what is synced did not change");
    assert_eq!(texts(a.space(), "SELECT id || title FROM project").await, ["700plan"]);
    assert_eq!(texts(b.space(), "SELECT name || colour FROM label").await, ["tagred"]);
    assert_ne!(number(b.space(), "SELECT id FROM label").await, 900, "the key is the device's own");
    run(b.space(), "UPDATE label SET colour = 'blue'; UPDATE task SET title = 'from b'").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT id || colour FROM label").await, ["900blue"]);
}

async fn primary_key_of_two_columns_syncs(transport: Transport) {
    let (a, b) = pair(transport).await;
    let insert = |country: &str, code: &str, content: &str| {
        format!("INSERT INTO parcel VALUES ('{country}', '{code}', {}, '{content}')", hex(new_id()))
    };
    run(a.space(), insert("at", "1", "books")).await;
    run(b.space(), insert("de", "1", "pens")).await;
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE parcel SET content = 'two books' WHERE country = 'at'").await;
    run(a.space(), "UPDATE parcel SET code = '2' WHERE country = 'de'").await;
    converge(&[&a, &b]).await;
    let query = "SELECT country || code || content FROM parcel ORDER BY 1";
    assert_eq!(texts(a.space(), query).await, ["at1two books", "de2pens"]);
    cut(&[&a, &b]).await;
    run(a.space(), insert("fr", "7", "first")).await;
    later().await;
    run(b.space(), insert("fr", "7", "second")).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), query).await, ["at1two books", "de2pens", "fr7first"]);
    assert_eq!(hidden(&b).await.len(), 1);
    run(a.space(), "DELETE FROM parcel WHERE country = 'fr'").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), query).await, ["at1two books", "de2pens", "fr7second"]);
}

async fn bad_record_id_is_a_typed_error(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "good").await;
    for bad in ["X'0102'", "'no id'", "7", "zeroblob(17)"] {
        let insert = format!("INSERT INTO label (uuid, name, uses) VALUES ({bad}, 'bad', 0)");
        let error = a.execute_unprepared(&insert).await.unwrap_err();
        assert_eq!(
            sync_runtime::Error::within(&error).map(sync_runtime::Error::kind),
            Some(ErrorKind::Value),
            "{error}"
        );
        assert_eq!(texts(a.space(), "SELECT name FROM label").await, ["good"], "nothing was written");
    }
    let moved = a.execute_unprepared("UPDATE label SET uuid = randomblob(16)").await.unwrap_err();
    assert!(sync_runtime::Error::within(&moved).is_some(), "{moved}");
    label(a.space(), "after").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name FROM label ORDER BY name").await, ["after", "good"]);
}
