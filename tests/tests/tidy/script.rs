//! The script that decides whether a change is good, and the commands that the README promises.

use crate::tree::{self, File};

/// The README's second command: the script runs it last, so that its summary ends the output.
const TESTS: &str = "cargo test --workspace";
/// The README's first command.
const DEMO: &str = "cargo run --release -p shelf -- demo";

/// What the script must run, in words that stand in it.
const STEPS: &[&str] = &[
    "cargo fmt --all --check",
    "cargo clippy --workspace --all-targets -- -D warnings",
    "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps",
    "--no-default-features",
    "wasm32-unknown-unknown",
    TESTS,
];

fn findings(script: &File) -> Vec<String> {
    let commands: Vec<&str> = script
        .text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut found = Vec::new();
    if !script.text.starts_with("#!/usr/bin/env bash\n") || commands.first() != Some(&"set -euo pipefail") {
        found.push("does not stop at the first failure".to_owned());
    }
    for step in STEPS.iter().filter(|step| !script.text.contains(**step)) {
        found.push(format!("does not run `{step}`"));
    }
    if !commands.last().is_some_and(|last| last.ends_with(TESTS)) {
        found.push(format!("does not end with `{TESTS}`"));
    }
    for (line, n) in script.text.lines().zip(1..) {
        if line.contains("|| true") || line.contains("|| :") {
            found.push(format!("line {n} hides a failure"));
        }
    }
    found
}

#[test]
fn the_script_runs_everything_and_the_tests_last() {
    tree::none(".ci/run", &findings(&tree::read(".ci/run")));
}

#[test]
fn the_readme_names_the_two_commands() {
    let readme = tree::read("README.md").text;
    for command in [DEMO, TESTS] {
        assert!(readme.lines().any(|line| line.trim().starts_with(command)), "README.md lacks `{command}`");
    }
}

#[cfg(test)]
mod planted {
    use super::*;

    fn whole() -> String {
        format!("#!/usr/bin/env bash\nset -euo pipefail\n{}\n", STEPS.join("\n"))
    }

    fn of(text: String) -> Vec<String> {
        findings(&File::planted(".ci/run", text))
    }

    #[test]
    fn a_whole_script_passes() {
        assert_eq!(of(whole()), Vec::<String>::new());
    }

    #[test]
    fn a_script_that_lacks_a_step_is_found() {
        for step in STEPS {
            assert!(!of(whole().replacen(step, "", 1)).is_empty(), "{step}");
        }
    }

    #[test]
    fn a_script_that_goes_on_after_a_failure_is_found() {
        assert_eq!(
            of(whole().replace("set -euo pipefail", "set -u")),
            ["does not stop at the first failure"]
        );
        let hidden = whole().replace(TESTS, &format!("{TESTS} || true\n{TESTS}"));
        assert_eq!(of(hidden), ["line 8 hides a failure"]);
    }

    #[test]
    fn a_script_with_another_end_is_found() {
        assert_eq!(of(whole() + "echo done\n"), [format!("does not end with `{TESTS}`")]);
    }
}
