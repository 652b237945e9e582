//! libFuzzer drives the target `verify` of sync-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sync_fuzz_libfuzzer::run("verify", input);
});
