//! How reports are told by their words, as data: who writes so, and where the returned message begins.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use diagnosis::Dialect;

use super::text::Text;

/// A kind of report in words.
pub(super) struct ReportKind {
    /// Who writes so, where the catalog knows them.
    pub(super) dialect: Option<Dialect>,
    /// Words (of lower case) that only a report has, one of which makes it one of this kind.
    pub(super) marks: &'static [&'static str],
    /// Whether the words alone make it a report, whatever its header says.
    pub(super) sure: bool,
}

const fn row(dialect: Option<Dialect>, marks: &'static [&'static str]) -> ReportKind {
    ReportKind {
        dialect,
        marks,
        sure: false,
    }
}

/// The kinds, those with the plainest marks first.
pub(super) const KINDS: &[ReportKind] = &[
    row(
        Some(Dialect::Qmail),
        &[
            "this is the qmail-send program",
            "i'm afraid i wasn't able to deliver",
            "i tried to deliver your message, but", // qmail forks
        ],
    ),
    row(
        Some(Dialect::Gmx),
        &["the header of the original message is following"],
    ),
    row(
        Some(Dialect::Exim),
        &[
            "this message was created automatically by mail delivery software",
            "a message that you sent could not be delivered",
            "a message that you sent has not yet been delivered",
            "a message that you sent contained one or more recipient addresses",
            "smtp error from remote mail server after",
            "smtp error from remote mailer after",
        ],
    ),
    row(
        Some(Dialect::Postfix),
        &[
            "this is the mail system at host",
            "this is the postfix program at host",
            "this is the mail delivery agent at",
        ],
    ),
    row(
        Some(Dialect::Sendmail),
        &[
            "----- the following addresses had",
            "----- transcript of session follows -----",
            "----- unsent message follows",
        ],
    ),
    row(
        Some(Dialect::Microsoft365),
        &[
            "wasn't delivered to",
            "office 365",
            "generating server: ",
            "diagnostic information for administrators",
        ],
    ),
    row(
        Some(Dialect::Exchange),
        &[
            "did not reach the following recipient",
            "did not reach some or all of the intended recipients",
            "the following recipient(s) could not be reached",
            "delivery has failed to these recipients",
            "delivery is delayed to these recipients",
            "could not be delivered to the following recipient",
            "msexch:",
        ],
    ),
    row(
        Some(Dialect::Google),
        &[
            "delivery to the following recipient failed permanently",
            "delivery to the following recipient has been delayed",
            "delivery to the following recipients failed",
            "technical details of permanent failure",
            "technical details of temporary failure",
            "** address not found **",
            "** message not delivered **",
            "** message blocked **",
            "** delivery incomplete **",
        ],
    ),
    row(
        Some(Dialect::Yahoo),
        &[
            "sorry, we were unable to deliver your message to the following address",
            "message from yahoo.com",
            "message from yahoo",
            "unable to deliver message to the following address",
        ],
    ),
    row(
        Some(Dialect::GroupWise),
        &["the attached file had the following undeliverable recipient"],
    ),
    row(
        Some(Dialect::Domino),
        &["was not delivered to:", "not listed in domino directory"],
    ),
    row(
        Some(Dialect::Courier),
        &["undeliverable mail", "delays in delivering your message"],
    ),
    row(
        Some(Dialect::James),
        &["this is the james mail server", "error message below:"],
    ),
    row(
        Some(Dialect::AmazonSes),
        &["an error occurred while trying to deliver the mail to the following recipients"],
    ),
    row(
        Some(Dialect::MailRu),
        &["this message was created automatically by the mail system"],
    ),
    row(
        Some(Dialect::Yandex),
        &[
            "this is the mail system at host yandex",
            "mail delivery system at yandex",
        ],
    ),
    row(
        Some(Dialect::MDaemon),
        &[
            "the attached message had permanent",
            "mdaemon has identified your message",
        ],
    ),
    row(
        Some(Dialect::Zimbra),
        &["this is the mail system at zimbra"],
    ),
    row(
        Some(Dialect::Kddi),
        &[
            "could not be delivered to the following address",
            "your message was not sent to the following recipient",
            "each of the following recipients was rejected by a remote mail server",
            "your mail sent on",
        ],
    ),
    // Mailing lists that refuse what is sent to them.
    ReportKind {
        dialect: None,
        marks: &[
            "you are not a member of this mailing list",
            "duplicated message-id in <",
        ],
        sure: true,
    },
    row(
        None,
        &[
            "this is the dragonfly mail agent",
            "could not deliver message to",
            "the following address(es) failed",
            "the following message to <",
            "failed to deliver to '",
            "failed to deliver the following message",
            "your message cannot be delivered to the following recipients",
            "could not be delivered for the following reason",
            "mail could not be delivered",
            "message could not be delivered",
            "undeliverable message",
            "undelivered message",
            "delivery failed",
            "delivery failure",
            "user unknown",
            "unknown user",
            "no such user",
            "unrouteable address",
            "returned to sender",
            "non-delivered information",
            "had delivery problems",
            "was undeliverable",
            "is undeliverable",
            "not able to deliver",
            "unable to deliver",
            "couldn't be delivered",
            "could not be delivered",
            "cannot be delivered",
            "can't be delivered",
            "was not delivered",
            "wasn't delivered",
            "not be delivered to",
            "delivery status notification",
            "did not reach",
            "smtp error",
            "remote host said",
            "mailbox is full",
            "mailbox full",
            "over quota",
        ],
    ),
];

static MARKS: LazyLock<(Option<AhoCorasick>, Vec<usize>)> = LazyLock::new(|| {
    let marks = KINDS
        .iter()
        .enumerate()
        .flat_map(|(kind, row)| row.marks.iter().map(move |mark| (kind, *mark)));
    let (kinds, marks): (Vec<usize>, Vec<&str>) = marks.unzip();
    let matcher = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .build(marks);
    (matcher.ok(), kinds)
});

/// The kind of a report by its words; none where nothing in them is of a report.
pub(super) fn kind_of(text: &str) -> Option<&'static ReportKind> {
    let (matcher, kinds) = &*MARKS;
    let found = matcher.as_ref()?.find_overlapping_iter(text);
    let first = found.map(|m| kinds[m.pattern().as_usize()]).min()?;
    KINDS.get(first)
}

/// How the line begins (in lower case, without the marks around it) after which the returned message
/// comes.
const RETURNED: &[&str] = &[
    "this is a copy of the message",
    "this is a copy of your message",
    "this is a copy of the headers",
    "this is the header of",
    "below this line is a copy of the message",
    "below this line is the original bounce",
    "below is a copy of the original message",
    "a copy of the original message below",
    "the header of the original message",
    "the body of the message is",
    "original message follows",
    "original message headers",
    "original message header",
    "original mail as follows",
    "original message",
    "unsent message follows",
    "unsent message below",
    "message header follows",
    "message headers follow",
    "message text follows",
    "message follows",
    "returned message follows",
    "returned mail follows",
    "returned message",
    "undelivered message follows",
    "start of returned message",
    "start of returned",
    "start of message",
    "non-delivered message",
    "non-delivered information follows",
    "copy of your message follows",
    "the original message was",
    "your original message follows",
    "your message header follows",
    "your message follows",
    "headers of the original message",
    "header of the original message",
    "message header",
    "en-têtes de message d'origine",
    "en-têtes de message d’origine",
    "intestazioni originali del messaggio",
    "ursprüngliche nachrichtenkopfzeilen",
    "encabezados de mensaje originales",
    "oorspronkelijke berichtkoppen",
    "oorspronkelijke berichtkopteksten",
    "-- the following is",
];

/// Lines that begin like one above and say something else.
const NOT_RETURNED: &[&str] = &[
    "the original message was received",
    "the original message was sent",
];

/// The line at which what was returned begins: behind a line that says so, or at a header.
pub(super) fn returned(text: &Text, lines: Range<usize>) -> usize {
    for number in lines.clone() {
        let line = text.line(number);
        if line.is_empty() {
            continue;
        }
        if is_header(text, number, lines.end) || says_returned(line) {
            return number;
        }
    }
    lines.end
}

fn says_returned(line: &str) -> bool {
    let bare = line.trim_matches(|c: char| c.is_whitespace() || "-=*#_>:.|+".contains(c));
    let marked = line
        .trim_start()
        .starts_with(['-', '=', '*', '#', '_', '+']);
    // A sentence that goes on is no heading, unless it is set off.
    if bare.is_empty() || (!marked && bare.len() > 90) {
        return false;
    }
    let begins = |mark: &&&str| {
        bare.get(..mark.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(mark))
    };
    let Some(mark) = RETURNED.iter().find(begins) else {
        return false;
    };
    let heading = marked || bare.len() <= mark.len() + 24 || line.ends_with(':');
    heading && !NOT_RETURNED.iter().any(|not| begins(&not))
}

/// Fields that people seldom type.
const TELLING: &[&str] = &[
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "dkim-signature",
];
/// Fields that every message has.
const USUAL: &[&str] = &["from", "to", "subject", "date"];

/// The name of a field of a message that a line begins with, and whether it is a telling one.
fn field_of_a_message(line: &str) -> Option<(&str, bool)> {
    let (name, _) = line.split_once(':')?;
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    let telling = TELLING.iter().any(is);
    (telling || USUAL.iter().any(is)).then_some((name, telling))
}

/// Whether the header of a message begins here: at the left, three fields of one at least, of which one
/// is seldom typed by people.
pub(super) fn is_header(text: &Text, first: usize, end: usize) -> bool {
    if field_of_a_message(text.line(first)).is_none() {
        return false;
    }
    // Within a row of fields, the first of them has been looked at.
    if first > 0 && field_of_a_message(text.line(first - 1)).is_some() {
        return false;
    }
    let mut telling = false;
    let mut names: Vec<&str> = Vec::new();
    for number in first..end.min(first + 40) {
        let line = text.line(number);
        if line.starts_with([' ', '\t']) {
            continue;
        }
        if let Some((name, tells)) = field_of_a_message(line) {
            telling |= tells;
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        } else if super::fields::name_length(line.as_bytes()).is_none() {
            return false;
        }
        if telling && names.len() >= 3 {
            return true;
        }
    }
    false
}
