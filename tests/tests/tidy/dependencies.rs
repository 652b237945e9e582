//! Which crate of the workspace may depend on which. The direction is the architecture: the core below, the plugin
//! contract beside the engine, the facade above all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::tree;

/// What each crate may use of the others, in its library.
const ALLOWED: &[(&str, &[&str])] = &[
    ("sync-core", &[]),
    ("sync-derive", &[]),
    ("sync-sim", &["sync-core"]),
    ("sync-plugin", &["sync-core"]),
    ("sync-conformance", &["sync-plugin"]),
    ("sync-transport-template", &["sync-plugin"]),
    ("sync-transport-memory", &["sync-plugin"]),
    ("sync-transport-websocket", &["sync-plugin"]),
    ("sync-runtime", &["sync-core", "sync-plugin"]),
    ("sync-models", &["sync-core", "sync-derive", "sync-runtime"]),
    (
        "sync-kit",
        &[
            "sync-core",
            "sync-derive",
            "sync-plugin",
            "sync-runtime",
            "sync-models",
            "sync-transport-memory",
            "sync-transport-websocket",
        ],
    ),
];

/// Programs and tests, on which nothing may depend.
const LEAVES: &[&str] = &["sync-bench", "sync-fuzz", "sync-tests", "shelf", "quickstart"];

/// Libraries that a crate must not reach for, whatever else it uses.
const BANNED: &[(&str, &[&str])] = &[
    ("sync-core", &["sea-orm", "sqlx", "tokio", "zstd", "getrandom", "futures-util", "inventory", "linkme"]),
    ("sync-sim", &["sea-orm", "sqlx", "tokio", "getrandom"]),
    ("sync-plugin", &["sea-orm", "sqlx", "zstd", "getrandom"]),
    ("sync-transport-memory", &["sea-orm", "sqlx", "zstd"]),
    ("sync-transport-websocket", &["sea-orm", "sqlx", "zstd"]),
    ("sync-transport-template", &["sea-orm", "sqlx", "zstd"]),
];

/// The libraries that each crate lists, without those of its tests.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph(metadata: &Value) -> Graph {
    let packages = metadata["packages"].as_array().expect("packages");
    let named = |package: &Value| package["name"].as_str().expect("name").to_owned();
    let uses = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies").iter();
        all.filter(|dependency| dependency["kind"].as_str() != Some("dev")).map(named).collect()
    };
    packages.iter().map(|package| (named(package), uses(package))).collect()
}

fn findings(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (name, uses) in graph {
        for used in uses.iter().filter(|used| graph.contains_key(*used)) {
            if LEAVES.contains(&used.as_str()) {
                found.push(format!("{name} depends on {used}, on which nothing may"));
            }
        }
        if LEAVES.contains(&name.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            found.push(format!("{name} has no place in the direction of dependencies"));
            continue;
        };
        let local = uses.iter().filter(|used| graph.contains_key(*used));
        for used in local.filter(|used| !allowed.contains(&used.as_str())) {
            found.push(format!("{name} may not depend on {used}"));
        }
        let banned = BANNED.iter().filter(|(known, _)| known == name).flat_map(|(_, banned)| *banned);
        for used in banned.filter(|banned| uses.contains(**banned)) {
            found.push(format!("{name} may not use {used}"));
        }
    }
    found
}

#[test]
fn crates_depend_in_one_direction() {
    let graph = graph(&tree::metadata(&["--no-deps"]));
    tree::none("the direction of dependencies", &findings(&graph));
    for (name, _) in ALLOWED {
        assert!(graph.contains_key(*name), "{name} is in the list and not in the workspace");
    }
}

#[cfg(test)]
mod planted {
    use super::*;

    fn of(edges: &[(&str, &[&str])]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        findings(&edges.iter().map(|(name, uses)| ((*name).to_owned(), owned(uses))).collect())
    }

    #[test]
    fn a_plugin_that_knows_the_runtime_is_found() {
        let found = of(&[("sync-runtime", &[]), ("sync-transport-memory", &["sync-runtime"])]);
        assert_eq!(found, ["sync-transport-memory may not depend on sync-runtime"]);
    }

    #[test]
    fn a_core_that_reaches_for_the_database_is_found() {
        assert_eq!(of(&[("sync-core", &["sea-orm", "serde"])]), ["sync-core may not use sea-orm"]);
    }

    #[test]
    fn an_unknown_crate_and_a_used_program_are_found() {
        let found = of(&[("sync-bench", &[]), ("sync-new", &["sync-bench"])]);
        assert_eq!(
            found,
            [
                "sync-new depends on sync-bench, on which nothing may",
                "sync-new has no place in the direction of dependencies"
            ]
        );
    }

    #[test]
    fn metadata_is_read_without_the_dependencies_of_tests() {
        let metadata = serde_json::json!({ "packages": [{ "name": "a", "dependencies": [
            { "name": "b", "kind": null }, { "name": "c", "kind": "dev" }, { "name": "d", "kind": "build" }
        ] }] });
        let expected = BTreeSet::from(["b".to_owned(), "d".to_owned()]);
        assert_eq!(graph(&metadata), Graph::from([("a".to_owned(), expected)]));
    }
}
