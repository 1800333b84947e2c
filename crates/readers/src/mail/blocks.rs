//! Recipients in the words of a report, and which words belong to which of them: the shapes that
//! reports give them, whoever writes the report.

use std::ops::Range;

use super::address::addresses;
use super::shapes::{Hit, Shape, begins_with_reply, generated, hits, tells_of_failure};
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
            .find(|next| next.line > hit.line && !next.address.is(&hit.address.text))
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
    if let ([block], Shape::Coded) = (blocks.as_mut_slice(), best) {
        let from = block.generated_from.take();
        block.generated_from = from.or_else(|| written_to(&hits, &block.address));
    }
    share(&mut blocks);
    blocks
}

/// `unable to deliver your message to a@b`, and then `552 Quota violation for c@d`: written was to the
/// one, which forwards to the other.
fn written_to(hits: &[Hit], failed: &str) -> Option<String> {
    let mut others = hits
        .iter()
        .filter(|hit| hit.shape == Shape::Sentence && !hit.address.is(failed))
        .map(|hit| &hit.address);
    let first = others.next()?;
    others
        .all(|other| other.is(&first.text))
        .then(|| first.text.clone())
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

/// Words about one recipient are no longer than this.
const LONGEST: usize = 8 * 1024;

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
    // Verizon: a list of what the message was, `RCPT TO: a@b` among it, below what was said.
    if hit.shape == Shape::Command && !line.trim_start().starts_with(['>', '<']) {
        return words;
    }
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
    // `There was an error delivering your mail to <a@b>.`, `For the following reason:`: the reason
    // comes in the next paragraph.
    let mut announced = match hit.shape == Shape::Sentence && !several {
        true => words.text().len(),
        false => 0,
    };
    let mut gap = false;
    for number in hit.line + 1..end {
        let line = text.line(number);
        if words.text().ends_with("reason:") {
            announced = words.text().len();
        }
        if words.text().len() > LONGEST {
            break;
        }
        let enough = says_something(&words.text()[announced..]);
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
        words.append(&text.words(number, lead..line.len()));
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
