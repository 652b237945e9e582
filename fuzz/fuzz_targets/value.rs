//! libFuzzer drives the target `value` of sync-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sync_fuzz_libfuzzer::run("value", input);
});
