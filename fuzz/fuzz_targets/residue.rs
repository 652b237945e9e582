//! libFuzzer drives the target `residue` of sync-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sync_fuzz_libfuzzer::run("residue", input);
});
