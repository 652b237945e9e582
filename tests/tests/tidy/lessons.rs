//! The lessons and the tests that show them: every test that a table names exists, no row is without one, and what is
//! called a scenario runs over both transports.

use std::collections::BTreeSet;

use crate::{
    invariants::{listed, rows, tests},
    tree::{self, File},
};

/// The tables, with how many rows each has.
const TABLES: [(&str, usize); 3] =
    [("## From libraries that sync", 15), (SCENARIOS, 15), ("## From databases that sync", 7)];
/// The one whose tests run over both transports.
const SCENARIOS: &str = "## Fifteen scenarios of a file library";

fn findings(document: &str, sources: &[File]) -> Vec<String> {
    let known = tests(sources);
    let both: BTreeSet<String> = sources.iter().flat_map(|file| listed(&file.text)).collect();
    let mut found = Vec::new();
    for (section, count) in TABLES {
        let rows = rows(document, section);
        if !rows.iter().map(|row| row.number).eq(1..=count) {
            found.push(format!("{section}: the table does not have the rows 1 to {count}"));
        }
        for row in rows {
            if row.tests.is_empty() {
                found.push(format!("{section}, {}: no test is named", row.number));
            }
            for test in &row.tests {
                if !known.contains(test) {
                    found.push(format!("{section}, {}: there is no test `{test}`", row.number));
                } else if section == SCENARIOS && !both.contains(test) {
                    found.push(format!("{section}, {}: `{test}` has one transport", row.number));
                }
            }
        }
    }
    found
}

#[test]
fn every_lesson_names_tests_that_exist() {
    let document = tree::read("docs/lessons.md").text;
    tree::none("lessons", &findings(&document, &tree::sources()));
}

#[cfg(test)]
mod planted {
    use super::*;

    fn document(scenario: &str) -> String {
        let table = |(section, count): (&str, usize)| {
            let test = if section == SCENARIOS { scenario } else { "`shown`, `both`" };
            let rows: Vec<String> = (1..=count).map(|n| format!("| {n} | words | {test} |")).collect();
            format!("{section}\n\n| # | what | tests |\n|---|---|---|\n{}\n\n", rows.join("\n"))
        };
        TABLES.map(table).concat()
    }

    fn of(document: &str) -> Vec<String> {
        let text = "#[test]\nfn shown() {}\n\nover_both_transports!(both);\nasync fn both() {}\n";
        findings(document, &[File::planted("a.rs", text)])
    }

    #[test]
    fn whole_tables_pass() {
        assert_eq!(of(&document("`both`")), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_does_not_exist_or_has_one_transport_is_found() {
        assert_eq!(of(&document("`dreamt`"))[0], format!("{SCENARIOS}, 1: there is no test `dreamt`"));
        assert_eq!(of(&document("`shown`"))[0], format!("{SCENARIOS}, 1: `shown` has one transport"));
    }

    #[test]
    fn a_row_without_a_test_or_a_missing_row_is_found() {
        assert_eq!(of(&document("soon"))[0], format!("{SCENARIOS}, 1: no test is named"));
        let missing = document("`both`").replacen("| 3 |", "| x |", 1);
        assert_eq!(of(&missing), [format!("{}: the table does not have the rows 1 to 15", TABLES[0].0)]);
    }
}
