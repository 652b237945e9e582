//! Finds a target of sync-fuzz by its name, for libFuzzer. A panic is a finding.

/// Runs the target of that name.
///
/// # Panics
/// When the target finds something wrong, or does not exist.
pub fn run(name: &str, input: &[u8]) {
    let target = sync_fuzz::targets::find(name);
    assert!(target.is_some(), "no target {name}");
    if let Some(target) = target {
        (target.run)(input);
    }
}
