//! What making a model syncable costs: one derive and at most three `#[sync]` lines, and one line more for each
//! field that departs from last-writer-wins. Run with `--no-capture` to see the count per model.

use std::{fs, io, path::Path};

/// `#[sync(..)]` lines of a source, and how many of them make a field depart from last-writer-wins.
fn count(source: &str) -> (usize, usize) {
    let lines: Vec<&str> = source.lines().map(str::trim).filter(|line| line.starts_with("#[sync(")).collect();
    let departing = lines.iter().filter(|line| line.contains("merge =") || line.contains("group =")).count();
    (lines.len(), departing)
}

#[test]
fn every_model_costs_one_derive_and_at_most_three_lines() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model");
    let mut counted = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let source = fs::read_to_string(&path)?;
        let derives =
            source.lines().filter(|line| line.starts_with("#[derive(") && line.contains("Syncable")).count();
        if derives > 0 {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            counted.push((name, derives, count(&source)));
        }
    }
    counted.sort();
    for (name, derives, (lines, departing)) in &counted {
        eprintln!(
            "{name:<20} {derives} derive, {lines} #[sync] lines, {departing} of them for departing fields"
        );
        assert_eq!(*derives, 1, "{name}");
        assert!(lines - departing <= 3, "{name} has {lines} #[sync] lines, {departing} for departing fields");
    }
    let names: Vec<&str> = counted.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "collection",
            "collection_entry",
            "content_identity",
            "device",
            "entry",
            "location",
            "tag",
            "tag_relation",
            "user_metadata",
            "user_metadata_tag",
            "volume",
        ]
    );
    Ok(())
}

#[test]
fn a_fourth_line_would_be_counted() {
    let four =
        "#[sync(shared)]\n#[sync(name = \"x\")]\n  #[sync(id)]\n  #[sync(skip)]\n  #[sync(merge = \"max\")]";
    assert_eq!(count(four), (5, 1));
}
