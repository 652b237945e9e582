//! The demo as a script uses it, on a small folder.

#![expect(clippy::indexing_slicing, reason = "what a report lacks reads as null, and the comparison fails")]

use std::process::Command;

use serde_json::Value;

#[test]
fn two_processes_converge_and_every_outcome_is_right() -> Result<(), Box<dyn std::error::Error>> {
    let output = Command::new(env!("CARGO_BIN_EXE_shelf"))
        .args(["--json", "demo", "--synthetic", "250", "--patience", "120"])
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(report["converged"], Value::Bool(true), "{report:#}");
    assert_eq!(report["indexed"]["files"].as_u64(), Some(250));
    let outcomes = report["outcomes"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(outcomes.len(), 10, "{outcomes:#?}");
    let tables = report["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(tables.len(), 11, "{tables:#?}");
    for table in tables {
        assert_eq!(table["laptop"], table["phone"], "{table}");
    }
    Ok(())
}

#[test]
fn a_folder_without_files_is_refused_in_words() -> Result<(), Box<dyn std::error::Error>> {
    let empty = tempfile::tempdir()?;
    let output = Command::new(env!("CARGO_BIN_EXE_shelf")).arg("demo").arg(empty.path()).output()?;
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("two files"), "{errors}");
    Ok(())
}
