//! Whatever people paste: codes, replies, bounces, mailboxes, logs.

#![no_main]

use explain::{Lang, Style};
use readers::{Case, Intake};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut whole = Vec::new();
    let mut intake = Intake::new();
    intake.push(data, &mut whole);
    intake.finish(&mut whole);
    for case in &whole {
        check(case, data.len());
    }
    // However it comes in pieces, the same is read.
    let mut pieces = Vec::new();
    let mut intake = Intake::new();
    for piece in data.chunks(data.len() / 3 + 1) {
        intake.push(piece, &mut pieces);
    }
    intake.finish(&mut pieces);
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
});

fn check(case: &Case, length: usize) {
    assert!(case.span.0 <= case.span.1 && case.span.1 <= length);
    let diagnosis = case.diagnose();
    assert!((0.0..=1.0).contains(&diagnosis.confidence));
    for (start, end) in diagnosis.evidence.iter().filter_map(|e| e.span) {
        assert!(start <= end && end <= length);
    }
    for lang in Lang::ALL {
        let text = explain::case_text(case, &diagnosis, lang, Style::Plain);
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!text.contains(control), "{text:?}");
    }
}
