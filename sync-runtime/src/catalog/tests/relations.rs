//! Mistakes between models: foreign keys, owner paths, derived ids.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use sea_orm::{ColumnType, sea_query::ForeignKeyAction};

use super::support::{entity, keyed, merge, mistakes, shared, skip};
use crate::registration::{Identity, MergeKind, Regime, Registration};

const FAMILY: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, code TEXT NOT NULL UNIQUE);
    CREATE TABLE pair (a INT NOT NULL, b INT NOT NULL, uuid BLOB NOT NULL UNIQUE, PRIMARY KEY (a, b));
    CREATE TABLE local (id INTEGER PRIMARY KEY);
    CREATE TABLE note (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE";

fn family(note: Registration) -> Vec<Registration> {
    vec![
        shared(|| keyed("parent").text("code").unique(&["code"]).done()),
        shared(|| {
            let pair = entity("pair").integer("a").integer("b").key(&["a", "b"]);
            pair.column("uuid", ColumnType::Uuid).done()
        }),
        note,
    ]
}

async fn in_family(columns: &str, note: Registration) -> Vec<String> {
    let found = mistakes(&format!("{FAMILY}{columns}"), family(note)).await;
    let head = "model \"note\" (model.rs:7): ";
    found.iter().map(|text| text.strip_prefix(head).expect("model and place").to_owned()).collect()
}

#[tokio::test]
async fn foreign_keys_of_entity_and_table_must_agree() {
    let found = in_family(
        ", a INTEGER REFERENCES parent, b INTEGER, c INTEGER REFERENCES local, d INTEGER REFERENCES local,
         e INTEGER REFERENCES parent ON DELETE CASCADE)",
        Registration {
            fields: const { &[skip("d")] },
            ..shared(|| {
                let columns = ["a", "b", "c", "d", "e"];
                let note = columns.iter().fold(keyed("note"), |e, c| e.nullable(c, ColumnType::BigInteger));
                let set_null = Some(ForeignKeyAction::SetNull);
                note.refers("b", "parent")
                    .refers("c", "local")
                    .relation(&["e"], "parent", &["id"], set_null)
                    .done()
            })
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "the relation of column \"e\" to \"parent\" says ON DELETE SET NULL and the database CASCADE; change one of them",
            "column \"c\" refers to table \"local\", which does not sync; make that table's model Syncable, or mark the field \
             #[sync(skip)]",
            "column \"a\" refers to table \"parent\" in the database but the entity has no such relation; add a belongs_to \
             relation, or drop the foreign key",
            "column \"b\" has a relation to table \"parent\" but the database has no such foreign key, so its local keys could \
             not be translated; add the foreign key, or mark the field #[sync(skip)]",
        ]
    );
}

#[tokio::test]
async fn foreign_keys_refer_to_one_key_or_record_id() {
    let found = in_family(
        ", a INT NOT NULL, b INT NOT NULL, code TEXT NOT NULL REFERENCES parent (code), uid BLOB REFERENCES parent (uuid),
         FOREIGN KEY (a, b) REFERENCES pair (a, b))",
        shared(|| {
            let note = keyed("note").integer("a").integer("b").text("code").nullable("uid", ColumnType::Uuid);
            let note = note.relation(&["a", "b"], "pair", &["a", "b"], None);
            note.refers("code", "parent").relation(&["uid"], "parent", &["uuid"], None).done()
        }),
    )
    .await;
    assert_eq!(
        found,
        [
            "the foreign key over columns \"a\", \"b\" to table \"pair\" has several columns, which cannot sync; refer to a \
             key of one column",
            "column \"code\" refers to column \"code\" of table \"parent\", which is neither its primary key nor its record \
             id; refer to one of these",
        ]
    );
}

#[tokio::test]
async fn actions_of_foreign_keys_must_be_possible() {
    let found = in_family(
        ", a INTEGER NOT NULL REFERENCES parent ON DELETE SET NULL, b INTEGER REFERENCES parent ON UPDATE SET NULL,
         c INTEGER REFERENCES parent REFERENCES pair)",
        shared(|| {
            let note = keyed("note").integer("a").nullable("b", ColumnType::BigInteger);
            let note = note.nullable("c", ColumnType::BigInteger).refers("a", "parent").refers("b", "parent");
            note.refers("c", "parent").refers("c", "pair").done()
        }),
    )
    .await;
    assert_eq!(
        found,
        [
            "column \"c\" refers to the key of table \"pair\", which is neither its primary key nor its record id; refer to \
             one of these",
            "the foreign key of column \"b\" says ON UPDATE SET NULL, which would change rows when a key moves; use CASCADE or \
             NO ACTION",
            "column \"a\" is NOT NULL and its foreign key says ON DELETE SET NULL; allow NULL, or use CASCADE or RESTRICT",
        ]
    );
}

#[tokio::test]
async fn not_null_cycles_are_refused() {
    let schema = "
        CREATE TABLE a (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, b_id INTEGER NOT NULL REFERENCES b);
        CREATE TABLE b (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, c_id INTEGER NOT NULL REFERENCES c);
        CREATE TABLE c (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, b_id INTEGER NOT NULL REFERENCES b);";
    let found = mistakes(
        schema,
        vec![
            shared(|| keyed("a").integer("b_id").refers("b_id", "b").done()),
            shared(|| keyed("b").integer("c_id").refers("c_id", "c").done()),
            shared(|| keyed("c").integer("b_id").refers("b_id", "b").done()),
        ],
    )
    .await;
    assert_eq!(
        found,
        [
            "model \"b\" (model.rs:7): the NOT NULL references \"b\" -> \"c\" -> \"b\" form a cycle, so no row of it could come \
          first; make one of them nullable"
        ]
    );
}

#[tokio::test]
async fn owner_paths_lead_to_a_device() {
    let columns =
        ", a INTEGER REFERENCES parent ON DELETE SET NULL, name TEXT NOT NULL, other BLOB NOT NULL)";
    let note = |regime| Registration {
        regime,
        ..shared(|| {
            let note = keyed("note").nullable("a", ColumnType::BigInteger).text("name");
            note.column("other", ColumnType::Uuid).refers("a", "parent").done()
        })
    };
    for (owner, expected) in [
        (&[][..], "the owner path \"\" is empty; name the column that leads to the device"),
        (
            &["x"][..],
            "the owner path \"x\" does not resolve: \"note\" has no synced column \"x\"; correct it",
        ),
        (
            &["id"][..],
            "the owner path \"id\" does not resolve: \"note\" has no synced column \"id\"; correct it",
        ),
        (
            &["a"][..],
            "the owner path \"a\" ends at \"parent\", which is not a device; go on to the column of \"parent\" that leads to \
             one",
        ),
        (
            &["a", "uuid"][..],
            "the owner path \"a.uuid\" ends at the record id of \"parent\", which is not a device; correct it",
        ),
        (
            &["a", "code"][..],
            "the owner path \"a.code\" ends at column \"code\" of \"parent\", which holds no device id; make it Uuid or refer \
             to the device's row",
        ),
        (
            &["other", "uuid"][..],
            "the owner path \"other.uuid\" does not resolve: column \"other\" of \"note\" is no reference; add its foreign \
             key, or end the path there",
        ),
    ] {
        assert_eq!(in_family(columns, note(Regime::DeviceOwned { owner })).await, [expected]);
        assert_eq!(in_family(columns, note(Regime::Hybrid { owner })).await, [expected]);
    }
}

#[tokio::test]
async fn owner_columns_do_not_become_null() {
    let schema = "
        CREATE TABLE device (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE);
        CREATE TABLE note (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE,
            device_id INTEGER REFERENCES device ON DELETE SET NULL);";
    let found = mistakes(
        schema,
        vec![
            Registration {
                regime: Regime::DeviceOwned { owner: &["uuid"] },
                ..shared(|| keyed("device").done())
            },
            Registration {
                regime: Regime::Hybrid { owner: &["device_id"] },
                ..shared(|| {
                    let note = keyed("note").nullable("device_id", ColumnType::BigInteger);
                    note.refers("device_id", "device").done()
                })
            },
        ],
    )
    .await;
    assert_eq!(
        found,
        [
            "model \"note\" (model.rs:7): column \"device_id\" leads to the owner and must not change, but its foreign key says ON \
          DELETE SET NULL; use CASCADE or RESTRICT"
        ]
    );
}

#[tokio::test]
async fn derived_ids_come_from_fields() {
    let columns = ", a INTEGER REFERENCES parent, name TEXT NOT NULL, n INTEGER NOT NULL, here TEXT)";
    let note = |identity| Registration {
        identity,
        fields: const { &[skip("here"), merge("n", MergeKind::Counter)] },
        ..shared(|| {
            let note = keyed("note").nullable("a", ColumnType::BigInteger).text("name").integer("n");
            note.nullable("here", ColumnType::Text).refers("a", "parent").done()
        })
    };
    assert_eq!(
        in_family(columns, note(Identity::Parents(&["a", "name"]))).await,
        [
            "identity names \"a\", a nullable reference, and the record id would change with what it refers to; make the \
             column NOT NULL",
            "identity names \"name\", which refers to no synced model; use natural_key",
        ]
    );
    assert_eq!(
        in_family(columns, note(Identity::NaturalKey(&["here", "id", "n"]))).await,
        [
            "natural_key names \"here\", which is not a field that syncs; name one that is",
            "natural_key names \"id\", which is not a field that syncs; name one that is",
            "natural_key names \"n\", which has a merge kind; remove it",
        ]
    );
    assert_eq!(
        in_family(columns, note(Identity::NaturalKey(&[]))).await,
        ["natural_key names no column; name those that make the record id"]
    );
}
