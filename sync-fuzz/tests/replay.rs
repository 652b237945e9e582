//! The committed inputs and the samples, through every target: what was found once stays found.

use std::collections::BTreeSet;

use sync_fuzz::{corpus, engine::execute, targets};

#[test]
fn every_committed_input_passes() {
    let mut wrong = Vec::new();
    for target in targets::ALL {
        let files = corpus::load(&corpus::folder(target.name)).unwrap_or_else(|error| panic!("{error}"));
        assert!(!files.is_empty(), "{} has a corpus", target.name);
        for (path, input) in files {
            if let Err(message) = execute(target, &input) {
                wrong.push(format!("{}: {message}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_target_decodes_one_of_its_samples() {
    for target in targets::ALL {
        let samples = (target.samples)();
        let outcomes: Vec<_> = samples.iter().map(|input| execute(target, input)).collect();
        assert!(
            outcomes.iter().any(|outcome| outcome.as_ref().is_ok_and(|(o, _)| o.kind == "ok")),
            "{outcomes:?}"
        );
        assert!(outcomes.iter().all(Result::is_ok), "{}: {outcomes:?}", target.name);
    }
}

#[test]
fn every_corpus_has_a_target() {
    let known: BTreeSet<&str> = targets::ALL.iter().map(|target| target.name).collect();
    assert_eq!(known.len(), targets::ALL.len(), "names differ");
    let root = corpus::folder("frame");
    let root = root.parent().unwrap_or_else(|| panic!("a folder has a parent"));
    for entry in std::fs::read_dir(root).unwrap_or_else(|error| panic!("{error}")) {
        let name = entry.unwrap_or_else(|error| panic!("{error}")).file_name();
        assert!(name.to_str().is_some_and(|name| known.contains(name)), "{} has no target", name.display());
    }
}
