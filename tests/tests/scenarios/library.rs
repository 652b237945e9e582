//! The scenarios that the closest relative of this project lists for a real library, on `sync-models`.
//! Connection states are in `events`, the middle device in `topology`, adoption in `capture` as well as here.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter,
    TransactionSession, TransactionTrait,
};
use sync_models::{
    collection, collection_entry, content_identity, device, entry, location, tag, tag_relation,
    user_metadata, user_metadata_tag,
};
use sync_runtime::{Error, ErrorKind};
use sync_tests::{
    device::{Device, Models, Transport},
    digest::{number, texts},
    network::{converge, cut, heal, hidden, pair_of},
    rows::{later, new_id, run},
};

over_both_transports!(
    location_arrives_as_state,
    tag_arrives_by_the_log,
    entry_arrives_with_its_location,
    library_from_before_pairing_is_adopted,
    three_libraries_meet_through_the_middle_one,
    reconnect_goes_by_watermark,
    concurrent_tag_edit,
    tag_updated_then_deleted,
    collection_entry_of_a_foreign_entry,
    tag_relation_and_its_closure,
    relation_comes_with_both_its_tags,
    content_metadata_is_anyones,
    entry_metadata_is_its_owners,
    many_to_many_in_one_transaction_arrives_in_order,
    indexing_goes_on_while_a_newcomer_catches_up,
    same_content_indexed_twice_is_one_record,
    deletes_of_every_model_stick,
);

/// A library with a device row, a location and some entries.
async fn indexed(on: &Device, files: i64) -> (location::Model, Vec<entry::Model>) {
    let device = device::new(on.uuid(), on.name()).insert(on.space()).await.unwrap();
    let place = location::new(new_id(), &device, format!("/home/{}", on.name()), "home");
    let place = place.insert(on.space()).await.unwrap();
    let folder = entry::folder(new_id(), place.id, "docs").insert(on.space()).await.unwrap();
    let mut entries = Vec::new();
    for n in 0..files {
        let file = entry::ActiveModel {
            parent_id: Set(Some(folder.id)),
            ..entry::file(new_id(), place.id, format!("{n}.txt"), n * 100)
        };
        entries.push(file.insert(on.space()).await.unwrap());
    }
    (place, entries)
}

async fn entry_named(on: &Device, name: &str) -> entry::Model {
    entry::Entity::find().filter(entry::Column::Name.eq(name)).one(on.space()).await.unwrap().unwrap()
}

/// The closure of entries by name, which every replica builds for itself.
async fn closure(on: &Device) -> Vec<String> {
    texts(
        on.space(),
        "SELECT d.name || '<' || a.name || ' ' || c.depth FROM entry_closure c
         JOIN entry d ON d.id = c.descendant_id JOIN entry a ON a.id = c.ancestor_id ORDER BY 1",
    )
    .await
}

fn not_owner(error: &sea_orm::DbErr) -> bool {
    Error::within(error).map(Error::kind) == Some(ErrorKind::NotOwner)
}

async fn location_arrives_as_state(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    let (place, _) = indexed(&a, 0).await;
    converge(&[&a, &b]).await;
    let mut rename = place.into_active_model();
    rename.name = Set("renamed".to_owned());
    rename.update(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let query = "SELECT l.name || ' ' || d.name FROM location l JOIN device d ON d.id = l.device_id";
    assert_eq!(texts(b.space(), query).await, ["renamed a"]);
    let theirs = location::Entity::find().one(b.space()).await.unwrap().unwrap();
    let mut edit = theirs.into_active_model();
    edit.name = Set("by b".to_owned());
    assert!(not_owner(&edit.update(b.space()).await.unwrap_err()));
}

async fn tag_arrives_by_the_log(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    tag::new(new_id(), "holiday").insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let found = tag::Entity::find().one(b.space()).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.namespace.as_str()), ("holiday", ""));
}

async fn entry_arrives_with_its_location(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    indexed(&a, 5).await;
    indexed(&b, 3).await;
    converge(&[&a, &b]).await;
    let query = "SELECT e.name FROM entry e JOIN location l ON l.id = e.location_id JOIN device d ON d.id = l.device_id
                 WHERE d.name = 'a' ORDER BY 1";
    assert_eq!(texts(b.space(), query).await, ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "docs"]);
    assert_eq!(closure(&a).await, closure(&b).await);
    // Below the folder of each: itself and its files.
    assert_eq!(number(b.space(), "SELECT count(*) FROM entry_closure WHERE depth = 1").await, 8);
}

async fn library_from_before_pairing_is_adopted(transport: Transport) {
    let a = Device::first("a", transport, Models::Library).await;
    indexed(&a, 4).await;
    tag::new(new_id(), "old").insert(a.space()).await.unwrap();
    let b = Device::join("b", &a).await;
    indexed(&b, 2).await;
    tag::new(new_id(), "also old").insert(b.space()).await.unwrap();
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM entry").await, 8);
    assert_eq!(number(b.space(), "SELECT count(*) FROM tag").await, 2);
    assert_eq!(closure(&a).await, closure(&b).await);
}

async fn three_libraries_meet_through_the_middle_one(transport: Transport) {
    let a = Device::first("a", transport, Models::Library).await;
    let (b, c) = (Device::join("b", &a).await, Device::join("c", &a).await);
    heal(&[&a, &b, &c]).await;
    indexed(&a, 2).await;
    indexed(&c, 2).await;
    tag::new(new_id(), "of a").insert(a.space()).await.unwrap();
    tag::new(new_id(), "of c").insert(c.space()).await.unwrap();
    converge(&[&a, &b, &c]).await;
    assert!(!a.peers().contains(&c.device_id()));
    assert_eq!(texts(c.space(), "SELECT name FROM device ORDER BY name").await, ["a", "c"]);
    assert_eq!(texts(b.space(), "SELECT name FROM tag ORDER BY name").await, ["of a", "of c"]);
}

async fn reconnect_goes_by_watermark(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    indexed(&a, 30).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    entry_named(&a, "3.txt").await.delete(a.space()).await.unwrap();
    let mut moved = entry_named(&a, "4.txt").await.into_active_model();
    moved.parent_id = Set(None);
    moved.update(a.space()).await.unwrap();
    let mut events = b.events();
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let mut changed = 0;
    while let Some(event) = events.try_next() {
        if let sync_runtime::SyncEvent::Applied { records, .. } = event {
            changed += records.len();
        }
    }
    assert_eq!(changed, 2, "the difference and nothing else");
    assert_eq!(closure(&a).await, closure(&b).await);
}

async fn concurrent_tag_edit(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    tag::new(new_id(), "x").insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "UPDATE tag SET name = 'by a', colour = 'a', uses = uses + 2").await;
    later().await;
    run(b.space(), "UPDATE tag SET name = 'by b', uses = uses + 3").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT name || ' ' || colour || ' ' || uses FROM tag").await, ["by b a 5"]);
}

async fn tag_updated_then_deleted(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    let row = tag::new(new_id(), "x").insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE tag SET colour = 'edited'").await;
    converge(&[&a, &b]).await;
    row.delete(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM tag").await, 0);
}

async fn collection_entry_of_a_foreign_entry(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    indexed(&a, 2).await;
    converge(&[&a, &b]).await;
    // B puts A's file into a collection of B's; a shared row that refers to a device-owned one.
    let shelf = collection::new(new_id(), "shelf").insert(b.space()).await.unwrap();
    let file = entry_named(&b, "1.txt").await;
    collection_entry::new(&shelf, &file, 7).insert(b.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let query = "SELECT e.name || position FROM collection_entry c JOIN entry e ON e.id = c.entry_id";
    assert_eq!(texts(a.space(), query).await, ["1.txt7"]);
    // The same pair on both sides.
    cut(&[&a, &b]).await;
    let there = collection::Entity::find().one(a.space()).await.unwrap().unwrap();
    for (on, shelf, position) in [(&a, &there, 1), (&b, &shelf, 2)] {
        let file = entry_named(on, "0.txt").await;
        collection_entry::new(shelf, &file, position).insert(on.space()).await.unwrap();
        later().await;
    }
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM collection_entry").await, 2);
    assert_eq!(hidden(&a).await, [""; 0]);
    // The file goes, and its place in the collection with it.
    entry_named(&a, "1.txt").await.delete(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), query).await, ["0.txt2"]);
}

async fn tag_relation_and_its_closure(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    let animal = tag::new(new_id(), "animal").insert(a.space()).await.unwrap();
    let dog = tag::new(new_id(), "dog").insert(a.space()).await.unwrap();
    tag_relation::new(&animal, &dog).insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let puppy = tag::new(new_id(), "puppy").insert(b.space()).await.unwrap();
    let dog_there =
        tag::Entity::find().filter(tag::Column::Name.eq("dog")).one(b.space()).await.unwrap().unwrap();
    tag_relation::new(&dog_there, &puppy).insert(b.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let query =
        "SELECT p.name || '>' || c.name || t.depth FROM tag_closure t JOIN tag p ON p.id = t.ancestor_id
                 JOIN tag c ON c.id = t.descendant_id WHERE t.depth > 0 ORDER BY 1";
    let expected = ["animal>dog1", "animal>puppy2", "dog>puppy1"];
    assert_eq!(texts(a.space(), query).await, expected);
    assert_eq!(texts(b.space(), query).await, expected);
    run(a.space(), "DELETE FROM tag WHERE name = 'dog'").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), query).await, [""; 0]);
}

/// Its CHECK says that the tags differ, and neither has a local key yet when it is judged.
async fn relation_comes_with_both_its_tags(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    let old = tag::new(new_id(), "old").insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let tx = a.space().begin().await.unwrap();
    // An update beside the inserts, so that they do not go the quick way.
    tag::ActiveModel { name: Set("older".to_owned()), ..old.into_active_model() }.update(&tx).await.unwrap();
    let one = tag::new(new_id(), "one").insert(&tx).await.unwrap();
    let two = tag::new(new_id(), "two").insert(&tx).await.unwrap();
    tag_relation::new(&one, &two).insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM tag_relation").await, 1);
    assert_eq!(hidden(&b).await, [""; 0]);
}

async fn content_metadata_is_anyones(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    let content = content_identity::new(&[7; 32], 5).insert(a.space()).await.unwrap();
    user_metadata::of_content(new_id(), &content).insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE user_metadata SET notes = 'by b'").await;
    run(a.space(), "UPDATE user_metadata SET favourite = 1").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT notes || favourite FROM user_metadata").await, ["by b1"]);
}

async fn entry_metadata_is_its_owners(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    indexed(&a, 1).await;
    let file = entry_named(&a, "0.txt").await;
    let about = user_metadata::of_entry(new_id(), &file).insert(a.space()).await.unwrap();
    let tagged = tag::new(new_id(), "red").insert(b.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let theirs = user_metadata::Entity::find().one(b.space()).await.unwrap().unwrap();
    let mut edit = theirs.clone().into_active_model();
    edit.notes = Set(Some("by b".to_owned()));
    assert!(not_owner(&edit.update(b.space()).await.unwrap_err()));
    assert!(not_owner(&user_metadata_tag::new(&theirs, &tagged).insert(b.space()).await.unwrap_err()));
    let there = tag::Entity::find().one(a.space()).await.unwrap().unwrap();
    user_metadata_tag::new(&about, &there).insert(a.space()).await.unwrap();
    run(a.space(), "UPDATE user_metadata SET notes = 'by a'").await;
    converge(&[&a, &b]).await;
    let query = "SELECT m.notes || t.name FROM user_metadata_tag x JOIN tag t ON t.id = x.tag_id
                 JOIN user_metadata m ON m.id = x.user_metadata_id";
    assert_eq!(texts(b.space(), query).await, ["by ared"]);
}

async fn many_to_many_in_one_transaction_arrives_in_order(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    let tx = a.begin().await.unwrap();
    let tags = [
        tag::new(new_id(), "one").insert(&tx).await.unwrap(),
        tag::new(new_id(), "two").insert(&tx).await.unwrap(),
    ];
    let mut metadata = Vec::new();
    for n in 0..3_u8 {
        let content = content_identity::new(&[n; 32], 1).insert(&tx).await.unwrap();
        metadata.push(user_metadata::of_content(new_id(), &content).insert(&tx).await.unwrap());
    }
    for about in &metadata {
        for tag in &tags {
            user_metadata_tag::new(about, tag).insert(&tx).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM user_metadata_tag").await, 6);
    assert_eq!(hidden(&b).await, [""; 0]);
}

async fn indexing_goes_on_while_a_newcomer_catches_up(transport: Transport) {
    let a = Device::first("a", transport, Models::Library).await;
    let (place, _) = indexed(&a, 100).await;
    let insert = |from: i64, to: i64| {
        format!(
            "INSERT INTO entry (uuid, location_id, name, kind, size)
             SELECT randomblob(16), {}, 'bulk' || n, 0, n FROM
             (WITH RECURSIVE c(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM c WHERE n < {to}) SELECT n FROM c)",
            place.id
        )
    };
    run(a.space(), insert(1, 5000)).await;
    let b = Device::join("b", &a).await;
    heal(&[&a, &b]).await;
    for step in 5..15 {
        run(a.space(), insert(step * 1000 + 1, step * 1000 + 100)).await;
        run(a.space(), format!("UPDATE entry SET size = 999999 WHERE name = 'bulk{step}'")).await;
        run(a.space(), format!("DELETE FROM entry WHERE name = 'bulk{}'", step + 100)).await;
        tag::new(new_id(), format!("tag{step}")).insert(b.space()).await.unwrap();
    }
    converge(&[&a, &b]).await;
    assert_eq!(number(b.space(), "SELECT count(*) FROM entry").await, 101 + 5000 + 1000 - 10);
    assert_eq!(number(b.space(), "SELECT count(*) FROM entry WHERE size = 999999").await, 10);
    assert_eq!(closure(&a).await, closure(&b).await);
}

async fn same_content_indexed_twice_is_one_record(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    cut(&[&a, &b]).await;
    for on in [&a, &b] {
        indexed(on, 1).await;
        let content = content_identity::new(&[9; 32], 1).insert(on.space()).await.unwrap();
        let mut file = entry_named(on, "0.txt").await.into_active_model();
        file.content_id = Set(Some(content.id));
        file.update(on.space()).await.unwrap();
    }
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM content_identity").await, 1);
    assert_eq!(number(b.space(), "SELECT count(*) FROM entry WHERE content_id IS NOT NULL").await, 2);
}

/// Lesson 1: "fundamentally broken" deletes.
async fn deletes_of_every_model_stick(transport: Transport) {
    let (a, b) = pair_of(transport, Models::Library).await;
    indexed(&a, 2).await;
    let file = entry_named(&a, "0.txt").await;
    let content = content_identity::new(&[3; 32], 1).insert(a.space()).await.unwrap();
    let (one, two) = (
        tag::new(new_id(), "one").insert(a.space()).await.unwrap(),
        tag::new(new_id(), "two").insert(a.space()).await.unwrap(),
    );
    tag_relation::new(&one, &two).insert(a.space()).await.unwrap();
    let shelf = collection::new(new_id(), "shelf").insert(a.space()).await.unwrap();
    collection_entry::new(&shelf, &file, 0).insert(a.space()).await.unwrap();
    let about = user_metadata::of_content(new_id(), &content).insert(a.space()).await.unwrap();
    user_metadata_tag::new(&about, &one).insert(a.space()).await.unwrap();
    let own = user_metadata::of_entry(new_id(), &file).insert(a.space()).await.unwrap();
    user_metadata_tag::new(&own, &two).insert(a.space()).await.unwrap();
    converge(&[&a, &b]).await;
    let tables = [
        "user_metadata_tag",
        "user_metadata",
        "collection_entry",
        "collection",
        "tag_relation",
        "tag",
        "entry",
        "content_identity",
        "location",
        "device",
    ];
    for table in tables {
        assert!(number(b.space(), format!("SELECT count(*) FROM {table}")).await > 0, "{table}");
        run(a.space(), format!("DELETE FROM {table}")).await;
    }
    converge(&[&a, &b]).await;
    let (a, b) = (a.restart().await, b.restart().await);
    heal(&[&a, &b]).await;
    let c = Device::join("c", &b).await;
    heal(&[&b, &c]).await;
    converge(&[&a, &b, &c]).await;
    for table in tables {
        assert_eq!(number(c.space(), format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(closure(&c).await, [""; 0]);
}
