//! Every named hostile input gets its typed error, within the bounds of memory.
#![expect(clippy::print_stdout, reason = "the count is part of what the test shows")]

use std::collections::BTreeSet;

use sync_fuzz::{allocation::bounded, hostile};

#[test]
fn every_hostile_input_gets_its_error() {
    let all = hostile::all();
    let mut wrong = Vec::new();
    for hostile in &all {
        let outcome = (hostile.run)(&hostile.input);
        if (outcome.kind, outcome.detail) != hostile.expected {
            wrong.push(format!("{}: {outcome}, expected {:?}", hostile.name, hostile.expected));
        }
    }
    println!("{} hostile inputs", all.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn there_are_at_least_300_and_each_has_a_name_of_its_own() {
    let all = bounded("the table", 1 << 30, hostile::all);
    assert!(all.len() >= 300, "{}", all.len());
    let mut names = BTreeSet::new();
    let twice: Vec<&str> =
        all.iter().map(|hostile| hostile.name.as_str()).filter(|name| !names.insert(*name)).collect();
    assert_eq!(twice, Vec::<&str>::new(), "names are given once");
    assert!(all.iter().all(|hostile| hostile.expected.0 != "ok"), "an error is expected of each");
}
