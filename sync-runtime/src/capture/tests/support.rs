//! Three models of different keys, and their notes and old rows as text.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use sea_orm::{ColumnType, ConnectionTrait, DatabaseConnection, Statement};

use crate::{
    capture::install::{Installed, install},
    catalog::{
        Catalog,
        tests::support::{TestDatabase, entity, keyed, leak, merge, shared, skip},
    },
    registration::{EntityMeta, MergeKind, Regime, Registration},
};

pub(crate) const SCHEMA: &str = "
    CREATE TABLE tag (
        id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, name TEXT NOT NULL COLLATE NOCASE UNIQUE,
        parent_id INTEGER REFERENCES tag (id) ON DELETE SET NULL ON UPDATE CASCADE, free, thumbnail BLOB);
    CREATE TABLE item (uuid BLOB PRIMARY KEY NOT NULL, title TEXT, uses INTEGER NOT NULL DEFAULT 0);
    CREATE UNIQUE INDEX item_title ON item (lower(title)) WHERE title <> '';
    CREATE TABLE link (
        tag_id INTEGER NOT NULL REFERENCES tag (id) ON DELETE CASCADE ON UPDATE CASCADE,
        item_id BLOB NOT NULL REFERENCES item (uuid) ON DELETE CASCADE,
        uuid BLOB NOT NULL UNIQUE, note TEXT, PRIMARY KEY (tag_id, item_id)) WITHOUT ROWID;
    CREATE TABLE device (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, name TEXT);";

fn tag() -> EntityMeta {
    let blob = || ColumnType::VarBinary(sea_orm::sea_query::StringLen::None);
    keyed("tag")
        .text("name")
        .nullable("parent_id", ColumnType::BigInteger)
        .nullable("free", blob())
        .nullable("thumbnail", blob())
        .unique(&["name"])
        .refers("parent_id", "tag")
        .done()
}

fn item() -> EntityMeta {
    let item = entity("item").column("uuid", ColumnType::Uuid).key(&["uuid"]);
    item.nullable("title", ColumnType::Text).integer("uses").done()
}

fn link() -> EntityMeta {
    entity("link")
        .integer("tag_id")
        .column("item_id", ColumnType::Uuid)
        .key(&["tag_id", "item_id"])
        .column("uuid", ColumnType::Uuid)
        .nullable("note", ColumnType::Text)
        .refers("tag_id", "tag")
        .relation(&["item_id"], "item", &["uuid"], None)
        .done()
}

fn device() -> EntityMeta {
    keyed("device").nullable("name", ColumnType::Text).done()
}

pub(crate) fn registrations() -> Vec<&'static Registration> {
    vec![
        leak(Registration { fields: const { &[skip("thumbnail")] }, ..shared(tag) }),
        leak(Registration { fields: const { &[merge("uses", MergeKind::Counter)] }, ..shared(item) }),
        leak(shared(link)),
        leak(Registration { regime: Regime::DeviceOwned { owner: &["uuid"] }, ..shared(device) }),
    ]
}

/// A database of the three models with their triggers.
pub(crate) struct Captured {
    pub(crate) database: TestDatabase,
    pub(crate) catalog: Catalog,
    pub(crate) installed: Installed,
}

impl Captured {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::with(SCHEMA).await;
        let catalog = database.freeze(&registrations()).await.unwrap();
        let installed = install(&database.db, &catalog).await.unwrap();
        Self { database, catalog, installed }
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.database.run(sql).await;
    }

    /// The notes, and what was kept, since the last call.
    pub(crate) async fn take(&self) -> (Vec<String>, Vec<String>) {
        let taken = (notes(&self.database.db).await, kept(&self.database.db, &self.catalog).await);
        self.run("DELETE FROM _sync_pending; DELETE FROM _sync_i_tag; DELETE FROM _sync_i_item; DELETE FROM _sync_i_link")
            .await;
        taken
    }
}

/// `model t key [r] [words]` of each note, values as SQL.
pub(crate) async fn notes(db: &DatabaseConnection) -> Vec<String> {
    let sql = "SELECT (SELECT name FROM _sync_model d WHERE d.m = p.m) || ' '
        || CASE t WHEN 1 THEN 'insert' WHEN 2 THEN 'update' WHEN 3 THEN 'delete' WHEN 4 THEN 'replaced' ELSE 'moved' END
        || ' ' || quote(k0) || iif(k1 IS NULL, '', ',' || quote(k1)) || iif(k2 IS NULL, '', ' ?') || iif(k3 IS NULL, '', ' ?')
        || iif(r IS NULL, '', ' was ' || quote(r))
        || iif(w0 IS NULL, '', ' bits ' || w0) || iif(w1 IS NULL AND w2 IS NULL AND w3 IS NULL, '', ' ?') AS note
        FROM _sync_pending p ORDER BY n";
    texts(db, sql).await
}

async fn kept(db: &DatabaseConnection, catalog: &Catalog) -> Vec<String> {
    let mut out = Vec::new();
    for (table, columns) in [
        ("tag", "k0, uuid, name, parent_id, free"),
        ("item", "k0, uuid, title, uses"),
        ("link", "k0, k1, uuid, tag_id, item_id, note"),
    ] {
        assert!(catalog.named(table).unwrap().may_be_shared());
        let quoted: Vec<_> = columns.split(", ").map(|column| format!("quote({column})")).collect();
        let sql =
            format!("SELECT '{table} ' || {} FROM _sync_i_{table} ORDER BY k0", quoted.join(" || ',' || "));
        out.extend(texts(db, &sql).await);
    }
    out
}

pub(crate) async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}
