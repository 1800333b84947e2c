//! Command lines.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    checks::command(data);
});
