//! Recipients in the words of a report, and which words belong to which of them: the shapes that
//! reports give them, whoever writes the report.

use std::ops::Range;

use super::address::{Address, addresses};
use super::text::Text;
use crate::{Words, scan};

/// One recipient and what was said about it.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) address: String,
    /// The address that was written to, where the report says that this one came of it.
    pub(super) generated_from: Option<String>,
    pub(super) words: Words,
}

impl Block {
    /// A recipient without words of its own.
    pub(super) fn bare(address: &str) -> Block {
        Block {
            address: address.to_owned(),
            generated_from: None,
            words: Words::default(),
        }
    }
}

/// How a line shows a recipient, the plainest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// The line begins with it: `<a@b>: host said`, `a@b` alone, `a@b on 1 May`, `a@b... unknown`.
    Head,
    /// `Recipient: a@b`
    Named,
    /// `550 5.1.1 <a@b>... User unknown`
    Coded,
    /// `>>> RCPT TO:<a@b>`
    Command,
    /// `your message to a@b could not be delivered`
    Sentence,
    /// `To: a@b`
    Addressed,
}

struct Hit {
    shape: Shape,
    line: usize,
    address: Address,
}

/// Finds the recipients in these lines. `own` are addresses that are no recipients of the message in
/// question: those that the report is to and from.
/// `failed` are those that the header of the report names.
pub(super) fn blocks(
    text: &Text,
    lines: Range<usize>,
    own: &[String],
    failed: &[String],
) -> Vec<Block> {
    let mut hits: Vec<Hit> = lines
        .clone()
        .flat_map(|number| hits(text, number))
        .take(MOST)
        .collect();
    let is_of = |hit: &Hit, list: &[String]| list.iter().any(|one| hit.address.is(one));
    if hits.iter().any(|hit| is_of(hit, failed)) {
        hits.retain(|hit| is_of(hit, failed));
    } else if !failed.is_empty() {
        hits.retain(|hit| hit.shape == Shape::Head && !is_of(hit, own));
    } else if hits.iter().any(|hit| !is_of(hit, own)) {
        hits.retain(|hit| !is_of(hit, own));
    } else {
        hits.retain(|hit| hit.shape == Shape::Head);
    }
    let Some(best) = hits.iter().map(|hit| hit.shape).min() else {
        return Vec::new();
    };
    let chosen: Vec<&Hit> = hits.iter().filter(|hit| hit.shape == best).collect();
    let mut blocks: Vec<Block> = Vec::new();
    for (index, hit) in chosen.iter().enumerate() {
        if blocks.iter().any(|block| hit.address.is(&block.address)) {
            continue;
        }
        let end = chosen
            .iter()
            .skip(index + 1)
            .find(|next| next.line > hit.line)
            .map_or(lines.end, |next| next.line);
        let several = chosen
            .iter()
            .any(|other| !other.address.is(&hit.address.text));
        let mut words = words_of(text, hit, end, several);
        if chosen.len() <= FEW && scan::codes(words.text()).reply.is_none() {
            let more = mentions(text, lines.clone(), hit, &words);
            if !more.is_empty() {
                words.append(&more);
            }
        }
        blocks.push(Block {
            address: hit.address.text.clone(),
            generated_from: generated_from(text, hit.line, end),
            words,
        });
    }
    share(&mut blocks);
    blocks
}

/// Up to so many recipients, the whole text is searched for more about each.
const FEW: usize = 100;

/// Recipients without words of their own share those of the next that has some.
fn share(blocks: &mut [Block]) {
    let mut last: Option<Words> = None;
    for block in blocks.iter_mut().rev() {
        if says_something(block.words.text()) {
            last = Some(block.words.clone());
        } else if let Some(words) = &last {
            block.words = words.clone();
        }
    }
}

/// How one line shows recipients.
fn hits(text: &Text, number: usize) -> Vec<Hit> {
    let line = text.line(number);
    if !line.contains('@') {
        return Vec::new();
    }
    let found = addresses(line);
    let hit = |shape: Shape, address: &Address| Hit {
        shape,
        line: number,
        address: address.clone(),
    };
    let Some(first) = found.first() else {
        return Vec::new();
    };
    // Exim: an address that is not told, and below it the one that it was made from.
    let hidden = number > 0
        && generated(line).is_some()
        && (text.line(number - 1).contains("undisclosed address")
            || text.line(number - 1).trim_start().starts_with("pipe to "));
    if hidden {
        return vec![hit(Shape::Head, first)];
    }
    if let Some(shape) = by_start(line, first) {
        let all = match shape {
            // `550 5.1.1 <a@b>: from <c@d>`: the first is meant.
            Shape::Head | Shape::Named | Shape::Addressed if only_addresses(line, &found) => {
                &found[..]
            }
            // `a@b <c@d>: malformed`: a name that looks like an address, and the address.
            Shape::Head if is_name_of(line, &found) => &found[1..2],
            _ => &found[..1],
        };
        return all.iter().map(|address| hit(shape, address)).collect();
    }
    if tells_of_failure(line) {
        return found
            .iter()
            .filter(|address| !follows_from(line, address))
            .map(|address| hit(Shape::Sentence, address))
            .collect();
    }
    Vec::new()
}

fn is_name_of(line: &str, found: &[Address]) -> bool {
    let [name, address, ..] = found else {
        return false;
    };
    let between = &line[name.range.end..address.range.start];
    !name.bracketed && address.bracketed && between.trim().is_empty() && !name.is(&address.text)
}

/// `from a@b`, `by a@b`, `contact a@b`: no recipient.
fn follows_from(line: &str, address: &Address) -> bool {
    let before = line[..address.range.start].trim_end_matches([' ', ':', '"', '\'', '<', '(', '[']);
    let word = before
        .rsplit(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    const OTHERS: &[&str] = &[
        "from",
        "by",
        "contact",
        "sender",
        "postmaster",
        "write",
        "email",
        "mailto",
        "helo",
        "ask",
        "if",
        "try",
        "emailing",
    ];
    OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// Whether a line is a list of addresses and nothing more.
fn only_addresses(line: &str, found: &[Address]) -> bool {
    let last = found.last().map_or(0, |address| address.range.end);
    let rest = line.get(last..).unwrap_or_default();
    !rest.chars().any(char::is_alphanumeric)
        && found.windows(2).all(|pair| {
            let between = &line[pair[0].range.end..pair[1].range.start];
            !between.chars().any(char::is_alphanumeric)
        })
}

fn by_start(line: &str, first: &Address) -> Option<Shape> {
    let before = &line[..first.range.start];
    let after = &line[first.range.end..];
    let lead =
        before.trim_start_matches(|c: char| c.is_whitespace() || "*-+=>•·|\"'([".contains(c));
    if lead.is_empty() {
        return heads(before, after).then_some(Shape::Head);
    }
    // `Some Person <a@b>`, and nothing more.
    let alone = !after.chars().any(char::is_alphanumeric);
    if first.bracketed && alone && !lead.contains([':', ';']) && lead.split(' ').count() <= 5 {
        let name = lead.trim_matches([' ', '"', '\'']);
        if name.chars().next().is_some_and(char::is_uppercase) && !tells_of_failure(name) {
            return Some(Shape::Head);
        }
    }
    if let Some(command) = lead.get(..4) {
        if command.eq_ignore_ascii_case("rcpt") {
            return Some(Shape::Command);
        }
        if command.eq_ignore_ascii_case("mail") && lead.len() < 14 && lead.trim_end().ends_with(':')
        {
            return None;
        }
    }
    // An X.400 address that holds one of ours: `c=US;a= ;p=X;dda:SMTP=a@b; on 1 May`.
    if lead.to_ascii_lowercase().ends_with("dda:smtp=") {
        return Some(Shape::Head);
    }
    if begins_with_reply(lead) {
        return Some(Shape::Coded);
    }
    by_name(lead)
}

fn begins_with_reply(text: &str) -> bool {
    let reply = text.trim_start_matches(['<', ' ', '.']).as_bytes();
    reply.len() >= 4
        && matches!(reply[0], b'4' | b'5')
        && reply[..3].iter().all(u8::is_ascii_digit)
        && matches!(reply[3], b' ' | b'-' | b':')
}

/// Whether a line that begins with an address tells of it.
fn heads(before: &str, after: &str) -> bool {
    let rest = after.trim_start_matches(['"', '\'', ')', ']', '>']);
    let text = rest.trim_start();
    if !rest.chars().any(char::is_alphanumeric) {
        return true;
    }
    let space = rest.len() > text.len();
    rest.starts_with([':', ';'])
        || rest.starts_with("...")
        || text.starts_with(':')
        || (space && text.starts_with("on ") && text.bytes().any(|b| b.is_ascii_digit()))
        || (space && text.starts_with(['(', '[', '<', '-']))
        || (rest.starts_with(',') && before.trim().is_empty() && tells_of_failure(text))
        || (space && tells_of_failure(text))
}

/// `Recipient: `, `Failed address: `, and so on.
fn by_name(lead: &str) -> Option<Shape> {
    let name = lead.trim_end_matches(|c: char| c.is_whitespace() || "<\"'([".contains(c));
    // `[SMTP:a@b]`
    let inner = ["SMTP:", "smtp:", "mailto:"].iter();
    let inner = inner.filter_map(|kind| name.strip_suffix(kind)).next();
    let name = inner.unwrap_or(name);
    let name = name.trim_end_matches(|c: char| c.is_whitespace() || "<\"'([".contains(c));
    let name = name.strip_suffix(':').or_else(|| name.strip_suffix('='))?;
    let name = name.trim();
    const NAMED: &[&str] = &[
        "recipient",
        "recipients",
        "address",
        "addressee",
        "user",
        "failed",
        "mailbox",
        "rcpt to",
        "rcpt",
        "destinataire",
        "empfänger",
        "ontvanger",
        "destinatario",
        "undeliverable to",
        "delivered to",
        "delivery to",
        "sent to",
        "mail to",
        "message to",
        "failed to",
        "deliver to",
    ];
    let lower = name.to_lowercase();
    if NAMED.iter().any(|known| lower.ends_with(known)) {
        return Some(Shape::Named);
    }
    matches!(lower.as_str(), "to" | "an" | "aan" | "à").then_some(Shape::Addressed)
}

/// Words (of lower case) that tell of a failure.
const FAILURE: &[&str] = &[
    "unknown",
    "not found",
    "fail",
    "invalid",
    "reject",
    "refus",
    "denied",
    "undeliver",
    "not be delivered",
    "n't be delivered",
    "not delivered",
    "n't delivered",
    "unable to",
    "not exist",
    "n't exist",
    "no such",
    "disabled",
    "full",
    "quota",
    "exceed",
    "not listed",
    "error",
    "unavailable",
    "unreachable",
    "not reach",
    "blocked",
    "bounce",
    "timed out",
    "timeout",
    "expired",
    "inactive",
    "suspended",
    "unbekannt",
    "inconnu",
    "desconocid",
    "n't deliver",
    "not deliver",
    "not a valid",
    "n't a valid",
    "no mailbox",
    "not available",
    "not recogni",
    "no longer",
    "cannot",
    "can't",
    "couldn't",
    "returned",
    "denies",
    "not accept",
    "n't accept",
    "not allowed",
    "problem",
    "not known",
    "n't have",
    "too large",
    "not our customer",
    "delayed",
    "not permitted",
    "discarded",
    "not active",
    "could not",
    "unrouteable",
    "no account",
    "addressed to",
    "did not",
    "not a member",
    "duplicated message-id",
];

pub(super) fn tells_of_failure(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let coded = || {
        let codes = scan::codes(text);
        codes.reply.is_some() || codes.status.is_some()
    };
    FAILURE.iter().any(|word| lower.contains(word)) || coded()
}

/// So many recipients are found in words.
const MOST: usize = 2000;

/// Whether words hold more than codes, addresses and marks.
pub(super) fn says_something(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| !word.contains('@'));
    let letters: usize = words
        .map(|word| word.chars().filter(|c| c.is_alphabetic()).count())
        .sum();
    letters >= 8
}

/// The words after a recipient, up to the next: its paragraph, and as many more as it takes to say
/// something; where a code comes later, up to that.
fn words_of(text: &Text, hit: &Hit, end: usize, several: bool) -> Words {
    let mut words = Words::default();
    let line = text.line(hit.line);
    let rest = match hit.shape {
        Shape::Head => hit.address.range.end..line.len(),
        // `554 <a@b>... 550 Host unknown`: the reply within is the one that counts.
        Shape::Coded if begins_with_reply(&line[hit.address.range.end..]) => {
            hit.address.range.end..line.len()
        }
        _ => 0..line.len(),
    };
    let shown =
        line[rest.clone()].trim_start_matches([':', ';', '"', '>', ')', ' ', '\t', ',', '.']);
    if shown.chars().any(char::is_alphanumeric) {
        words.append(&text.words(hit.line, line.len() - shown.len()..line.len()));
    }
    let mut gap = false;
    for number in hit.line + 1..end {
        let line = text.line(number);
        let enough = says_something(words.text());
        if line.is_empty() {
            gap = true;
            continue;
        }
        if gap && enough {
            let coded = scan::codes(words.text());
            let done = coded.reply.is_some() || coded.status.is_some();
            let later = || (number..end).any(|later| has_code(text.line(later)));
            if done || several || !later() {
                break;
            }
        }
        gap = false;
        if is_secret(line) || is_rule(line) {
            continue;
        }
        let lead = line.len() - line.trim_start().len();
        let (from, line_words) = (lead, text.words(number, lead..line.len()));
        debug_assert!(from <= line.len());
        words.append(&line_words);
    }
    words
}

fn has_code(line: &str) -> bool {
    let codes = scan::codes(line);
    codes.reply.is_some() || codes.status.is_some()
}

/// `----- Transcript of session follows -----`
fn is_rule(line: &str) -> bool {
    let bare = line.trim();
    bare.starts_with("---") || bare.starts_with("===") || bare.starts_with("***")
}

/// A line of a transcript that may hold a secret: AUTH, and what goes on from it (RFC 4954 §4).
pub(super) fn is_secret(line: &str) -> bool {
    let bare = line.trim_start_matches(|c: char| c.is_whitespace() || "><-=CS:".contains(c));
    let auth = bare
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case("auth "));
    auth || bare.starts_with("334 ")
}

/// Lines elsewhere that speak of this recipient: a reply to its RCPT, or with its address in it.
fn mentions(text: &Text, lines: Range<usize>, hit: &Hit, so_far: &Words) -> Words {
    let mut words = Words::default();
    let address = hit.address.text.to_ascii_lowercase();
    let mut asked = false;
    for number in lines {
        let line = text.line(number);
        if number == hit.line || is_secret(line) || line.is_empty() {
            continue;
        }
        let bare = line.trim_start();
        if bare.starts_with(">>>") {
            asked = bare.to_ascii_lowercase().contains(&address);
            continue;
        }
        let answer = asked && bare.starts_with("<<<");
        let named = (has_code(line) || tells_of_failure(line))
            && line.to_ascii_lowercase().contains(&address);
        if (answer || named) && !so_far.text().contains(bare) {
            let lead = line.len() - line.trim_start_matches(['<', ' ', '\t']).len();
            words.append(&text.words(number, lead..line.len()));
        }
    }
    words
}

/// Exim: `(generated from a@b)`, `(ultimately generated from a@b)`; Sendmail: `(expanded from: a@b)`;
/// Postfix: `<c@d> (expanded from <a@b>): host said`.
fn generated_from(text: &Text, first: usize, end: usize) -> Option<String> {
    (first..end.min(first + 3)).find_map(|number| {
        let after = generated(text.line(number))?;
        let next = || addresses(text.line(number + 1)).into_iter().next();
        let here = addresses(after).into_iter().next();
        here.or_else(next).map(|address| address.text)
    })
}

/// What follows the words that say where an address came from.
fn generated(line: &str) -> Option<&str> {
    let words = ["generated from", "generated by", "expanded from"];
    words
        .iter()
        .find_map(|words| line.split_once(words))
        .map(|(_, after)| after)
}
