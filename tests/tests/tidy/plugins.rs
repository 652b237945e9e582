//! Plugin crates look alike: the same file names, the same documentation.

use crate::tree::{self, File};

/// What every transport crate has.
const FILES: &[&str] = &[
    "Cargo.toml",
    "docs.md",
    "src/lib.rs",
    "src/config.rs",
    "src/backend.rs",
    "src/io.rs",
    "tests/conformance.rs",
];

/// What `docs.md` of a transport says.
const SECTIONS: &[&str] =
    &["| Scheme |", "| Capabilities |", "### Addresses", "### Configuration", "```rust"];

/// The folder of a plugin that a file belongs to.
fn plugin_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("plugins/")?;
    let (folder, _) = rest.split_once('/')?;
    (folder == "template" || folder.starts_with("transport-") || folder.starts_with("layer-"))
        .then_some(folder)
}

fn findings(files: &[File]) -> Vec<String> {
    let mut folders: Vec<&str> = files.iter().filter_map(|file| plugin_of(&file.path)).collect();
    folders.dedup();
    let mut found = Vec::new();
    for folder in folders {
        let text = |name: &str| {
            let path = format!("plugins/{folder}/{name}");
            files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
        };
        found.extend(
            FILES
                .iter()
                .filter(|name| text(name).is_none())
                .map(|name| format!("plugins/{folder}: no {name}")),
        );
        let docs = text("docs.md").unwrap_or_default();
        for section in SECTIONS.iter().filter(|section| !docs.contains(**section)) {
            found.push(format!("plugins/{folder}/docs.md: nothing about {section:?}"));
        }
        let library = text("src/lib.rs").unwrap_or_default();
        if !library.contains("include_str!(\"../docs.md\")") {
            found.push(format!("plugins/{folder}/src/lib.rs: docs.md is not part of the documentation"));
        }
        let suite = text("tests/conformance.rs").unwrap_or_default();
        if !suite.contains("_suite!(") {
            found.push(format!("plugins/{folder}/tests/conformance.rs: does not run the suite"));
        }
    }
    found
}

#[test]
fn plugin_crates_look_alike_and_are_documented() {
    let files = tree::files();
    assert!(files.iter().any(|file| plugin_of(&file.path) == Some("transport-memory")));
    tree::none("plugin crates look alike", &findings(&files));
}

#[cfg(test)]
mod planted {
    use super::*;

    fn whole() -> Vec<File> {
        let text = |name: &str| match name {
            "docs.md" => SECTIONS.join("\n"),
            "src/lib.rs" => "#![doc = include_str!(\"../docs.md\")]".to_owned(),
            "tests/conformance.rs" => "transport_suite!(harness);".to_owned(),
            _ => String::new(),
        };
        FILES.iter().map(|name| File::planted(&format!("plugins/transport-x/{name}"), text(name))).collect()
    }

    #[test]
    fn a_whole_plugin_passes() {
        assert_eq!(findings(&whole()), Vec::<String>::new());
    }

    #[test]
    fn a_plugin_that_lacks_a_file_is_found() {
        for missing in FILES {
            let mut files = whole();
            files.retain(|file| !file.path.ends_with(missing));
            assert!(findings(&files).contains(&format!("plugins/transport-x: no {missing}")), "{missing}");
        }
    }

    #[test]
    fn a_plugin_without_documentation_or_suite_is_found() {
        let empty = |ending: &str| {
            let mut files = whole();
            for file in files.iter_mut().filter(|file| file.path.ends_with(ending)) {
                file.text.clear();
            }
            findings(&files).len()
        };
        assert_eq!(empty("docs.md"), SECTIONS.len());
        assert_eq!(empty("lib.rs"), 1);
        assert_eq!(empty("conformance.rs"), 1);
    }
}
