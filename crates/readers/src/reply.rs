//! A reply, of one line or several, or a sentence with one in it.

use crate::scan::{Codes, codes};
use crate::{Case, Kind, Spanned, Words};

/// Reads words as people paste them: one case.
pub(crate) fn read(input: &[u8], cases: &mut Vec<Case>) {
    if input.trim_ascii().is_empty() {
        return;
    }
    let start = input.len() - input.trim_ascii_start().len();
    let end = input.trim_ascii_end().len();
    let mut case = Case::new(Kind::Reply, (start, end));
    take(&mut case, &gather(input));
    cases.push(case);
}

/// All lines in one, without the reply codes that each line of a long reply repeats.
pub(crate) fn gather(input: &[u8]) -> Words {
    let mut words = Words::default();
    let mut at = 0;
    let mut repeated: Option<&[u8]> = None;
    for line in input.split(|b| *b == b'\n') {
        let here = at;
        at += line.len() + 1;
        let line = line.trim_ascii_end();
        let lead = line.len() - line.trim_ascii_start().len();
        let mut text = &line[lead..];
        let mut from = here + lead;
        // RFC 5321 §4.2.1: each line of a reply repeats its code; one of them is enough.
        if let Some(prefix) = code_prefix(text) {
            if repeated == Some(prefix) {
                let skip = 4.min(text.len());
                text = &text[skip..];
                from += skip;
                let status = text
                    .iter()
                    .take_while(|b| b.is_ascii_digit() || **b == b'.')
                    .count();
                if text[..status].iter().filter(|b| **b == b'.').count() == 2 {
                    text = &text[status..];
                    from += status;
                }
            }
            repeated = Some(prefix);
        }
        let more = text.len() - text.trim_ascii_start().len();
        if text.len() > more {
            words.space();
            words.push_bytes(&text[more..], from + more);
        }
    }
    words
}

/// Words of a long reply that were put on one line, without the codes that each of its lines repeats:
/// `550-5.1.1 There is no such 550 5.1.1 user`. Statuses beside them go too.
pub(crate) fn without_repeats(words: &Words) -> Words {
    let text = words.text();
    let bytes = text.as_bytes();
    let begins = |at: usize| at == 0 || matches!(bytes[at - 1], b' ' | b'\n' | b'\t');
    let marks: Vec<usize> = memchr::memchr2_iter(b'-', b' ', bytes)
        .filter_map(|mark| mark.checked_sub(3))
        .filter(|at| begins(*at) && code_prefix(&bytes[*at..]).is_some())
        .collect();
    let Some(first) = marks.iter().find(|at| bytes[**at + 3] == b'-') else {
        return words.clone();
    };
    let code = &bytes[*first..*first + 3];
    let repeats = marks
        .iter()
        .filter(|at| *at > first && bytes[**at..].starts_with(code));
    let mut made = Words::default();
    let mut from = 0;
    for at in repeats {
        let rest = &text[*at + 4..];
        let status = rest
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count();
        let dots = rest[..status].bytes().filter(|b| *b == b'.').count();
        made.append_as_is(&words.slice((from, *at)));
        from = *at + 4 + if dots == 2 { status } else { 0 };
        from += text[from..].len() - text[from..].trim_start_matches(' ').len();
    }
    made.append_as_is(&words.slice((from, text.len())));
    made
}

/// The three digits at the start of a line of a reply.
fn code_prefix(line: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = digits.iter().all(u8::is_ascii_digit) && (b'2'..=b'5').contains(&digits[0]);
    (code && rest.first().is_none_or(|b| matches!(b, b' ' | b'-'))).then_some(digits)
}

/// Puts words into a case, with the codes that stand in them.
pub(crate) fn take(case: &mut Case, words: &Words) {
    let Codes { reply, status } = codes(words.text());
    case.words = words.clone();
    case.reply = reply.and_then(|r| placed(words, r));
    case.status = status.and_then(|s| placed(words, s));
}

/// The first status in words, with its place in the input.
pub(crate) fn status_of(words: &Words) -> Option<Spanned<smtp::EnhancedStatus>> {
    let found = crate::scan::statuses(words.text());
    found.first().and_then(|status| placed(words, *status))
}

/// A value found in words, with its place in the input.
pub(crate) fn placed<T: Copy>(words: &Words, found: Spanned<T>) -> Option<Spanned<T>> {
    let span = words.origin(found.span)?;
    Some(Spanned {
        value: found.value,
        span,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(input: &str) -> Case {
        let mut cases = Vec::new();
        read(input.as_bytes(), &mut cases);
        assert_eq!(cases.len(), 1, "{input}");
        cases.remove(0)
    }

    #[test]
    fn a_long_reply_is_one_text_and_its_evidence_leads_back_to_its_lines() {
        let input = "  452-4.2.2 The recipient's inbox is\r\n452 4.2.2 out of storage space.\r\n";
        let case = one(input);
        assert_eq!(
            case.words.text(),
            "452-4.2.2 The recipient's inbox is out of storage space."
        );
        assert_eq!(
            (case.reply.map(|r| r.value), case.reply.map(|r| r.span)),
            (Some(452), Some((2, 5)))
        );
        let diagnosis = case.diagnose();
        assert_eq!(diagnosis.cause, diagnosis::Cause::MailboxFull);
        let mut words = diagnosis.evidence.iter();
        let words = words
            .find(|e| e.source == diagnosis::EvidenceSource::ReplyText)
            .unwrap();
        let (from, to) = words.span.unwrap();
        assert!(
            input[from..to].starts_with("out of storage"),
            "{}",
            &input[from..to]
        );
    }

    #[test]
    fn words_without_codes_are_a_case_too() {
        let case = one("mailbox is full");
        assert_eq!((case.reply, case.status), (None, None));
        assert_eq!(case.diagnose().cause, diagnosis::Cause::MailboxFull);
    }

    #[test]
    fn a_long_reply_that_was_joined_loses_its_repeated_codes() {
        for (input, expected) in [
            (
                "host said: 550-5.1.1 There is no such 550-5.1.1  user here 550 5.1.1 at all (in reply)",
                "host said: 550-5.1.1 There is no such user here at all (in reply)",
            ),
            ("550 5.1.1 no 550 such", "550 5.1.1 no 550 such"),
            ("550-no such 550 user", "550-no such user"),
            ("", ""),
        ] {
            let mut words = Words::default();
            words.push(input, (7, 7 + input.len()));
            let joined = without_repeats(&words);
            assert_eq!(joined.text(), expected);
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        let mut cases = Vec::new();
        read(b" \r\n ", &mut cases);
        assert!(cases.is_empty());
    }
}
