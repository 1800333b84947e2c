//! The fifteen codes, in every spelling that people paste and in both languages.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its input fails"
)]

use std::fmt::Write;

use diagnosis::codes::{self, FIFTEEN, PageCode};
use explain::{Lang, Style, case_json, case_text, explain_case};
use readers::{Case, Intake};

fn read(input: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    intake.push(input.as_bytes(), &mut cases);
    intake.finish(&mut cases);
    cases
}

fn one(input: &str) -> Case {
    let mut cases = read(input);
    assert_eq!(cases.len(), 1, "{input}");
    cases.remove(0)
}

fn dotted(row: &PageCode) -> String {
    format!("{}.{}.{}", row.dotted.0, row.dotted.1, row.dotted.2)
}

/// Digits that no server sends (`422`) as well as replies (`450`), where they stand for this row.
fn digits(row: &PageCode) -> String {
    format!("{}{}{}", row.dotted.0, row.dotted.1, row.dotted.2)
}

/// The code alone, in each way that people write it.
fn spellings(row: &PageCode) -> Vec<String> {
    let (dotted, digits) = (dotted(row), digits(row));
    vec![
        dotted.clone(),
        digits.clone(),
        format!("{digits} {dotted}"),
        format!("#{dotted}"),
        format!("(#{dotted})"),
        format!("SMTP Error {dotted}"),
        format!("SMTP error code {digits}"),
        format!("Foutcode: {dotted}."),
        format!("  {dotted}\r\n"),
    ]
}

#[test]
fn each_of_the_fifteen_is_explained_in_both_languages() {
    for row in FIFTEEN {
        let case = one(&dotted(row));
        for lang in Lang::ALL {
            let text = case_text(&case, &case.diagnose(), lang, Style::Plain);
            insta::assert_snapshot!(format!("{}-{}", dotted(row), lang.as_str()), text);
        }
    }
}

#[test]
fn every_spelling_of_the_fifteen_is_told_what_the_page_tells() {
    let mut table = String::new();
    for row in FIFTEEN {
        for spelling in spellings(row) {
            let case = one(&spelling);
            let diagnosis = case.diagnose();
            let words = explain_case(&case, &diagnosis, Lang::En);
            let _ = writeln!(
                table,
                "{:<24} {:<24} {:>3} %  {:?}, {}",
                spelling.trim(),
                diagnosis.cause.id(),
                (diagnosis.confidence * 100.0).round(),
                diagnosis.finality,
                words.headline
            );
            assert_eq!(diagnosis.cause, row.causes[0].0, "{spelling}");
        }
    }
    insta::assert_snapshot!("spellings", table);
}

#[test]
fn a_dotted_code_that_may_be_a_reply_shows_both_readings() {
    for (input, readings) in [
        ("4.2.1", 2),
        ("4.5.0", 2),
        ("4.5.1", 2),
        ("4.5.2", 2),
        ("4.2.0", 2),
        ("4.2.2", 1),
        ("4.4.1", 1),
        ("421 4.2.1", 1),
        ("450", 1),
    ] {
        assert_eq!(one(input).readings().len(), readings, "{input}");
    }
}

#[test]
fn json_never_holds_a_code_that_the_input_does_not() {
    for (input, reply, status) in [
        ("4.2.1", None, Some("4.2.1")),
        ("421", Some(421), None),
        ("422", None, Some("4.2.2")),
        ("421 4.2.1", Some(421), Some("4.2.1")),
        ("mailbox full", None, None),
        ("550 no such user", Some(550), None),
    ] {
        let case = one(input);
        let diagnosis = case.diagnose();
        let json = serde_json::to_value(case_json(&case, &diagnosis, "-", Lang::En)).unwrap();
        assert_eq!(json["reply"].as_u64(), reply, "{input}");
        assert_eq!(json["status"].as_str(), status, "{input}");
    }
}

#[test]
fn every_registered_code_and_every_reply_is_explained() {
    for lang in Lang::ALL {
        for row in codes::ENHANCED {
            for class in row.classes {
                let code = format!("{class}.{}.{}", row.code.1, row.code.2);
                is_explained(&code, lang);
            }
        }
        for row in codes::REPLIES {
            is_explained(&row.code.to_string(), lang);
        }
    }
}

fn is_explained(code: &str, lang: Lang) {
    let case = one(code);
    let words = explain_case(&case, &case.diagnose(), lang);
    for text in [&words.what, &words.who, &words.next] {
        assert!(
            text.contains(' ') && !text.contains('{'),
            "{code} {lang:?}: {text}"
        );
    }
}

#[test]
fn success_is_nobodys_problem() {
    for input in ["250", "2.1.5", "250 2.6.0", "354"] {
        let case = one(input);
        let words = explain_case(&case, &case.diagnose(), Lang::En);
        assert!(
            words.who.starts_with("Nobody") && words.do_.is_empty(),
            "{input}: {words:?}"
        );
    }
}
