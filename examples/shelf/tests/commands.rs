//! The program as a script uses it: what it prints, and how it ends.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs `shelf --json` on the library in `folder`.
fn shelf(folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_shelf"))
        .current_dir(folder)
        .env_remove("SHELF_LIBRARY")
        .args(["--library", "my.db", "--json"])
        .args(arguments)
        .output()
}

/// The same, and what it printed; the command has to succeed.
fn document(folder: &Path, arguments: &[&str]) -> Result<Value, Box<dyn std::error::Error>> {
    let output = shelf(folder, arguments)?;
    if !output.status.success() {
        return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn paths(listing: &Value) -> Vec<&str> {
    listing.as_array().into_iter().flatten().filter_map(|line| line["path"].as_str()).collect()
}

/// A folder `photos` of three files.
fn photos() -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("photos/2026/spring"))?;
    for (name, content) in [("2026/spring/sea.jpg", "sea"), ("2026/hill.jpg", "hill"), ("copy.jpg", "sea")] {
        fs::write(folder.path().join("photos").join(name), content)?;
    }
    Ok(folder)
}

#[test]
fn a_folder_is_indexed_and_then_kept_up_to_date() -> Outcome {
    let folder = photos()?;
    let first = document(folder.path(), &["index", "photos"])?;
    let counts = |report: &Value| {
        ["files", "folders", "added", "changed", "removed", "new_contents"].map(|name| report[name].as_u64())
    };
    assert_eq!(counts(&first), [3, 2, 5, 0, 0, 2].map(Some));
    fs::rename(folder.path().join("photos/2026"), folder.path().join("photos/old"))?;
    fs::write(folder.path().join("photos/copy.jpg"), "not a copy any more")?;
    let second = document(folder.path(), &["index", "photos"])?;
    assert_eq!(counts(&second), [3, 2, 4, 1, 4, 1].map(Some));
    let listed = document(folder.path(), &["ls", "-r", "photos/old"])?;
    assert_eq!(paths(&listed), ["photos/old/hill.jpg", "photos/old/spring", "photos/old/spring/sea.jpg"]);
    Ok(())
}

#[test]
fn a_tag_is_on_the_content_and_found_under_the_wider_tag() -> Outcome {
    let folder = photos()?;
    document(folder.path(), &["index", "photos"])?;
    let tagged = document(folder.path(), &["tag", "sea", "photos/2026/spring/sea.jpg", "--under", "nature"])?;
    assert_eq!(tagged, json!({"tag": "sea", "made": true, "files": 1, "removed": false, "uses": 1}));
    // The other file with the same bytes has it too.
    for tag in ["sea", "nature"] {
        let found = document(folder.path(), &["find", "--tag", tag])?;
        assert_eq!(paths(&found), ["photos/2026/spring/sea.jpg", "photos/copy.jpg"]);
    }
    document(folder.path(), &["tag", "hilly", "photos/2026/hill.jpg", "--this-copy"])?;
    assert_eq!(paths(&document(folder.path(), &["find", "--tag", "hilly"])?), ["photos/2026/hill.jpg"]);
    document(folder.path(), &["tag", "sea", "photos/copy.jpg", "--remove"])?;
    assert_eq!(shelf(folder.path(), &["find", "--tag", "sea"])?.status.code(), Some(3));
    Ok(())
}

#[test]
fn a_collection_keeps_what_was_put_into_it() -> Outcome {
    let folder = photos()?;
    document(folder.path(), &["index", "photos"])?;
    let files = ["collect", "best", "photos/copy.jpg", "photos/2026/hill.jpg"];
    let collected = document(folder.path(), &files)?;
    assert_eq!(collected, json!({"collection": "best", "made": true, "added": 2, "removed": 0}));
    let removed = document(folder.path(), &["collect", "best", "photos/copy.jpg", "--remove"])?;
    assert_eq!(removed, json!({"collection": "best", "made": false, "added": 0, "removed": 1}));
    let listed = document(folder.path(), &["ls", "--collection", "best"])?;
    assert_eq!(paths(&listed), ["photos/2026/hill.jpg"]);
    Ok(())
}

#[test]
fn mistakes_have_exit_codes_of_their_own() -> Outcome {
    let folder = photos()?;
    let code = |arguments: &[&str]| shelf(folder.path(), arguments).map(|output| output.status.code());
    assert_eq!(code(&["ls"])?, Some(3), "no library");
    assert_eq!(code(&["index", "nowhere"])?, Some(3), "no folder");
    assert!(!folder.path().join("my.db").exists(), "a mistake makes no library");
    document(folder.path(), &["index", "photos"])?;
    assert_eq!(code(&["ls", "photos/nothing"])?, Some(3), "no such path");
    assert_eq!(code(&["find", "--tag", "nothing"])?, Some(3), "no such tag");
    assert_eq!(code(&["frobnicate"])?, Some(2), "no such command");
    assert_eq!(code(&["join", "no code", "--library", "other.db"])?, Some(2), "no join code");
    assert_eq!(code(&["join", "no code"])?, Some(2), "the library is there already");
    Ok(())
}

/// The triggers go, something is written, and they come back: nobody noticed.
async fn behind_the_triggers(database: &Path, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await?;
    let kept = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 6) = '_sync_'";
    let kept: Vec<(String, String)> = sqlx::query_as(kept).fetch_all(&mut connection).await?;
    let drops = kept.iter().map(|(name, _)| format!("DROP TRIGGER \"{name}\""));
    let back = kept.iter().map(|(_, sql)| sql.clone());
    let all: Vec<String> = drops.chain([sql.to_owned()]).chain(back).collect();
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(all.join(";\n")))).await?;
    connection.close().await
}

#[test]
fn the_doctor_finds_what_nobody_noticed_and_puts_it_right() -> Outcome {
    let field = |report: &Value, name: &str| report.get(name).cloned().unwrap_or_default();
    let folder = photos()?;
    document(folder.path(), &["index", "photos"])?;
    document(folder.path(), &["tag", "sea", "photos/2026/spring/sea.jpg"])?;
    let report = document(folder.path(), &["doctor"])?;
    assert_eq!((field(&report, "findings"), field(&report, "repaired")), (json!([]), json!(0)));
    assert!(field(&report, "changesets").as_u64() > Some(2), "{report}");
    assert!(field(&report, "records").as_u64() > Some(2), "{report}");
    let database = folder.path().join("my.db");
    let damage = behind_the_triggers(&database, "UPDATE tag SET colour = 'wrong'");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(damage)?;
    let sick = shelf(folder.path(), &["doctor"])?;
    assert_eq!(sick.status.code(), Some(4));
    let report: Value = serde_json::from_slice(&sick.stdout)?;
    let findings = field(&report, "findings").to_string();
    assert!(findings.contains("shows something else than was written: colour"), "{report}");
    let report = document(folder.path(), &["doctor", "--repair", "history"])?;
    assert_eq!((field(&report, "findings"), field(&report, "repaired")), (json!([]), json!(1)));
    assert_eq!(field(&document(folder.path(), &["doctor"])?, "findings"), json!([]));
    Ok(())
}
