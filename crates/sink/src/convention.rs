//! Local parts that ask for a failure, so that a test needs no script.
//!
//! `anna-4.2.2@…` and `anna+452@…` are refused with that code, `4.2.2@…` too. After a `+`, several
//! words may stand, each after another `+`: a code; a stage (`data`, `end-of-data`); `close`, `reset` or
//! `silence`; a delay (`5s`); `once`, `twice` or `thrice`, after which the recipient is accepted; `keep`.

use std::time::Duration;

use crate::script::{Per, Rule};
use crate::stage::Stage;
use crate::verdict::{Codes, Verdict};
use crate::words::Words;

/// The rule that the local part of a recipient asks for.
pub(crate) fn asked(recipient: &str, words: &Words) -> Option<Rule> {
    let local = recipient
        .rsplit_once('@')
        .map_or(recipient, |(local, _)| local);
    let local = local.to_ascii_lowercase();
    let tokens: Vec<&str> = match local.split_once('+') {
        Some((first, rest)) => code(first)
            .map(|_| first)
            .into_iter()
            .chain(rest.split('+'))
            .collect(),
        // Only a code stands after a dash: names have dashes too.
        None => {
            let last = local.rsplit_once('-').map_or(&*local, |(_, last)| last);
            code(last).map(|_| last).into_iter().collect()
        }
    };
    let mut rule = Rule::always(Stage::Rcpt, Verdict::Accept);
    rule.verdicts.clear();
    rule.per = Per::Triplet;
    let mut at = None;
    for token in tokens {
        if let Some(codes) = code(token) {
            let (_, said_at) = words.refusal(codes);
            // What is said before the recipient is known is said at the recipient.
            if said_at == Stage::EndOfData {
                rule.at = said_at;
            }
            rule.verdicts = vec![Verdict::Code(codes)];
        } else if let Some(stage) = Stage::from_name(token).filter(after_recipient) {
            at = Some(stage);
        } else {
            word(token, &mut rule)?;
        }
    }
    rule.at = at.unwrap_or(rule.at);
    let paces = rule.delay.is_some();
    (paces || !rule.verdicts.is_empty()).then_some(rule)
}

fn code(token: &str) -> Option<Codes> {
    let codes = Codes::read(token).ok().flatten()?;
    let class = codes.reply.map(|code| code / 100);
    let class = class.or(codes.status.map(|status| u16::from(status.class.digit())));
    class.is_some_and(|class| class >= 4).then_some(codes)
}

fn after_recipient(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::Rcpt | Stage::Data | Stage::Content | Stage::EndOfData
    )
}

/// `None`: the local part asks for nothing; it only has a `+` in it.
fn word(token: &str, rule: &mut Rule) -> Option<()> {
    match token {
        "close" => rule.verdicts = vec![Verdict::Close],
        "reset" => rule.verdicts = vec![Verdict::Reset],
        "silence" => rule.verdicts = vec![Verdict::Silence],
        "once" => rule.times = Some(1),
        "twice" => rule.times = Some(2),
        "thrice" => rule.times = Some(3),
        "keep" => rule.keep = true,
        _ => {
            const LONGEST: Duration = Duration::from_secs(600);
            rule.delay = Some(toml_read::duration(token)?.min(LONGEST));
        }
    }
    Some(())
}
