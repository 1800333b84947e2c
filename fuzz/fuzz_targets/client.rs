//! What a server may say to the client.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (cuts, data) = checks::cuts(data);
    checks::client(data, &cuts);
});
