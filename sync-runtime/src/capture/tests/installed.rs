//! What installing finds, rebuilds and leaves alone.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use sea_orm::ColumnType;
use sync_core::value::MergeKind;

use super::support::{Captured, notes, texts};
use crate::{
    ErrorKind,
    capture::{
        install::{Installed, install, remove_triggers},
        triggers::{BITS, full_word, statements, words},
    },
    catalog::{
        Catalog, ModelIndex,
        tests::support::{TestDatabase, keyed, leak, shared},
    },
    registration::{Regime, Registration},
};

const OURS: &str =
    "SELECT sql FROM sqlite_master WHERE name GLOB '_sync_[tvi]_*' OR name GLOB '_sync_vs_*' ORDER BY name";

#[tokio::test]
async fn a_second_install_finds_nothing_to_do() {
    let captured = Captured::new().await;
    let all: Vec<_> = captured.catalog.models.iter().map(|model| model.index).collect();
    assert_eq!(captured.installed, Installed { created: all, rebuilt: vec![] });
    let before = texts(&captured.database.db, OURS).await;
    let again = install(&captured.database.db, &captured.catalog).await.expect("install");
    assert_eq!(again, Installed::default());
    assert_eq!(texts(&captured.database.db, OURS).await, before);
    let mut expected: Vec<String> =
        captured.catalog.models.iter().flat_map(|model| statements(&captured.catalog, model.index)).collect();
    let mut found = before;
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "SQLite keeps the statements as they were given");
}

#[tokio::test]
async fn a_missing_trigger_is_reported_and_made_again() {
    let captured = Captured::new().await;
    let before = texts(&captured.database.db, OURS).await;
    captured.run("INSERT INTO tag (uuid, name) VALUES (x'A1', 'a')").await;
    captured.run("UPDATE tag SET name = 'b'").await;
    captured.run("DROP TRIGGER _sync_t_tag_4").await;
    let again = install(&captured.database.db, &captured.catalog).await.expect("install");
    let tag = captured.catalog.named("tag").expect("tag").index;
    assert_eq!(again, Installed { created: vec![], rebuilt: vec![tag] });
    assert_eq!(texts(&captured.database.db, OURS).await, before);
    // What the bits of notes under other triggers meant is not known.
    assert_eq!(notes(&captured.database.db).await, ["tag insert 1", "tag update 1 was X'A1' bits 7"]);
}

#[tokio::test]
async fn a_table_that_is_rebuilt_loses_its_triggers_and_gets_them_again() {
    let captured = Captured::new().await;
    captured
        .run(
            "CREATE TABLE new_device (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, name TEXT);
             INSERT INTO new_device SELECT * FROM device; DROP TABLE device; ALTER TABLE new_device RENAME TO device",
        )
        .await;
    let again = install(&captured.database.db, &captured.catalog).await.expect("install");
    let device = captured.catalog.named("device").expect("device").index;
    assert_eq!(again, Installed { created: vec![], rebuilt: vec![device] });
}

#[tokio::test]
async fn triggers_of_models_that_left_go_and_versions_stay() {
    let captured = Captured::new().await;
    captured.run("INSERT INTO _sync_v_link (k0, k1, o, s) VALUES (1, x'B1', 1, 1)").await;
    let mut fewer = Catalog::default();
    for model in captured.catalog.models.iter().filter(|model| model.table != "link") {
        fewer.models.push(Arc::clone(model));
    }
    let again = install(&captured.database.db, &fewer).await.expect("install");
    assert_eq!(again, Installed::default());
    let left = "SELECT name FROM sqlite_master WHERE name GLOB '_sync_*_link*' ORDER BY name";
    assert_eq!(texts(&captured.database.db, left).await, ["_sync_i_link", "_sync_v_link", "_sync_vs_link"]);
    assert_eq!(texts(&captured.database.db, "SELECT quote(k1) FROM _sync_v_link").await, ["X'B1'"]);
    remove_triggers(&captured.database.db).await.expect("remove");
    assert!(
        texts(&captured.database.db, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn new_fields_and_hybrid_rows_get_their_columns() {
    let captured = Captured::new().await;
    captured.run("INSERT INTO device (uuid) VALUES (x'D1')").await;
    let mut catalog = captured.catalog.clone();
    let place = catalog.named("device").expect("device").index;
    let mut device = catalog.model(place).expect("device").as_ref().clone();
    if let crate::catalog::Ownership::Device { otherwise_shared, .. } = &mut device.regime {
        *otherwise_shared = true;
    }
    device.fields.iter_mut().for_each(|field| field.merge = MergeKind::Max);
    *catalog.models.get_mut(place.0).expect("device") = Arc::new(device);
    let again = install(&captured.database.db, &catalog).await.expect("install");
    assert_eq!(again, Installed { created: vec![], rebuilt: vec![place] });
    let columns = "SELECT group_concat(name) FROM pragma_table_info('_sync_v_device')";
    assert_eq!(texts(&captured.database.db, columns).await, ["k0,o,s,h,x,w"]);
    captured.run("ALTER TABLE device ADD COLUMN colour TEXT; UPDATE device SET name = 'n'").await;
    let kept = "SELECT group_concat(name) FROM pragma_table_info('_sync_i_device')";
    assert_eq!(texts(&captured.database.db, kept).await, ["k0,name,uuid"]);
    let mut wider = catalog.model(place).expect("device").as_ref().clone();
    let mut colour = wider.fields.first().expect("name").clone();
    colour.column = "colour".to_owned();
    wider.fields.push(colour);
    *catalog.models.get_mut(place.0).expect("device") = Arc::new(wider);
    install(&captured.database.db, &catalog).await.expect("install");
    assert_eq!(texts(&captured.database.db, kept).await, ["k0,name,uuid,colour"]);
    assert_eq!(install(&captured.database.db, &catalog).await.expect("install"), Installed::default());
}

#[tokio::test]
async fn another_primary_key_is_refused() {
    let captured = Captured::new().await;
    captured
        .run("DROP TABLE _sync_v_tag; CREATE TABLE _sync_v_tag (k0, k1, o, s, h, x, PRIMARY KEY (k0, k1))")
        .await;
    let error = install(&captured.database.db, &captured.catalog).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(
        error.to_string(),
        "install: the primary key of table \"tag\" had 2 column(s) when it was first synced and has 1 now; the versions of \
         its rows are kept by primary key, so give it its former key again"
    );
}

#[tokio::test]
async fn wide_models_use_several_words() {
    let mut schema = "CREATE TABLE wide (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE".to_owned();
    for n in 0..130 {
        schema.push_str(&format!(", c{n} INTEGER"));
    }
    let database = TestDatabase::with(&(schema + ")")).await;
    let registration = leak(Registration {
        regime: Regime::Shared,
        ..shared(|| {
            let all =
                (0..130).fold(keyed("wide"), |e, n| e.nullable(&format!("c{n}"), ColumnType::BigInteger));
            all.done()
        })
    });
    let catalog = database.freeze(&[registration]).await.expect("freeze");
    let model = catalog.model(ModelIndex(0)).expect("wide");
    assert_eq!((words(model), BITS), (3, 62));
    assert_eq!(
        [0, 1, 2, 3].map(|word| full_word(model, word)),
        [(1 << 62) - 1, (1 << 62) - 1, (1 << 6) - 1, 0]
    );
    install(&database.db, &catalog).await.expect("install");
    database.run("INSERT INTO wide (uuid) VALUES (x'A1'); DELETE FROM _sync_pending").await;
    database
        .run("UPDATE wide SET c0 = 1, c61 = 1, c62 = 1, c124 = 1, c129 = 1; UPDATE wide SET id = 3")
        .await;
    let found = texts(
        &database.db,
        "SELECT w0 || ' ' || w1 || ' ' || w2 || ' ' || ifnull(w3, '-') FROM _sync_pending WHERE t = 2",
    )
    .await;
    let (first, full) = ((1_i64 << 61) + 1, (1_i64 << 62) - 1);
    assert_eq!(found, [format!("{first} 1 33 -"), format!("{full} {full} 63 -")]);
}
