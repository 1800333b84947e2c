//! Content with dots added and taken out.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (cuts, data) = checks::cuts(data);
    let (wire_cuts, data) = checks::cuts(data);
    checks::stuffing(data, &cuts, &wire_cuts);
});
