//! What no source file says: lints switched off, results swallowed, tests ignored, work left open, paths of
//! somebody's machine.

use crate::{
    tokens::{self, Found, Step},
    tree::{self, File},
};

use Step::{Group, Sign, Unit, Word};

const PATTERNS: &[(&str, &[Step])] = &[
    (
        "`let _ =` hides a result; handle it, or `drop` it with the reason",
        &[Word("let"), Word("_"), Sign('=')],
    ),
    (
        "`.await.unwrap_or_default()` turns a failure into a value",
        &[Sign('.'), Word("await"), Sign('.'), Word("unwrap_or_default"), Unit],
    ),
    ("`todo!` is work left open", &[Word("todo"), Sign('!'), Group]),
    ("`unimplemented!` is work left open", &[Word("unimplemented"), Sign('!'), Group]),
];

/// What throws an error away when nobody takes its value.
const OK: &[Step] = &[Sign('.'), Word("ok"), Unit];

fn findings(file: &File) -> Vec<String> {
    let stream = tokens::of(&file.text);
    let mut found: Vec<Found> =
        PATTERNS.iter().flat_map(|(what, steps)| tokens::find(stream.clone(), what, steps)).collect();
    found.extend(tokens::find_dropped(stream.clone(), "`.ok();` swallows an error", OK));
    for (line, attribute) in tokens::attributes(stream) {
        if !tokens::find(attribute.clone(), "", &[Word("allow"), Group]).is_empty() {
            found.push(Found { line, what: "`allow` switches a lint off; `expect` it with a reason" });
        }
        if tokens::find(attribute.clone(), "", &[Word("ignore")]).iter().any(|_| !is_serde(&attribute)) {
            found.push(Found { line, what: "an ignored test proves nothing" });
        }
        if documented_code(&attribute.to_string()) {
            found.push(Found { line, what: "an ignored code block is neither compiled nor run" });
        }
    }
    found.into_iter().map(|found| format!("{}:{}: {}", file.path, found.line, found.what)).collect()
}

/// What reads the clock, draws random numbers or starts tasks.
const HOSTS_ONLY: &[(&str, &[Step])] = &[
    ("reads the clock", &[Word("SystemTime"), Sign(':'), Sign(':'), Word("now")]),
    ("reads the clock", &[Word("Instant"), Sign(':'), Sign(':'), Word("now")]),
    ("reads the clock", &[Word("Utc"), Sign(':'), Sign(':'), Word("now")]),
    ("draws random numbers", &[Word("getrandom")]),
    ("draws random numbers", &[Word("new_v4")]),
    ("starts a task", &[Word("tokio"), Sign(':'), Sign(':'), Word("spawn")]),
    ("starts a task", &[Word("task"), Sign(':'), Sign(':'), Word("spawn")]),
    ("starts a task", &[Word("spawn_blocking")]),
];

/// The module that is given time, randomness and tasks by the system, and gives them to everybody else.
const HOST: &str = "sync-runtime/src/host.rs";

/// Whether a source is part of what must be given them: the core, the runtime and the plugins, without their tests.
fn is_given_them(path: &str) -> bool {
    let library = path.starts_with("sync-core/src/")
        || path.starts_with("sync-runtime/src/")
        || path.starts_with("sync-models/src/")
        || (path.starts_with("plugins/")
            && path.contains("/src/")
            && !path.starts_with("plugins/conformance/"));
    library && !path.contains("/tests/") && path != HOST
}

fn hosts_work(file: &File) -> Vec<String> {
    let stream = tokens::of(&file.text);
    let found = HOSTS_ONLY.iter().flat_map(|(what, steps)| tokens::find(stream.clone(), what, steps));
    found.map(|found| format!("{}:{}: {}", file.path, found.line, found.what)).collect()
}

/// SeaORM and serde have an `ignore` of their own.
fn is_serde(attribute: &proc_macro2::TokenStream) -> bool {
    let text = attribute.to_string();
    text.starts_with("serde") || text.starts_with("sea_orm")
}

/// Whether a `doc = "…"` attribute opens a code block that is ignored.
fn documented_code(attribute: &str) -> bool {
    let Some(text) = attribute.strip_prefix("doc = ") else { return false };
    ignores(text.trim_matches(['"', 'r', '#']).trim())
}

fn ignores(line: &str) -> bool {
    let Some(kind) = line.trim().strip_prefix("```") else { return false };
    kind.split(',').any(|word| word.trim().starts_with("ignore"))
}

fn ignored_blocks(file: &File) -> Vec<String> {
    let lines = file.text.lines().zip(1..).filter(|(line, _)| ignores(line));
    lines.map(|(_, n)| format!("{}:{n}: an ignored code block", file.path)).collect()
}

/// Folders that exist on one machine only.
const PLACES: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

fn machine_paths(file: &File) -> Vec<String> {
    // A name follows; a pattern such as `{}` makes it an example.
    let begins = |rest: &str| rest.starts_with(|next: char| next.is_alphanumeric() || next == '.');
    let names = |line: &str| PLACES.iter().any(|place| line.split(place).skip(1).any(begins));
    let lines = file.text.lines().zip(1..).filter(|(line, _)| names(line));
    lines.map(|(_, n)| format!("{}:{n}: a path of one machine", file.path)).collect()
}

#[test]
fn no_source_swallows_results_or_switches_lints_or_tests_off() {
    let found: Vec<String> = tree::sources().iter().flat_map(findings).collect();
    tree::none("habits that hide mistakes", &found);
}

/// Invariant 15.
#[test]
fn time_randomness_and_tasks_come_from_one_module() {
    let sources = tree::sources();
    let given = sources.iter().filter(|file| is_given_them(&file.path));
    let found: Vec<String> = given.flat_map(hosts_work).collect();
    tree::none("ask the Context", &found);
    assert!(!hosts_work(&tree::read(HOST)).is_empty(), "the module that may is found by the same patterns");
}

#[test]
fn no_document_has_an_ignored_code_block() {
    let files = tree::files();
    let documents = files.iter().filter(|file| file.is_document());
    let found: Vec<String> = documents.flat_map(ignored_blocks).collect();
    tree::none("examples are compiled or run", &found);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let found: Vec<String> = tree::files().iter().flat_map(machine_paths).collect();
    tree::none("the project builds anywhere", &found);
}

#[cfg(test)]
mod planted {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        findings(&File::planted("a.rs", text))
    }

    #[test]
    fn each_habit_is_found_also_inside_macros() {
        for bad in [
            "fn f() { let _ = g(); }",
            "fn f() { select! { x = y => { let _ = g(); } } }",
            "fn f() { g().ok(); }",
            "fn f() { let x = 1; g(|| h(x)).ok(); }",
            "fn f() { spawn(async move { g().await.ok(); }) }",
            "async fn f() { g().await.unwrap_or_default() }",
            "fn f() { todo!() }",
            "fn f() { unimplemented!(\"later\") }",
            "#[allow(dead_code)] fn f() {}",
            "#![allow(dead_code)]",
            "#[cfg_attr(test, allow(dead_code))] fn f() {}",
            "#[test] #[ignore] fn f() {}",
            "mod m { #[ignore = \"slow\"] fn f() {} }",
            "/// ```ignore\n/// x\n/// ```\nfn f() {}",
            "//! ```rust,ignore\n//! ```",
        ] {
            assert_eq!(of(bad).len(), 1, "{bad}: {:?}", of(bad));
        }
    }

    #[test]
    fn what_only_looks_alike_passes() {
        for good in [
            "fn f() { let _guard = g(); }",
            "fn f() -> Option<u8> { g().ok() }",
            "fn f() { let found = g().ok(); h(found) }",
            "fn f() { self.found = g().ok(); }",
            "fn f() { if x { return g().ok(); } }",
            "// let _ = g();\nfn f() { h(\"let _ = g(); #[allow(x)] todo!()\") }",
            "#[expect(dead_code, reason = \"allow\")] fn f() {}",
            "#[sea_orm(ignore)] struct S;",
            "/// ```no_run\n/// x\n/// ```\nfn f() {}",
            "fn allow(x: u8) {}",
        ] {
            assert_eq!(of(good), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn the_line_is_told() {
        assert_eq!(of("fn f() {\n\n    todo!()\n}"), ["a.rs:3: `todo!` is work left open"]);
    }

    #[test]
    fn a_clock_of_ones_own_is_found() {
        let file = File::planted(
            "sync-core/src/a.rs",
            "fn f() { g(std::time::SystemTime::now()) }\nuse getrandom::x;",
        );
        assert!(is_given_them(&file.path));
        assert_eq!(
            hosts_work(&file),
            ["sync-core/src/a.rs:1: reads the clock", "sync-core/src/a.rs:2: draws random numbers"]
        );
        assert!(!is_given_them(HOST) && !is_given_them("sync-core/src/session/tests/pair.rs"));
    }

    #[test]
    fn documents_and_paths_are_looked_into() {
        let block = File::planted("a.md", "text\n```rust,ignore\n```\n");
        assert_eq!(ignored_blocks(&block), ["a.md:2: an ignored code block"]);
        let path = File::planted("a.toml", format!("x = \"{}x\"", PLACES.concat()));
        assert_eq!(machine_paths(&path), ["a.toml:1: a path of one machine"]);
        let example = PLACES.join("{}") + "{}";
        assert_eq!(machine_paths(&File::planted("a.rs", example)), Vec::<String>::new());
    }
}
