//! Values of parameters of MAIL and RCPT.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| {
    checks::parameters(data);
});
