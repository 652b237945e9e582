//! Documents: code in the README is code of the quickstart, links lead somewhere, decisions have their three parts.

use std::collections::BTreeSet;

use crate::tree::{self, File};

/// Fenced blocks of a language, each with the line at which it opens.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, bool, String)> = None;
    for (line, n) in text.lines().zip(1..) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((n, kind == language, String::new())),
            (Some(_), Some(_)) => {
                let (n, wanted, block) = open.take().expect("a block is open");
                if wanted {
                    found.push((n, block));
                }
            }
            (Some((_, _, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Rust blocks of `document` that do not stand in the source word for word.
fn strangers(document: &File, source: &str) -> Vec<String> {
    let lost =
        blocks(&document.text, "rust").into_iter().filter(|(_, block)| !source.contains(block.as_str()));
    lost.map(|(n, _)| format!("{}:{n}: this code is not in the quickstart", document.path)).collect()
}

/// Relative links that lead nowhere.
fn broken_links(file: &File, paths: &BTreeSet<String>) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (line, n) in file.text.lines().zip(1..) {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = resolve(folder, target);
            let below = format!("{path}/");
            if !paths.contains(&path) && !paths.iter().any(|known| known.starts_with(&below)) {
                found.push(format!("{}:{n}: {target} leads nowhere", file.path));
            }
        }
    }
    found
}

fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// What each decision says, in this order.
const PARTS: &[&str] = &["## Context", "## Choice", "## Cost"];
/// Longest decision, in lines.
const PAGE: usize = 60;

fn decision(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    let at: Vec<Option<usize>> = PARTS.iter().map(|part| file.text.find(&format!("\n{part}\n"))).collect();
    if at.iter().any(Option::is_none) || !at.is_sorted() {
        found.push(format!("{}: lacks one of {PARTS:?}, or has them in another order", file.path));
    }
    if file.text.lines().count() > PAGE {
        found.push(format!("{}: longer than a page of {PAGE} lines", file.path));
    }
    found
}

fn decisions(files: &[File]) -> Vec<&File> {
    let below = |file: &&File| file.path.starts_with("docs/decisions/") && file.name() != "README.md";
    files.iter().filter(below).collect()
}

/// Decisions are numbered from 0001 without gaps.
fn numbering(names: &[&str]) -> Vec<String> {
    let numbered = names.iter().zip(1..);
    let wrong = numbered.filter(|(name, n)| !name.starts_with(&format!("{n:04}-")));
    wrong.map(|(name, n)| format!("{name}: expected number {n:04}")).collect()
}

#[test]
fn the_readme_shows_code_of_the_quickstart() {
    let readme = tree::read("README.md");
    assert!(!blocks(&readme.text, "rust").is_empty(), "README.md shows no code");
    let source = tree::read("examples/quickstart/src/main.rs").text;
    tree::none("the README's code is compiled and run", &strangers(&readme, &source));
}

#[test]
fn links_lead_somewhere() {
    let files = tree::files();
    let paths = files.iter().map(|file| file.path.clone()).collect();
    let documents = files.iter().filter(|file| file.is_document());
    let found: Vec<String> = documents.flat_map(|file| broken_links(file, &paths)).collect();
    tree::none("links", &found);
}

#[test]
fn decisions_have_context_choice_and_cost() {
    let files = tree::files();
    let decisions = decisions(&files);
    assert!(decisions.len() >= 12, "{} decisions", decisions.len());
    let mut found: Vec<String> = decisions.iter().flat_map(|file| decision(file)).collect();
    found.extend(numbering(&decisions.iter().map(|file| file.name()).collect::<Vec<_>>()));
    let index = tree::read("docs/decisions/README.md").text;
    for file in decisions.iter().filter(|file| !index.contains(&format!("({})", file.name()))) {
        found.push(format!("{}: not in the index", file.path));
    }
    tree::none("decisions", &found);
}

#[test]
fn the_project_has_its_documents() {
    for path in [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "docs/architecture.md",
        "docs/merge.md",
        "docs/guide-adding-sync.md",
        "docs/running.md",
        "docs/writing-a-plugin.md",
    ] {
        assert!(tree::read(path).text.lines().count() > 10, "{path} says next to nothing");
    }
}

#[cfg(test)]
mod planted {
    use super::*;

    #[test]
    fn code_that_is_not_in_the_quickstart_is_found() {
        let readme =
            File::planted("R.md", "```rust\nfn a() {}\n```\n\n```sh\nrun\n```\n\n```rust\nfn c() {}\n```\n");
        let found = strangers(&readme, "//! Words.\nfn a() {}\nfn b() {}\n");
        assert_eq!(found, ["R.md:9: this code is not in the quickstart"]);
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        let paths = BTreeSet::from(["docs/a.md".to_owned(), "src/lib.rs".to_owned()]);
        let text = "[a](a.md) [up](../src/lib.rs#x) [dir](../src) [web](https://example.org/x) [here](#y)\n[b](b.md)";
        assert_eq!(
            broken_links(&File::planted("docs/c.md", text), &paths),
            ["docs/c.md:2: b.md leads nowhere"]
        );
    }

    #[test]
    fn a_decision_without_its_cost_is_found() {
        let whole = "# T\n\n## Context\nx\n\n## Choice\nx\n\n## Cost\nx\n";
        assert!(decision(&File::planted("d.md", whole)).is_empty());
        assert_eq!(decision(&File::planted("d.md", whole.replace("## Cost", "## Costs"))).len(), 1);
        assert_eq!(decision(&File::planted("d.md", "\n## Choice\n\n## Context\n\n## Cost\n")).len(), 1);
        assert_eq!(decision(&File::planted("d.md", whole.to_owned() + &"\n".repeat(PAGE))).len(), 1);
    }

    #[test]
    fn a_gap_in_the_numbers_is_found() {
        assert!(numbering(&["0001-a.md", "0002-b.md"]).is_empty());
        assert_eq!(numbering(&["0001-a.md", "0003-b.md"]), ["0003-b.md: expected number 0002"]);
    }
}
