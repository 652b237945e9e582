//! What the derive refuses, and in which words. Each folder of `tests/ui` is about one attribute. A case with a
//! `main` is a program that must fail to compile with exactly what its `.stderr` says; a case without one is a
//! module of `tests/registration.rs`, which compiles it and compares what it registers. After a deliberate change of
//! words: `TRYBUILD=overwrite cargo test -p sync-derive --test ui`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The cases that must fail.
fn refused() -> io::Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut found = Vec::new();
    for folder in fs::read_dir(root)? {
        for case in fs::read_dir(folder?.path())? {
            let path = case?.path();
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            if is_source && fs::read_to_string(&path)?.contains("fn main()") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn mistakes_are_compile_errors_at_their_place() -> io::Result<()> {
    let refused = refused()?;
    assert!(refused.len() >= 100, "only {} cases were found", refused.len());
    // Failing cases only: with them alone trybuild checks the dependencies and need not compile them.
    let trybuild = trybuild::TestCases::new();
    for case in refused {
        trybuild.compile_fail(case);
    }
    Ok(())
}

/// trybuild lets a case pass that has no expectation yet.
#[test]
fn every_refused_case_has_its_words() -> io::Result<()> {
    let speechless: Vec<PathBuf> =
        refused()?.into_iter().filter(|case| !case.with_extension("stderr").is_file()).collect();
    assert_eq!(speechless, Vec::<PathBuf>::new());
    Ok(())
}

/// The derive speaks for itself: an expectation that quotes rustc would break with the next compiler.
#[test]
fn expectations_hold_no_words_of_the_compiler() -> io::Result<()> {
    let mut foreign = Vec::new();
    for case in refused()? {
        let words = fs::read_to_string(case.with_extension("stderr"))?;
        if ["warning", "error[E", "= note:", "help:"].iter().any(|mark| words.contains(mark)) {
            foreign.push(case);
        }
    }
    assert_eq!(foreign, Vec::<PathBuf>::new());
    Ok(())
}
