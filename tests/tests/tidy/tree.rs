//! The workspace's files, as text. Knows nothing of what is checked.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A text file of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

impl File {
    /// A file for a check to be tried on.
    pub(crate) fn planted(path: &str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), text: text.into() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    pub(crate) fn is_document(&self) -> bool {
        self.has_extension("md")
    }

    fn has_extension(&self, wanted: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == wanted)
    }

    /// A sample that the derive must refuse; not code of this project.
    pub(crate) fn is_ui_sample(&self) -> bool {
        self.path.contains("/tests/ui/")
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests live in a workspace").to_owned()
}

/// Every file of the workspace that is text and not ignored by Git, in order of path.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let walk = ignore::WalkBuilder::new(&root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some(".git" | "target")))
        .build();
    let mut found: Vec<File> = walk
        .map(|entry| entry.expect("the workspace can be read").into_path())
        .filter(|path| path.is_file())
        .filter_map(|path| {
            let text = String::from_utf8(std::fs::read(&path).expect("the file can be read")).ok()?;
            let relative = path.strip_prefix(&root).expect("below the root").to_str().expect("UTF-8");
            Some(File { path: relative.replace('\\', "/"), text })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "{} files: the walk is broken", found.len());
    found
}

/// The files that are Rust source of this project.
pub(crate) fn sources() -> Vec<File> {
    files().into_iter().filter(|file| file.is_rust() && !file.is_ui_sample()).collect()
}

/// One file that must be there.
pub(crate) fn read(path: &str) -> File {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    File { path: path.to_owned(), text }
}

/// What `cargo metadata` says with these arguments.
pub(crate) fn metadata(arguments: &[&str]) -> serde_json::Value {
    let run = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .current_dir(root())
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(arguments)
            .args(offline)
            .output()
            .expect("cargo starts")
    };
    let mut output = run(&["--offline"]);
    if !output.status.success() {
        // A package that no build of this machine needed is not there yet.
        output = run(&[]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

/// Fails with all findings at once.
#[track_caller]
pub(crate) fn none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
