//! Addresses.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| {
    checks::address(data);
});
