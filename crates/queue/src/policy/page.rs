//! The table for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::kinds::{
    Action, Causes, JITTER, JUST_AFTER, Retry, Row, SURE, Signal, Special, Vary, Waits, When,
};
use super::own::OwnWaits;
use super::table::TABLE;

/// A line of the table, as programs read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The ids of the causes; empty: whichever.
    pub causes: Vec<&'static str>,
    /// Under which circumstances.
    pub when: &'static str,
    /// What is done.
    pub action: &'static str,
    /// Who waits.
    pub who: Option<&'static str>,
    /// The first wait, in seconds.
    pub first: Option<u64>,
    /// How much longer each further wait is.
    pub growth: Option<f64>,
    /// The longest wait, in seconds.
    pub cap: Option<u64>,
    /// By which part waits vary to both sides.
    pub jitter: Option<f64>,
    /// By which part they vary upwards alone.
    pub later: Option<f64>,
    /// Whether a wait that the reply asks for is obeyed.
    pub hint: Option<bool>,
    /// What else.
    pub special: Vec<&'static str>,
}

/// The table line by line, with the administrator's waits in it.
#[must_use]
pub fn rows(own: &OwnWaits) -> Vec<Line> {
    TABLE.iter().flat_map(|row| lines_of(row, own)).collect()
}

/// The line; those of its causes that have waits of their own have a line each.
fn lines_of(row: &Row, own: &OwnWaits) -> Vec<Line> {
    let parted = own.part(row);
    if parted.own.is_empty() {
        return vec![Line::of(row)];
    }
    let rest = (!parted.table.is_empty()).then(|| Line {
        causes: parted.table.iter().map(|cause| cause.id()).collect(),
        ..Line::of(row)
    });
    let configured = parted.own.iter().map(|(cause, retry)| {
        let mut special = specials(retry);
        special.push("as configured");
        Line {
            causes: vec![cause.id()],
            first: Some(retry.rhythm.first.as_secs()),
            growth: Some(retry.rhythm.factor),
            cap: Some(retry.rhythm.cap.as_secs()),
            special,
            ..Line::of(row)
        }
    });
    configured.chain(rest).collect()
}

impl Line {
    fn of(row: &Row) -> Line {
        let retry = match &row.action {
            Action::Retry(retry) => Some(retry),
            Action::Fail | Action::NextTransaction | Action::OtherHost | Action::Convert => None,
        };
        Line {
            causes: match row.causes {
                Causes::Any => Vec::new(),
                Causes::These(causes) => causes.iter().map(|cause| cause.id()).collect(),
            },
            when: row.when.as_str(),
            action: row.action.as_str(),
            who: retry.map(|r| r.who.as_str()),
            first: retry.map(|r| r.rhythm.first.as_secs()),
            growth: retry.map(|r| r.rhythm.factor),
            cap: retry.map(|r| r.rhythm.cap.as_secs()),
            jitter: retry.and_then(|r| (r.vary == Vary::BothSides).then_some(JITTER)),
            later: retry.and_then(|r| (r.vary == Vary::JustAfter).then_some(JUST_AFTER)),
            hint: retry.map(|r| r.hint),
            special: retry.map(specials).unwrap_or_default(),
        }
    }
}

impl When {
    const fn as_str(self) -> &'static str {
        match self {
            When::Always => "",
            When::Final => "final, and not our fault",
            When::ToldNotToReturn => "told not to come back",
            When::OthersTaken => "others were taken",
            When::WholeDestination => "before the message was named",
            When::Convertible => "can be converted",
            When::OtherHosts => "other servers not asked yet",
            When::TookLately => "took 3 in the last 10 min",
            When::SentMuch => "much was sent just before",
            When::Unsure => "not sure",
        }
    }
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Action::Fail => "give up",
            Action::NextTransaction => "at once, in a next transaction",
            Action::OtherHost => "at once, at another server",
            Action::Convert => "at once, converted",
            Action::Retry(_) => "retry",
        }
    }
}

impl Waits {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Waits::Recipient => "recipient",
            Waits::Message => "message",
            Waits::Destination => "destination",
            Waits::Provider => "provider",
            Waits::Us => "us",
        }
    }
}

fn specials(retry: &Retry) -> Vec<&'static str> {
    let signal = match retry.signal {
        Signal::None => None,
        Signal::Down if retry.who == Waits::Us => Some("few probes"),
        Signal::Down => Some("one probe"),
        Signal::Connections => Some("fewer connections"),
        Signal::Rate => Some("one probe, slower"),
    };
    let special = retry.special.iter().map(|special| match special {
        Special::SameWay => "same server, same address",
        Special::Learns => "never early; learnt",
        Special::Hold => "held for repair",
        Special::NeverExpires => "never expires",
        Special::MayDuplicate => "may arrive twice",
        Special::TellSender => "sender told early",
    });
    signal.into_iter().chain(special).collect()
}

const CAUSES: usize = 46;
const WHEN: usize = 29;

/// The table on a page, with the administrator's waits in it.
#[must_use]
pub fn page(own: &OwnWaits) -> String {
    let mut out = String::from("What is done about a failure. The first line that fits holds.\n\n");
    let title = [
        "causes",
        "when",
        "who waits",
        "first wait ×growth, cap",
        "hint",
        "and",
    ];
    line(&mut out, title[0], &title[1..]);
    let dashes = [
        "-".repeat(CAUSES),
        "-".repeat(WHEN),
        "-".repeat(11),
        "-".repeat(24),
        "-".repeat(4),
    ];
    let rest: Vec<&str> = dashes[1..]
        .iter()
        .map(String::as_str)
        .chain(["-----"])
        .collect();
    line(&mut out, &dashes[0], &rest);
    for line in rows(own) {
        one(&mut out, &line);
    }
    out.push_str(&notes());
    out
}

fn one(out: &mut String, row: &Line) {
    let wait = match (row.first, row.growth, row.cap) {
        (Some(first), Some(growth), Some(cap)) => {
            format!("{} ×{growth}, {}", span(first), span(cap))
        }
        _ => row.action.to_owned(),
    };
    let hint = match row.hint {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let special = row.special.join("; ");
    let causes = match row.causes[..] {
        [] => "any".to_owned(),
        _ => row.causes.join(", "),
    };
    let rest = [row.when, row.who.unwrap_or(""), &wait, hint, &special];
    let mut lines = wrapped(&causes, CAUSES).into_iter();
    line(out, &lines.next().unwrap_or_default(), &rest);
    for more in lines {
        let _ = writeln!(out, "{more}");
    }
}

fn line(out: &mut String, causes: &str, rest: &[&str]) {
    let cell = |n: usize| rest.get(n).copied().unwrap_or("");
    let text = format!(
        "{causes:<CAUSES$}  {:<WHEN$}  {:<11}  {:<24}  {:<4}  {}",
        cell(0),
        cell(1),
        cell(2),
        cell(3),
        cell(4)
    );
    let _ = writeln!(out, "{}", text.trim_end());
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let fits = lines
            .last()
            .is_some_and(|line| line.len() + word.trim_end().len() <= width);
        match lines.last_mut() {
            Some(line) if fits => line.push_str(word),
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn span(seconds: u64) -> String {
    match seconds {
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

fn notes() -> String {
    let line = super::line::PROBING;
    let seconds = |wait: Duration| span(wait.as_secs());
    format!(
        "
For all lines:
- A wait varies by {jitter} % to both sides. The message's lifetime ends the waits: the last attempt is at its end.
- Hint: a wait that the reply asks for (10 s to 12 h) counts instead, and 5 s more.
- Recipient, message: the wait grows with the recipient's own attempts. Destination, provider: with the failures in a row
  of the whole; one message probes, and what waits behind it makes no attempts.
- Where others were taken in the same transaction, only the recipient waits, whatever the cause.
- Provider: all destinations with the same mail servers. Not sure: less than {sure} %.
- Us: {enough} different destinations not reached within {lately} while none was. Probed after {first}, then ×{factor} up to {cap}.
",
        jitter = (JITTER * 100.0).round(),
        sure = (f64::from(SURE) * 100.0).round(),
        enough = super::line::ENOUGH,
        lately = seconds(super::line::LATELY),
        first = seconds(line.first),
        factor = line.factor,
        cap = seconds(line.cap),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_one_in_the_documentation() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/retry.md");
        let docs = std::fs::read_to_string(file).unwrap();
        let page = page(&OwnWaits::default());
        assert!(
            docs.contains(&format!("```\n{page}```\n")),
            "docs/retry.md has another table; `postrider config policy` prints:\n{page}"
        );
        assert!(page.lines().all(|line| line.chars().count() <= 170));
        assert!(
            page.lines().count() < 110,
            "one page: {}",
            page.lines().count()
        );
    }

    #[test]
    fn a_cause_with_a_wait_of_its_own_has_a_line_of_its_own() {
        use super::super::kinds::Rhythm;
        let rhythm = Rhythm {
            first: Duration::from_secs(600),
            factor: 1.5,
            cap: Duration::from_secs(3600),
        };
        let cause = diagnosis::Cause::ConnectionTimeout;
        let own = OwnWaits::new([(cause, rhythm)].into());
        let with: Vec<Line> = rows(&own);
        let of: Vec<&Line> = with
            .iter()
            .filter(|l| l.causes.contains(&cause.id()))
            .collect();
        assert_eq!(of.len(), 2, "one for each of its circumstances");
        for line in of {
            assert_eq!(line.causes, [cause.id()]);
            assert_eq!(
                (line.first, line.growth, line.cap),
                (Some(600), Some(1.5), Some(3600))
            );
            assert_eq!(line.special, ["one probe", "as configured"]);
        }
        assert!(page(&own).contains("10 min ×1.5, 1 h"));
        for cause in diagnosis::Cause::ALL {
            assert!(page(&own).contains(cause.id()), "{cause}");
        }
        assert_eq!(with.len(), rows(&OwnWaits::default()).len() + 2);
    }

    #[test]
    fn every_cause_is_on_the_page() {
        let page = page(&OwnWaits::default());
        for cause in diagnosis::Cause::ALL {
            assert!(page.contains(cause.id()), "{cause}");
        }
    }
}
