//! Mistakes of a model on its own, and that all are reported at once, each with its place and what to do.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use sea_orm::ColumnType;

use super::support::{Entity, entity, group, keyed, merge, mistakes, shared, skip};
use crate::registration::{FieldRule, MergeKind, Regime, Registration, Source};

/// The table of most cases.
const NOTE: &str = "CREATE TABLE note (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE";

/// The mistakes of model `note` with further columns, without their common beginning.
async fn in_note(columns: &str, registration: Registration) -> Vec<String> {
    let found = mistakes(&format!("{NOTE}{columns}"), vec![registration]).await;
    found
        .into_iter()
        .map(|text| text.strip_prefix("model \"note\" (model.rs:7): ").expect("model and place").to_owned())
        .collect()
}

#[tokio::test]
async fn all_mistakes_are_reported_at_once() {
    let elsewhere = Source { module: "app::other", file: "other.rs", line: 12 };
    let found = mistakes(
        &format!("{NOTE}, name TEXT UNIQUE)"),
        vec![
            shared(|| keyed("note").text("name").done()),
            Registration { source: elsewhere, ..shared(|| keyed("lost").done()) },
            Registration { source: elsewhere, name: Some("note"), ..shared(|| keyed("other").done()) },
            Registration { name: Some("again"), ..shared(|| keyed("NOTE").done()) },
            shared(|| keyed("_sync_log").done()),
        ],
    )
    .await;
    assert_eq!(
        found,
        [
            "model \"note\" (other.rs:12): the name is taken by app::model (model.rs:7); give one of them another with \
             #[sync(name = \"…\")]",
            "model \"again\" (model.rs:7): table \"NOTE\" is synced by app::model (model.rs:7) already; remove \
             #[derive(Syncable)] from one of them",
            "model \"_sync_log\" (model.rs:7): table \"_sync_log\": names that begin with _sync_ are the framework's; \
             rename it",
            "model \"lost\" (other.rs:12): table \"lost\" is not in the database; make it in a migration, or remove the \
             model",
            "model \"note\" (other.rs:12): table \"other\" is not in the database; make it in a migration, or remove the \
             model",
            "model \"note\" (model.rs:7): column \"name\" is nullable in table \"note\" and not Option in the entity; \
             change one of them",
            "model \"note\" (model.rs:7): table \"note\" has UNIQUE(name) but the model declares none; add \
             #[sea_orm(unique)] or drop the index",
        ]
    );
}

#[tokio::test]
async fn views_and_virtual_tables_do_not_sync() {
    let schema =
        "CREATE VIEW note AS SELECT 1 AS id, x'' AS uuid; CREATE VIRTUAL TABLE found USING fts5(id, uuid);";
    let found =
        mistakes(schema, vec![shared(|| keyed("note").done()), shared(|| keyed("found").done())]).await;
    assert_eq!(
        found,
        [
            "model \"note\" (model.rs:7): table \"note\" is a view; only tables sync",
            "model \"found\" (model.rs:7): table \"found\" is a virtual table; only ordinary tables sync",
        ]
    );
}

#[tokio::test]
async fn columns_of_entity_and_table_must_agree() {
    let found = in_note(
        ", extra TEXT, may TEXT, must TEXT NOT NULL, here TEXT NOT NULL, sum AS (id + 1))",
        Registration {
            fields: const { &[skip("here"), merge("typo", MergeKind::Max)] },
            ..shared(|| {
                let note = keyed("note").text("missing").text("may").nullable("must", ColumnType::Text);
                note.text("here").integer("sum").done()
            })
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "column \"missing\" is not in table \"note\"; add it in a migration, or remove the field",
            "column \"may\" is nullable in table \"note\" and not Option in the entity; change one of them",
            "column \"must\" is NOT NULL in table \"note\" and Option in the entity; change one of them",
            "column \"here\" is NOT NULL without a default and does not sync, so rows from other devices could not be \
             inserted; give it a DEFAULT, allow NULL, or remove #[sync(skip)]",
            "column \"extra\" of table \"note\" is not in the entity, so it would not sync; add the field, with \
             #[sync(skip)] if it is to stay on this device, or drop the column",
            "#[sync] names column \"typo\", which the entity lacks; correct the name",
        ]
    );
}

#[tokio::test]
async fn types_that_cannot_sync_are_refused() {
    let found = in_note(
        ", price real(10, 2) NOT NULL, exact TEXT NOT NULL, tags NOT NULL, mood TEXT NOT NULL, net TEXT NOT NULL, own BLOB \
         NOT NULL)",
        Registration {
            fields: const { &[skip("nothing")] },
            ..shared(|| {
                let text = sea_orm::sea_query::RcOrArc::new(ColumnType::Text);
                keyed("note")
                    .column("price", ColumnType::Decimal(Some((10, 2))))
                    .column("exact", ColumnType::Decimal(None))
                    .column("tags", ColumnType::Array(text))
                    .column("mood", ColumnType::Enum { name: "mood".into(), variants: vec![] })
                    .column("net", ColumnType::Inet)
                    .column("own", ColumnType::custom("own"))
                    .done()
            })
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "#[sync] names column \"nothing\", which the entity lacks; correct the name",
            "column \"price\" is a decimal that the database keeps as a float, which loses digits; make the column TEXT, or \
             mark the field #[sync(skip)]",
            "column \"tags\" is an array, which cannot sync; use JSON, or mark the field #[sync(skip)]",
            "column \"mood\" is a native enum, which cannot sync; use an active enum over String or an integer, or mark the \
             field #[sync(skip)]",
            "column \"net\" is of a type that SQLite lacks; use text or bytes, or mark the field #[sync(skip)]",
        ]
    );
}

#[tokio::test]
async fn the_record_id_is_unique_bytes() {
    let wrong = "the record id column \"uuid\" must hold 16 bytes; make it Uuid, in a strict table BLOB";
    let free = "the record id column \"uuid\" has no UNIQUE index in table \"note\"; add one in a migration";
    let as_text = || shared(|| entity("note").integer("id").key(&["id"]).text("uuid").done());
    for (schema, registration, expected) in [
        ("(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE)", as_text(), vec![wrong]),
        (
            "(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE) STRICT",
            shared(|| keyed("note").done()),
            vec![wrong],
        ),
        ("(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL)", shared(|| keyed("note").done()), vec![free]),
        (
            "(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL); CREATE UNIQUE INDEX i ON note (uuid) WHERE id > 5",
            shared(|| keyed("note").done()),
            vec![free],
        ),
        (
            "(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE)",
            Registration { id: "guid", ..shared(|| keyed("note").done()) },
            vec!["the record id column \"guid\" is not in the entity; correct its name"],
        ),
    ] {
        let found = mistakes(&format!("CREATE TABLE note {schema}"), vec![registration]).await;
        let head = "model \"note\" (model.rs:7): ";
        let found: Vec<_> = found.iter().filter_map(|text| text.strip_prefix(head)).collect();
        // The UNIQUE on what is not the record id is a mistake of its own.
        let found: Vec<_> = found.into_iter().filter(|text| !text.contains("UNIQUE(uuid)")).collect();
        assert_eq!(found, expected, "{schema}");
    }
}

#[tokio::test]
async fn primary_keys_are_of_one_to_four_columns_that_sync() {
    let schema = "
        CREATE TABLE note (a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, d INT NOT NULL, e INT,
            uuid BLOB NOT NULL UNIQUE, PRIMARY KEY (a, b, c, d, e));
        CREATE TABLE bare (uuid BLOB NOT NULL UNIQUE, k1 TEXT);";
    let note = Registration {
        fields: const { &[skip("a")] },
        ..shared(|| {
            let note = ["a", "b", "c", "d"].into_iter().fold(entity("note"), Entity::integer);
            note.integer("e").column("uuid", ColumnType::Uuid).key(&["a"]).done()
        })
    };
    let bare =
        shared(|| entity("bare").column("uuid", ColumnType::Uuid).nullable("k1", ColumnType::Text).done());
    assert_eq!(
        mistakes(schema, vec![note, bare]).await,
        [
            "model \"note\" (model.rs:7): column \"a\" is NOT NULL without a default and does not sync, so rows from other \
             devices could not be inserted; give it a DEFAULT, allow NULL, or remove #[sync(skip)]",
            "model \"bare\" (model.rs:7): table \"bare\" has no primary key; declare one",
            "model \"bare\" (model.rs:7): column \"k1\": k0 to k3 are the framework's own names for key columns; rename the \
             column or mark the field #[sync(skip)]",
            "model \"note\" (model.rs:7): the primary key has 5 columns and at most 4 sync; use an integer key and a UNIQUE \
             index",
            "model \"note\" (model.rs:7): the primary key is (a) in the entity and (a, b, c, d, e) in table \"note\"; change \
             one of them",
            "model \"note\" (model.rs:7): column \"a\" is in the primary key and must sync; remove #[sync(skip)]",
            "model \"note\" (model.rs:7): column \"e\" is in the primary key and SQLite lets it be NULL; declare it NOT NULL",
        ]
    );
}

#[tokio::test]
async fn at_most_248_fields_sync() {
    let columns: Vec<_> = (0..249).map(|n| format!("c{n} INTEGER")).collect();
    let found = in_note(
        &format!(", {})", columns.join(", ")),
        shared(|| {
            (0..249).fold(keyed("note"), |e, n| e.nullable(&format!("c{n}"), ColumnType::Integer)).done()
        }),
    )
    .await;
    assert_eq!(found, ["it has 249 fields and at most 248 sync; mark some #[sync(skip)] or split the table"]);
}

#[tokio::test]
async fn uniques_of_entity_and_table_must_agree() {
    let found = in_note(
        ", a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL, d TEXT, UNIQUE (a, b), UNIQUE (c, d));
         CREATE UNIQUE INDEX partial ON note (a) WHERE b <> ''; CREATE UNIQUE INDEX lowered ON note (lower(a))",
        Registration {
            fields: const { &[skip("d")] },
            ..shared(|| {
                let note = keyed("note").text("a").text("b").text("c").nullable("d", ColumnType::Text);
                note.unique(&["c", "d"]).unique(&["b", "c"]).unique(&["uuid"]).unique(&["id"]).done()
            })
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "table \"note\" has UNIQUE(a, b) but the model declares none; add #[sea_orm(unique_key = \"…\")] or drop the index",
            "the model declares UNIQUE(b, c) but table \"note\" has none; add the index in a migration, or remove the attribute",
            "index \"sqlite_autoindex_note_3\" of table \"note\" is UNIQUE over column \"d\", which does not sync, so devices \
             could not agree on who has a value; remove #[sync(skip)] or the column from the index",
        ]
    );
}

#[tokio::test]
async fn conflict_clauses_in_the_schema_are_refused() {
    let found = in_note(
        ", a TEXT NOT NULL ON CONFLICT IGNORE, b TEXT NOT NULL, UNIQUE (a) ON CONFLICT REPLACE, UNIQUE (b) ON CONFLICT ABORT)",
        shared(|| keyed("note").text("a").text("b").unique(&["a"]).unique(&["b"]).done()),
    )
    .await;
    let text = |action: &str| {
        format!(
            "table \"note\" has a constraint with ON CONFLICT {action}, which would decide other than merge does; remove the \
             clause and say INSERT OR {action} where it is wanted"
        )
    };
    assert_eq!(found, [text("IGNORE"), text("REPLACE")]);
}

#[tokio::test]
async fn checks_over_fields_that_change_apart_ask_for_a_group() {
    let found = in_note(
        ", low INTEGER NOT NULL, high INTEGER NOT NULL, x REAL, y REAL, here TEXT, \
         CHECK (low <= high), CHECK (x IS NULL = (y IS NULL)), CHECK (here <> '' OR low > 0), CHECK (high > 0))",
        Registration {
            fields: const { &[group("x", "place"), group("y", "place"), skip("here")] },
            ..shared(|| {
                let note = keyed("note").integer("low").integer("high").nullable("x", ColumnType::Double);
                note.nullable("y", ColumnType::Double).nullable("here", ColumnType::Text).done()
            })
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "CHECK (low <= high) of table \"note\" is about columns \"low\", \"high\", of which concurrent writes could each \
             win one; put them in one group with #[sync(group = \"…\")]",
            "CHECK (here <> '' OR low > 0) of table \"note\" is about column \"here\", which does not sync, so devices could \
             not agree whether it holds; remove #[sync(skip)] or the column from the CHECK",
        ]
    );
}

#[tokio::test]
async fn merge_kinds_need_columns_that_can_hold_them() {
    let rules = const {
        &[
            merge("real", MergeKind::Counter),
            merge("may", MergeKind::Counter),
            merge("float", MergeKind::Max),
            merge("number", MergeKind::Set),
            group("real", "unused"),
            merge("parent_id", MergeKind::Min),
        ]
    };
    let found = in_note(
        ", real REAL NOT NULL, may INTEGER, float DOUBLE, number INTEGER, parent_id INTEGER REFERENCES note)",
        Registration {
            fields: rules,
            ..shared(|| {
                let note =
                    keyed("note").column("real", ColumnType::Double).nullable("may", ColumnType::Integer);
                let note = note.nullable("float", ColumnType::Double).nullable("number", ColumnType::Integer);
                note.nullable("parent_id", ColumnType::BigInteger).refers("parent_id", "note").done()
            })
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "column \"real\" merges as a counter: the column must be an integer; change its type",
            "column \"may\" merges as a counter: NULL cannot be counted; make the column NOT NULL",
            "column \"float\" merges as a max: floats cannot; use an integer or text column, or remove the merge kind",
            "column \"number\" merges as a set: the column must be text or bytes; change its type",
            "column \"parent_id\" merges as a min: a reference cannot; remove the merge kind",
        ]
    );
}

#[tokio::test]
async fn groups_and_owned_rows_have_no_merge_kinds() {
    const RULE: FieldRule = FieldRule { group: Some("g"), ..merge("uses", MergeKind::Counter) };
    let found = in_note(
        ", uses INTEGER NOT NULL)",
        Registration {
            fields: &[RULE],
            regime: Regime::DeviceOwned { owner: &["uuid"] },
            ..shared(|| keyed("note").integer("uses").done())
        },
    )
    .await;
    assert_eq!(
        found,
        [
            "column \"uses\" merges as a counter: only the owner writes these rows, so there is nothing to merge; remove the \
             merge kind",
            "column \"uses\" is in group \"g\" and has a merge kind of its own; remove one of them",
        ]
    );
}
