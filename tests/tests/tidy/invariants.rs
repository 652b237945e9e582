//! The invariants of the architecture and the tests that show them: every test that the table names exists.

use std::collections::BTreeSet;

use crate::tree::{self, File};

/// How many invariants there are.
const INVARIANTS: usize = 15;
/// Where the table stands.
const SECTION: &str = "## Invariants";

/// A row of a table: the number, and the tests of its last column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) number: usize,
    pub(crate) tests: Vec<String>,
}

/// The rows of the tables under a heading.
pub(crate) fn rows(document: &str, heading: &str) -> Vec<Row> {
    let section = document.lines().skip_while(|line| *line != heading).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    let cells = section.filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    cells
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let number = cells.next()?.parse().ok()?;
            let quoted = cells.next_back()?.split('`').skip(1).step_by(2);
            Some(Row { number, tests: quoted.map(str::to_owned).collect() })
        })
        .collect()
}

/// A macro that makes a test of each function that it is given.
const LISTS: &str = "over_both_transports!";

/// The names of all tests: functions that are marked, and those that are listed for a macro.
pub(crate) fn tests(sources: &[File]) -> BTreeSet<String> {
    sources.iter().flat_map(|file| [marked(&file.text), listed(&file.text)].concat()).collect()
}

fn marked(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let named = |(n, line): (usize, &&str)| {
        let name = line.split_once("fn ")?.1.split('(').next()?;
        let above = lines.get(n.saturating_sub(8)..n).unwrap_or_default().iter().rev();
        above.take_while(|line| !is_end(line)).any(|line| is_mark(line)).then(|| name.to_owned())
    };
    lines.iter().enumerate().filter_map(named).collect()
}

/// The names that are listed for a macro that makes a test over each transport.
pub(crate) fn listed(text: &str) -> Vec<String> {
    let calls = text.split(LISTS).skip(1);
    let lists = calls.filter_map(|rest| rest.split_once(['{', '(', '['])?.1.split(['}', ')', ']']).next());
    let names = lists.flat_map(|list| list.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn is_mark(line: &str) -> bool {
    line.trim_start().starts_with("#[test]") || line.trim_start().starts_with("#[tokio::test")
}

fn is_end(line: &str) -> bool {
    line.trim() == "}" || line.contains("fn ")
}

fn findings(document: &str, sources: &[File]) -> Vec<String> {
    let rows = rows(document, SECTION);
    let known = tests(sources);
    let mut found = Vec::new();
    if !rows.iter().map(|row| row.number).eq(1..=INVARIANTS) {
        found.push(format!("the table does not have the rows 1 to {INVARIANTS}"));
    }
    for row in rows {
        if row.tests.is_empty() {
            found.push(format!("invariant {}: no test is named", row.number));
        }
        for test in row.tests.iter().filter(|test| !known.contains(*test)) {
            found.push(format!("invariant {}: there is no test `{test}`", row.number));
        }
    }
    found
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let document = tree::read("docs/architecture.md").text;
    tree::none("invariants", &findings(&document, &tree::sources()));
}

#[cfg(test)]
mod planted {
    use super::*;

    fn table(last: &str) -> String {
        let rows: Vec<String> = (1..INVARIANTS).map(|n| format!("| {n} | words | `shown` |")).collect();
        let head = "| # | what | tests |\n|---|---|---|";
        format!("{SECTION}\n\n{head}\n{}\n| {INVARIANTS} | words | {last} |\n\n## Next\n", rows.join("\n"))
    }

    fn of(document: &str) -> Vec<String> {
        let text = "#[test]\nfn shown() {}\n\nfn helper() {}\n#[tokio::test(flavor = \"x\")]\nasync fn later() {}\n\
                    over_both_transports! { scenario, another }\nasync fn scenario() {}\n";
        findings(document, &[File::planted("a.rs", text)])
    }

    #[test]
    fn a_whole_table_passes() {
        assert_eq!(of(&table("`shown`, `later`, `another`")), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(of(&table("`shown`, `dreamt`")), ["invariant 15: there is no test `dreamt`"]);
        assert_eq!(of(&table("`helper`")), ["invariant 15: there is no test `helper`"]);
    }

    #[test]
    fn a_row_without_a_test_or_a_missing_row_is_found() {
        assert_eq!(of(&table("soon")), ["invariant 15: no test is named"]);
        assert_eq!(
            of(&table("`shown`").replace("| 3 |", "| x |")),
            ["the table does not have the rows 1 to 15"]
        );
    }
}
