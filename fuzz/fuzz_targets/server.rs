//! What a client may send to the server session.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (cuts, data) = checks::cuts(data);
    checks::server(data, &cuts);
});
