//! The facade names each optional part once, in one list behind its feature.

use crate::tree::{self, File};

/// Features that stand for an optional package.
fn optional(manifest: &str) -> Vec<String> {
    let section = manifest.lines().skip_while(|line| *line != "[features]").skip(1);
    let section = section.take_while(|line| !line.starts_with('['));
    let names = section.filter(|line| line.contains("\"dep:")).filter_map(|line| line.split_once(" ="));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// Features that a source asks for in attributes of items, with the line.
fn gates(source: &str) -> Vec<(usize, String)> {
    let lines = source.lines().zip(1..).filter(|(line, _)| line.trim_start().starts_with("#[cfg("));
    lines
        .flat_map(|(line, n)| {
            let quoted = line.split("feature = \"").skip(1).filter_map(|rest| rest.split('"').next());
            quoted.map(|name| (n, name.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

fn findings(manifest: &str, sources: &[File]) -> Vec<String> {
    let features = optional(manifest);
    let mut found = Vec::new();
    for feature in &features {
        let named = sources.iter().any(|file| gates(&file.text).iter().any(|(_, gate)| gate == feature));
        if !named {
            found.push(format!("feature `{feature}` links nothing: name its package in src/lib.rs"));
        }
    }
    for file in sources {
        for (line, gate) in gates(&file.text) {
            if !features.contains(&gate) {
                found.push(format!("{}:{line}: there is no feature `{gate}`", file.path));
            }
            if file.path != "src/lib.rs" {
                found.push(format!("{}:{line}: features are listed in src/lib.rs only", file.path));
            }
        }
    }
    found
}

#[test]
fn every_feature_of_the_facade_is_named_in_one_list() {
    let manifest = tree::read("Cargo.toml").text;
    let sources: Vec<File> =
        tree::sources().into_iter().filter(|file| file.path.starts_with("src/")).collect();
    assert!(!optional(&manifest).is_empty(), "no features were found");
    tree::none("features of the facade", &findings(&manifest, &sources));
}

#[test]
fn the_readme_and_the_script_know_every_feature() {
    let readme = tree::read("README.md").text;
    let script = tree::read(".ci/run").text;
    for feature in optional(&tree::read("Cargo.toml").text) {
        assert!(readme.contains(&format!("`{feature}`")), "README.md does not name the feature `{feature}`");
        assert!(script.contains(&feature), ".ci/run does not check the feature `{feature}`");
    }
}

#[cfg(test)]
mod planted {
    use super::*;

    const MANIFEST: &str =
        "[features]\ndefault = [\"b\"]\na = [\"dep:x-a\"]\nb = [\"dep:x-b\"]\n\n[dependencies]\n";

    fn of(files: &[(&str, &str)]) -> Vec<String> {
        findings(MANIFEST, &files.iter().map(|(path, text)| File::planted(path, *text)).collect::<Vec<_>>())
    }

    const LIST: &str =
        "#[cfg(feature = \"a\")]\npub use x_a as _;\n#[cfg(feature = \"b\")]\npub use x_b as _;\n";

    #[test]
    fn a_whole_list_passes() {
        assert_eq!(of(&[("src/lib.rs", LIST)]), Vec::<String>::new());
    }

    #[test]
    fn a_feature_that_links_nothing_is_found() {
        let list = LIST.replace("\"b\"", "\"a\"");
        assert_eq!(
            of(&[("src/lib.rs", &list)]),
            ["feature `b` links nothing: name its package in src/lib.rs"]
        );
    }

    #[test]
    fn an_unknown_feature_and_a_second_list_are_found() {
        let other = "#[cfg(feature = \"c\")]\nmod c;\n";
        assert_eq!(
            of(&[("src/lib.rs", LIST), ("src/c.rs", other)]),
            ["src/c.rs:1: there is no feature `c`", "src/c.rs:1: features are listed in src/lib.rs only"]
        );
    }
}
