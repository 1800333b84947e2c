//! EHLO replies.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    checks::extensions(data);
});
