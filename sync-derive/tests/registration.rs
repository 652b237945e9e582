//! What the derive registers: whole registrations of models in both of SeaORM's entity formats are compared, and
//! every column name with the one that SeaORM uses.

#![expect(unreachable_pub, reason = "models are public as in an application, SeaORM asks for it")]

#[path = "ui/dense/with_a_relation.rs"]
mod dense;
#[path = "ui/device_owned/by_its_own_id.rs"]
mod device;
#[path = "ui/device_owned/through_relations.rs"]
mod entry;
#[path = "ui/identity/of_a_junction.rs"]
mod junction;
#[path = "ui/otherwise/with_a_natural_key.rs"]
mod metadata;
#[path = "ui/name/given.rs"]
mod named;
#[path = "ui/columns/of_types_left_to_the_catalog.rs"]
mod opaque;
#[path = "ui/shared/alone.rs"]
mod plain;
#[path = "ui/columns/named_in_every_way.rs"]
mod renamed;
#[path = "ui/merge/every_kind.rs"]
mod rules;
#[path = "ui/crate/re_exported.rs"]
mod through;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sync_runtime::__private::v1::{
    DeletePolicy, FieldRule, Identity, MergeKind, Regime, Registration, Source, inventory,
};

/// A registration without the function pointer, which says nothing when compared.
#[derive(Debug, PartialEq)]
struct Described {
    name: Option<&'static str>,
    regime: Regime,
    id: &'static str,
    identity: Identity,
    delete: DeletePolicy,
    fields: Vec<FieldRule>,
}

impl From<&Registration> for Described {
    fn from(registration: &Registration) -> Self {
        Self {
            name: registration.name,
            regime: registration.regime,
            id: registration.id,
            identity: registration.identity,
            delete: registration.delete,
            fields: registration.fields.to_vec(),
        }
    }
}

impl Described {
    /// What a model without further annotations registers.
    fn plain(regime: Regime, id: &'static str) -> Self {
        Self {
            name: None,
            regime,
            id,
            identity: Identity::Column,
            delete: DeletePolicy::Wins,
            fields: Vec::new(),
        }
    }
}

fn rule(column: &'static str) -> FieldRule {
    FieldRule { column, skip: false, merge: MergeKind::LastWriter, group: None }
}

fn registered(module: &str) -> &'static Registration {
    let ending = format!("::{module}");
    let mut found = inventory::iter::<Registration>()
        .filter(|registration| registration.source.module.ends_with(&ending));
    let first = found.next();
    assert!(found.next().is_none(), "{module} is registered twice");
    match first {
        Some(registration) => registration,
        None => panic!("{module} is not registered"),
    }
}

fn described(module: &str) -> Described {
    registered(module).into()
}

/// A case that nobody included would pass without having been compiled.
#[test]
fn every_accepted_case_is_registered_once() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut expected = Vec::new();
    for folder in fs::read_dir(root)? {
        for case in fs::read_dir(folder?.path())? {
            let path = case?.path();
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            if is_source && !fs::read_to_string(&path)?.contains("fn main()") {
                expected.push(path);
            }
        }
    }
    expected.sort();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let mut found: Vec<PathBuf> = inventory::iter::<Registration>()
        .map(|registration| workspace.join(registration.source.file))
        .collect();
    found.sort();
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn shared_model_without_rules() {
    assert_eq!(described("plain"), Described::plain(Regime::Shared, "uuid"));
}

#[test]
fn dense_model_registers_its_columns_and_not_its_double() {
    let expected = Described {
        fields: vec![FieldRule { merge: MergeKind::Counter, ..rule("uses") }],
        ..Described::plain(Regime::Shared, "uuid")
    };
    assert_eq!(described("dense"), expected);
}

#[test]
fn rules_stand_only_for_fields_that_depart() {
    let expected = Described {
        delete: DeletePolicy::Loses,
        fields: vec![
            FieldRule { merge: MergeKind::Counter, ..rule("uses") },
            FieldRule { merge: MergeKind::Max, ..rule("last_used") },
            FieldRule { merge: MergeKind::Min, ..rule("first_used") },
            FieldRule { merge: MergeKind::Set, ..rule("labels") },
            FieldRule { group: Some("span"), ..rule("starts") },
            FieldRule { group: Some("span"), ..rule("ends") },
            FieldRule { skip: true, ..rule("thumbnail") },
        ],
        ..Described::plain(Regime::Shared, "uuid")
    };
    assert_eq!(described("rules"), expected);
}

#[test]
fn device_owned_by_a_column() {
    let expected = Described::plain(Regime::DeviceOwned { owner: &["uuid"] }, "uuid");
    assert_eq!(described("device"), expected);
}

#[test]
fn device_owned_through_relations() {
    let expected =
        Described::plain(Regime::DeviceOwned { owner: &["location_id", "volume_id", "device_id"] }, "uuid");
    assert_eq!(described("entry"), expected);
}

#[test]
fn hybrid_with_natural_key() {
    let expected = Described {
        identity: Identity::NaturalKey(&["namespace", "slug"]),
        ..Described::plain(Regime::Hybrid { owner: &["device_id"] }, "uuid")
    };
    assert_eq!(described("metadata"), expected);
}

#[test]
fn junction_takes_its_id_from_its_parents() {
    let expected = Described {
        identity: Identity::Parents(&["tag_id", "entry_id"]),
        ..Described::plain(Regime::Shared, "uuid")
    };
    assert_eq!(described("junction"), expected);
}

#[test]
fn wire_name_is_taken_over() {
    let expected = Described { name: Some("label_v2"), ..Described::plain(Regime::Shared, "id") };
    assert_eq!(described("named"), expected);
}

#[test]
fn crate_attribute_reaches_the_contract_through_a_re_export() {
    assert_eq!(described("through"), Described::plain(Regime::Shared, "uuid"));
}

#[test]
fn source_is_the_place_of_the_derive() {
    let text = include_str!("ui/shared/alone.rs");
    let line = 1 + text.lines().position(|line| line.contains("Syncable)]")).unwrap_or(usize::MAX - 1);
    let expected = Source {
        module: "registration::plain",
        file: "sync-derive/tests/ui/shared/alone.rs",
        line: u32::try_from(line).unwrap_or(u32::MAX),
    };
    assert_eq!(registered("plain").source, expected);
}

/// The columns of `renamed` use every way in which SeaORM names one; the derive must name them alike.
#[test]
fn columns_are_named_as_sea_orm_names_them() {
    use renamed::Column;
    use sea_orm::{IdenStatic, Iterable};

    let by_sea_orm: Vec<&str> = Column::iter().map(|column| column.as_str()).collect();
    let registered = registered("renamed");
    let mut by_derive = vec![registered.id];
    by_derive.extend(registered.fields.iter().map(|rule| rule.column));
    assert_eq!(by_derive, by_sea_orm);
}

#[test]
fn types_that_tokens_do_not_tell_are_accepted() {
    let expected = Described {
        fields: vec![
            FieldRule { merge: MergeKind::Counter, ..rule("uses") },
            FieldRule { merge: MergeKind::Max, ..rule("level") },
        ],
        ..Described::plain(Regime::Shared, "uuid")
    };
    assert_eq!(described("opaque"), expected);
}
