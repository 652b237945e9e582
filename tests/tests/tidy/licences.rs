//! Under which licences the libraries stand that a program with sync-kit contains.

use crate::tree;

/// Licences that a program under MIT or Apache-2.0 can include.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression can be met: of an OR one side, of an AND both.
fn acceptable(expression: &str) -> bool {
    let expression = expression.trim();
    if let Some((left, right)) = split(expression, " AND ") {
        return acceptable(left) && acceptable(right);
    }
    if let Some((left, right)) = split(expression, " OR ").or_else(|| split(expression, "/")) {
        return acceptable(left) || acceptable(right);
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => acceptable(inner),
        None => ACCEPTED.contains(&expression),
    }
}

/// Splits at the first operator that stands outside parentheses. AND comes first: the few packages that mix both
/// without parentheses are read strictly.
fn split<'a>(expression: &'a str, operator: &str) -> Option<(&'a str, &'a str)> {
    let outside = |at: usize| {
        let before = expression.get(..at).unwrap_or_default();
        before.matches('(').count() == before.matches(')').count()
    };
    let (at, _) = expression.match_indices(operator).find(|(at, _)| outside(*at))?;
    Some((expression.get(..at)?, expression.get(at + operator.len()..)?))
}

#[test]
fn every_library_has_a_licence_that_can_be_met() {
    let host = rustc_host();
    let metadata = tree::metadata(&["--filter-platform", &host]);
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "{} packages: the metadata is not whole", packages.len());
    let mut found = Vec::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none stated");
        if !acceptable(licence) {
            found.push(format!("{} {}: {licence}", package["name"], package["version"]));
        }
    }
    tree::none("licences", &found);
}

/// The triple that tests are built for.
fn rustc_host() -> String {
    let output = std::process::Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

#[cfg(test)]
mod planted {
    use super::acceptable;

    #[test]
    fn a_licence_that_binds_the_whole_program_is_found() {
        for bad in [
            "GPL-3.0",
            "none stated",
            "MIT AND AGPL-3.0",
            "(MIT OR ISC) AND GPL-2.0",
            "",
            "SSPL-1.0 OR GPL-3.0",
        ] {
            assert!(!acceptable(bad), "{bad}");
        }
    }

    #[test]
    fn choices_and_sums_are_read() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-2.0 OR MIT",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
        ] {
            assert!(acceptable(good), "{good}");
        }
    }
}
