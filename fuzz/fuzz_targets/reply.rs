//! Streams of replies.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (cuts, data) = checks::cuts(data);
    checks::reply(data, &cuts);
});
