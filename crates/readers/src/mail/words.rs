//! Reports in words: is it one, whom is it about, and what was said.

use std::ops::Range;

use diagnosis::{Ended, SaidBy};

use super::about;
use super::blocks::{Block, blocks, is_secret, says_something, tells_of_failure};
use super::envelope::Envelope;
use super::failures::{self, Context};
use super::kinds::{self, kind_of};
use super::status;
use super::text::Text;
use crate::{Case, Kind, Words};

/// The cases of a text in a mail: those whose recipient it names; where `vague`, one without that too.
pub(super) fn cases(text: &Text, context: &Context<'_>, vague: bool) -> Vec<Case> {
    let end = kinds::returned(text, 0..text.len());
    let signs = context.envelope.signs();
    let context = &with_returned(text, end, context);
    // Fields of a delivery status, pasted into the text.
    if let Some(first) = status::begins(text, 0..end) {
        let report = status::read(text, first..end);
        let before = Text::new(text.slice(0..text.start(first)));
        let cases = failures::of_report(report, &[before], context);
        if !cases.is_empty() {
            return cases;
        }
    }
    let shown = &text.as_str()[..text.start(end + 1)];
    let kind = kind_of(shown);
    let a_report = match kind {
        Some(kind) => signs >= 1 || kind.sure,
        // In a language whose words are not known here, the header has to say it all.
        None => {
            signs >= 4
                || (signs >= 2 && tells_of_failure(shown))
                || (signs >= 1 && has_a_list(text, end))
        }
    };
    if !a_report || context.envelope.auto_replied {
        return Vec::new();
    }
    let mut blocks = blocks_within(text, 0..end, context.envelope);
    if blocks.is_empty() {
        blocks = context
            .envelope
            .failed
            .iter()
            .map(|one| Block::bare(one))
            .collect();
    }
    if blocks.is_empty() && vague {
        // The recipient stands nowhere but in what was returned, if at all.
        let likely = context.about.likely_recipient();
        blocks = vec![Block::bare(likely.unwrap_or_default())];
    }
    by_blocks(text, 0..end, blocks, context)
}

/// Whether there are recipients in the form that qmail made common: `<a@b>:` in a line of its own.
fn has_a_list(text: &Text, end: usize) -> bool {
    (0..end).any(|number| {
        let line = text.line(number);
        line.starts_with('<') && line.ends_with(">:") && line.contains('@')
    })
}

/// The context, with what the text itself gives back where no part does.
fn with_returned<'a>(text: &Text, end: usize, context: &Context<'a>) -> Context<'a> {
    let none = context.about.about == crate::About::default();
    Context {
        envelope: context.envelope,
        about: match none && end < text.len() {
            true => about::of_text(&text.as_str()[text.start(end)..]),
            false => context.about.clone(),
        },
    }
}

/// The cases of a text that was pasted without a header.
pub(super) fn pasted(text: &Text) -> Vec<Case> {
    let envelope = Envelope::default();
    let context = Context {
        envelope: &envelope,
        about: about::Returned::default(),
    };
    let end = kinds::returned(text, 0..text.len());
    let context = &with_returned(text, end, &context);
    if let Some(first) = status::begins(text, 0..end) {
        let report = status::read(text, first..end);
        let before = Text::new(text.slice(0..text.start(first)));
        return failures::of_report(report, &[before], context);
    }
    let shown = &text.as_str()[..text.start(end + 1)];
    if kind_of(shown).is_none() || text.len() < 2 {
        return Vec::new();
    }
    let blocks = blocks_within(text, 0..end, &envelope);
    match blocks.is_empty() {
        true => Vec::new(),
        false => by_blocks(text, 0..end, blocks, context),
    }
}

/// Recipients and their words in a text that belongs to a delivery status.
pub(super) fn blocks_of(text: &Text, envelope: &Envelope) -> Vec<Block> {
    let end = kinds::returned(text, 0..text.len());
    blocks_within(text, 0..end, envelope)
}

fn blocks_within(text: &Text, lines: Range<usize>, envelope: &Envelope) -> Vec<Block> {
    let mut own = envelope.to.clone();
    own.extend(super::address::of_field(&envelope.from));
    blocks(text, lines, &own, &envelope.failed)
}

/// All words of a text before what was returned.
pub(super) fn all_of(text: &Text) -> Words {
    let end = kinds::returned(text, 0..text.len());
    lines_of(text, 0..end)
}

/// So many lines of a text without recipients in it are kept.
const LINES: usize = 60;

fn lines_of(text: &Text, lines: Range<usize>) -> Words {
    let mut words = Words::default();
    let shown = lines.filter(|number| {
        let line = text.line(*number);
        !line.is_empty() && !is_secret(line)
    });
    for number in shown.take(LINES) {
        let line = text.line(number);
        let lead = line.len() - line.trim_start().len();
        words.append(&text.words(number, lead..line.len()));
    }
    words
}

fn by_blocks(
    text: &Text,
    lines: Range<usize>,
    blocks: Vec<Block>,
    context: &Context<'_>,
) -> Vec<Case> {
    // With the line that announces what was returned: it shows who writes so.
    let shown = &text.as_str()[text.start(lines.start)..text.start(lines.end + 1)];
    let dialect = kind_of(shown).and_then(|kind| kind.dialect);
    let ended = match is_delay(shown, &context.envelope.subject) {
        true => Ended::StillTrying,
        false => Ended::GivenUp,
    };
    let only_one = blocks.len() == 1;
    let case = |block: Block| {
        let mut case = Case::new(Kind::Bounce, (0, 0));
        case.recipient = Some(block.address).filter(|address| !address.is_empty());
        case.original_recipient = block.generated_from;
        case.dialect = dialect;
        case.ended = Some(ended);
        failures::take_words(&mut case, &block.words);
        if !says_something(block.words.text()) || (only_one && case.reply.is_none()) {
            let all = lines_of(text, lines.clone());
            match says_something(block.words.text()) {
                // Only codes are wanted from elsewhere.
                true => codes_of(&mut case, &all),
                false => failures::take_words(&mut case, &all),
            }
        }
        case.said_by = said_by(&case);
        failures::finish(&mut case, context);
        case
    };
    blocks.into_iter().map(case).collect()
}

/// Takes codes from other words, where the case has none.
fn codes_of(case: &mut Case, words: &Words) {
    let own = case.words.clone();
    failures::take_words(case, words);
    case.words = own;
}

/// Words of a notice that the message is still being tried.
fn is_delay(text: &str, subject: &str) -> bool {
    const DELAY: &[&str] = &[
        "has been delayed",
        "is delayed",
        "not yet been delivered",
        "this is a warning message only",
        "will be retried",
        "will retry",
        "will continue to try",
        "will keep trying",
        "continue trying",
        "delivery attempts will continue",
        "do not need to resend",
        "delivery to the following recipients has been delayed",
        "still being retried",
        "no action is required on your part",
    ];
    let lower = text.to_ascii_lowercase();
    let subject = subject.to_ascii_lowercase();
    DELAY.iter().any(|words| lower.contains(words)) || subject.contains("delayed")
}

/// Whose words they are: those of another server where the report says that it said them.
fn said_by(case: &Case) -> SaidBy {
    const TALK: &[&str] = &[
        "said:",
        "said ",
        "remote host",
        "remote server",
        "remote mail server",
        "smtp error from",
        "<<<",
        "other server returned",
        "the response",
        "responded",
        "rejected by",
        "while talking to",
    ];
    let lower = case.words.text().to_ascii_lowercase();
    match case.reply.is_some() || TALK.iter().any(|words| lower.contains(words)) {
        true => SaidBy::Receiver,
        false => SaidBy::Sender,
    }
}
