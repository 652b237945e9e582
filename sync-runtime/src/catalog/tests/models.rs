//! Catalogs without mistakes: order, keys, references, owners, groups, constraints, numbers.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use sea_orm::ColumnType;

use super::support::{TestDatabase, entity, group, keyed, leak, merge, shared, skip};
use crate::{
    catalog::{
        Catalog, Conflict, Derivation, FieldIndex, Model, ModelIndex, OnDelete, OwnerStep, Ownership,
        Reference,
    },
    registration::{Identity, MergeKind, Regime, Registration},
};

/// Names stand against the order, so that it cannot come out right by chance.
const SCHEMA: &str = "
    CREATE TABLE zdevice (id INTEGER PRIMARY KEY, uuid uuid_text NOT NULL UNIQUE);
    CREATE TABLE location (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE,
        device_id INTEGER NOT NULL REFERENCES zdevice ON DELETE CASCADE, root_id INTEGER REFERENCES entry);
    CREATE TABLE entry (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE,
        location_id INTEGER NOT NULL REFERENCES location (id) ON DELETE CASCADE,
        parent_id INTEGER REFERENCES entry ON DELETE SET NULL, name TEXT NOT NULL COLLATE NOCASE,
        UNIQUE (parent_id, name));
    CREATE UNIQUE INDEX entry_root ON entry (location_id, name COLLATE BINARY) WHERE parent_id IS NULL;
    CREATE TABLE about (entry_id INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE, uuid BLOB UNIQUE,
        x REAL, y REAL, free, stars TINYINT NOT NULL DEFAULT 0, cached TEXT,
        place TEXT AS (x || ',' || y), CHECK (x IS NULL = (y IS NULL)), CHECK (stars BETWEEN 0 AND 5));
    CREATE UNIQUE INDEX about_place ON about (place);
    CREATE TABLE tag (uuid BLOB PRIMARY KEY NOT NULL, slug TEXT NOT NULL UNIQUE) WITHOUT ROWID;
    CREATE TABLE atagged (entry_id INTEGER NOT NULL REFERENCES entry ON DELETE RESTRICT, tag_id BLOB NOT NULL REFERENCES tag,
        uuid BLOB NOT NULL UNIQUE, PRIMARY KEY (entry_id, tag_id), CHECK (entry_id > 0 OR tag_id <> ''));";

fn registrations() -> Vec<&'static Registration> {
    [
        Registration {
            regime: Regime::DeviceOwned { owner: &["uuid"] },
            ..shared(|| keyed("zdevice").done())
        },
        Registration {
            regime: Regime::DeviceOwned { owner: &["device_id"] },
            ..shared(|| {
                let location =
                    keyed("location").integer("device_id").nullable("root_id", ColumnType::BigInteger);
                location.refers("device_id", "zdevice").refers("root_id", "entry").done()
            })
        },
        Registration {
            regime: Regime::DeviceOwned { owner: &["location_id", "device_id", "uuid"] },
            ..shared(|| {
                let entry =
                    keyed("entry").integer("location_id").nullable("parent_id", ColumnType::BigInteger);
                let entry = entry.text("name").unique(&["parent_id", "name"]);
                entry.refers("location_id", "location").refers("parent_id", "entry").done()
            })
        },
        Registration {
            regime: Regime::Hybrid { owner: &["entry_id", "location_id", "device_id"] },
            fields: const {
                &[group("x", "at"), group("y", "at"), merge("stars", MergeKind::Counter), skip("cached")]
            },
            ..shared(|| {
                let about =
                    entity("about").integer("entry_id").key(&["entry_id"]).nullable("uuid", ColumnType::Uuid);
                let about = about.nullable("x", ColumnType::Double).nullable("y", ColumnType::Double);
                let about = about.nullable("free", ColumnType::Blob).column("stars", ColumnType::TinyInteger);
                about.nullable("cached", ColumnType::Text).refers("entry_id", "entry").done()
            })
        },
        Registration {
            name: Some("label"),
            identity: Identity::NaturalKey(&["slug"]),
            ..shared(|| {
                let tag = entity("tag").column("uuid", ColumnType::Uuid).key(&["uuid"]);
                tag.text("slug").unique(&["slug"]).done()
            })
        },
        Registration {
            identity: Identity::Parents(&["entry_id", "tag_id"]),
            ..shared(|| {
                let tagged = entity("atagged").integer("entry_id").column("tag_id", ColumnType::Uuid);
                let tagged = tagged.key(&["entry_id", "tag_id"]).column("uuid", ColumnType::Uuid);
                tagged.refers("entry_id", "entry").relation(&["tag_id"], "tag", &["uuid"], None).done()
            })
        },
    ]
    .into_iter()
    .map(leak)
    .collect()
}

async fn library() -> (TestDatabase, Catalog) {
    let database = TestDatabase::with(SCHEMA).await;
    let catalog = database.freeze(&registrations()).await.expect("no mistakes");
    (database, catalog)
}

fn named<'c>(catalog: &'c Catalog, name: &str) -> &'c Model {
    catalog.named(name).expect(name)
}

fn field_names(model: &Model) -> Vec<&str> {
    model.fields.iter().map(|field| field.name.as_str()).collect()
}

#[tokio::test]
async fn parents_come_before_children_and_nullable_cycles_give_way() {
    let (_database, catalog) = library().await;
    let order: Vec<_> = catalog.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(order, ["label", "zdevice", "location", "entry", "about", "atagged"]);
    for (place, model) in catalog.models.iter().enumerate() {
        assert_eq!(model.index, ModelIndex(place));
        assert_eq!(catalog.by_name.get(model.name.as_str()), Some(&model.index));
        assert_eq!(catalog.by_table.get(&model.table), Some(&model.index));
    }
}

#[tokio::test]
async fn keys_and_ids_are_told_from_fields() {
    let (_database, catalog) = library().await;
    let shape = |name: &str| {
        let model = named(&catalog, name);
        let key: Vec<_> = model.key.iter().map(|key| (key.column.clone(), key.field.map(|f| f.0))).collect();
        (key, model.rowid_key, model.id.is_key, model.id.nullable, field_names(model).join(" "))
    };
    let key = |column: &str, field| (column.to_owned(), field);
    assert_eq!(
        shape("entry"),
        (vec![key("id", None)], true, false, false, "location_id parent_id name".to_owned())
    );
    assert_eq!(
        shape("about"),
        (vec![key("entry_id", Some(0))], true, false, true, "entry_id x y free stars".to_owned())
    );
    assert_eq!(shape("label"), (vec![key("uuid", None)], false, true, false, "slug".to_owned()));
    assert_eq!(
        shape("atagged"),
        (
            vec![key("entry_id", Some(0)), key("tag_id", Some(1))],
            false,
            false,
            false,
            "entry_id tag_id".to_owned()
        )
    );
    let about = named(&catalog, "about");
    let untyped: Vec<_> = about.fields.iter().filter(|f| f.untyped).map(|f| f.column.as_str()).collect();
    assert_eq!(untyped, ["free"]);
    assert_eq!(about.field_named("stars").map(|(_, f)| f.range), Some((-128, 127)));
}

#[tokio::test]
async fn references_know_their_targets_and_targets_their_referrers() {
    let (_database, catalog) = library().await;
    let reference =
        |model: &str, field: &str| named(&catalog, model).field_named(field).and_then(|(_, f)| f.reference);
    let to = |target: &str, by_id, on_delete| {
        Some(Reference { target: named(&catalog, target).index, by_id, on_delete })
    };
    assert_eq!(reference("location", "device_id"), to("zdevice", false, OnDelete::Cascade));
    assert_eq!(reference("location", "root_id"), to("entry", false, OnDelete::Restrict));
    assert_eq!(reference("entry", "parent_id"), to("entry", false, OnDelete::SetNull));
    assert_eq!(reference("about", "entry_id"), to("entry", false, OnDelete::Cascade));
    assert_eq!(reference("atagged", "entry_id"), to("entry", false, OnDelete::Restrict));
    assert_eq!(reference("atagged", "tag_id"), to("label", true, OnDelete::Restrict));
    let referrers = |name: &str| -> Vec<_> {
        let all = &named(&catalog, name).referrers;
        all.iter().map(|(m, f)| (catalog.model(*m).expect("model").name.as_str().to_owned(), f.0)).collect()
    };
    let by = |name: &str, field| (name.to_owned(), field);
    assert_eq!(referrers("entry"), [by("location", 1), by("entry", 1), by("about", 0), by("atagged", 0)]);
    assert_eq!(referrers("label"), [by("atagged", 1)]);
    assert_eq!(referrers("atagged"), []);
}

#[tokio::test]
async fn owner_paths_are_resolved_and_fixed() {
    let (_database, catalog) = library().await;
    let step = |model: &str, column: &str, field: Option<usize>, target: Option<&str>| OwnerStep {
        model: named(&catalog, model).index,
        column: column.to_owned(),
        field: field.map(FieldIndex),
        target: target.map(|target| named(&catalog, target).index),
    };
    let location = step("location", "device_id", Some(0), Some("zdevice"));
    let entry = step("entry", "location_id", Some(0), Some("location"));
    let about = step("about", "entry_id", Some(0), Some("entry"));
    let device = step("zdevice", "uuid", None, None);
    let owned = |path, otherwise_shared| Ownership::Device { path, otherwise_shared };
    assert_eq!(named(&catalog, "zdevice").regime, owned(vec![device.clone()], false));
    assert_eq!(named(&catalog, "location").regime, owned(vec![location.clone()], false));
    assert_eq!(named(&catalog, "entry").regime, owned(vec![entry.clone(), location.clone(), device], false));
    assert_eq!(named(&catalog, "about").regime, owned(vec![about, entry, location], true));
    assert_eq!(named(&catalog, "label").regime, Ownership::Shared);
    let fixed = |name: &str| -> String {
        let fields = &named(&catalog, name).fields;
        fields.iter().filter(|f| f.fixed).map(|f| f.column.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        ["zdevice", "location", "entry", "about", "label", "atagged"].map(fixed),
        ["", "device_id", "location_id", "entry_id", "", "entry_id tag_id"]
    );
}

#[tokio::test]
async fn groups_identities_and_constraints_are_about_fields() {
    let (_database, catalog) = library().await;
    let about = named(&catalog, "about");
    assert_eq!(about.groups, [vec![FieldIndex(1), FieldIndex(2)]]);
    assert_eq!(about.checks, ["x IS NULL = (y IS NULL)", "stars BETWEEN 0 AND 5"]);
    assert_eq!(named(&catalog, "label").identity, Derivation::Fields(vec![FieldIndex(0)]));
    assert_eq!(named(&catalog, "atagged").identity, Derivation::Fields(vec![FieldIndex(0), FieldIndex(1)]));
    let uniques = |name: &str| -> Vec<String> {
        let all = &named(&catalog, name).uniques;
        let fields =
            |u: &crate::catalog::Unique| u.fields.iter().map(|f| f.0.to_string()).collect::<String>();
        all.iter()
            .map(|u| {
                format!(
                    "{} ({}) {} {}",
                    u.name,
                    u.terms.iter().map(|t| t.sql.as_str()).collect::<Vec<_>>().join(", "),
                    fields(u),
                    u.condition.as_deref().unwrap_or("-")
                )
            })
            .collect()
    };
    assert_eq!(
        uniques("entry"),
        [
            "entry_root (\"location_id\" COLLATE BINARY, \"name\" COLLATE BINARY) 012 parent_id IS NULL",
            "sqlite_autoindex_entry_2 (\"parent_id\" COLLATE BINARY, \"name\" COLLATE NOCASE) 12 -",
        ]
    );
    // Behind the generated column are two fields; the key that is a reference can clash with another record's.
    assert_eq!(
        uniques("about"),
        ["about_place (\"place\" COLLATE BINARY) 12 -", "PRIMARY KEY (\"entry_id\" COLLATE BINARY) 0 -"]
    );
    assert_eq!(uniques("label"), ["sqlite_autoindex_tag_2 (\"slug\" COLLATE BINARY) 0 -"]);
    // The parents make the record id, so two records never share them.
    assert_eq!(uniques("atagged"), Vec::<String>::new());
}

#[tokio::test]
async fn conflicts_are_all_that_replace_can_remove_by() {
    let (_database, catalog) = library().await;
    let conflict = |matches: &str, columns: &[&str]| Conflict {
        matches: matches.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
    };
    assert_eq!(
        named(&catalog, "entry").conflicts,
        [
            conflict("\"id\" = NEW.\"id\"", &["id"]),
            conflict(
                "\"location_id\" COLLATE BINARY = (NEW.\"location_id\" COLLATE BINARY) AND \"name\" COLLATE BINARY = \
                 (NEW.\"name\" COLLATE BINARY) AND (parent_id IS NULL) AND (NEW.\"parent_id\" IS NULL)",
                &["location_id", "parent_id", "name"]
            ),
            conflict(
                "\"parent_id\" COLLATE BINARY = (NEW.\"parent_id\" COLLATE BINARY) AND \"name\" COLLATE NOCASE = \
                 (NEW.\"name\" COLLATE NOCASE)",
                &["parent_id", "name"]
            ),
            conflict("\"uuid\" COLLATE BINARY = (NEW.\"uuid\" COLLATE BINARY)", &["uuid"]),
        ]
    );
}

#[tokio::test]
async fn numbers_stay_with_their_names() {
    let (database, catalog) = library().await;
    let numbers = |catalog: &Catalog| -> Vec<_> {
        catalog.models.iter().map(|model| (model.name.as_str().to_owned(), model.number)).collect()
    };
    let first = numbers(&catalog);
    assert_eq!(first.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    database
        .run(
            "INSERT INTO _sync_model (m, name) VALUES (40, 'anote');
             CREATE TABLE anote (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE);
             CREATE TABLE another (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE);",
        )
        .await;
    let mut more = registrations();
    more.extend([leak(shared(|| keyed("another").done())), leak(shared(|| keyed("anote").done()))]);
    let second = numbers(&database.freeze(&more).await.expect("freeze"));
    assert!(first.iter().all(|known| second.contains(known)));
    assert_eq!(second.iter().find(|(name, _)| name == "anote").map(|(_, number)| *number), Some(40));
    assert_eq!(second.iter().find(|(name, _)| name == "another").map(|(_, number)| *number), Some(41));
}
