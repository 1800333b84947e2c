//! The story of a message, for people.

use diagnosis::{Attempt, Diagnosis, Outcome, Stage};
use jiff::{SignedDuration, Timestamp};
use queue::{
    AttemptRecord, Basis, Decision, Event, EventKind, MessageKind, Recipient, RecipientState,
    Story, Verdict, WaitFor,
};
use smtp::Severity;

use crate::explanation::{Next, explain, headline};
use crate::layout::{WIDTH, paragraph, safe};
use crate::words::{Arg, plain, say};
use crate::{Lang, expansion, quarantine, returned, step, time, verified};

/// Like recipients that are named; of the others only how many.
const NAMED: usize = 3;

/// A line that was down so shortly ago still is, as far as is known: it is probed at this pace at
/// least.
const STILL_DOWN: SignedDuration = SignedDuration::from_mins(6);

/// The story of a message: who sent it, where each recipient stands, each attempt with what the other
/// side said, what it means, and what is next.
#[must_use]
pub fn story(story: &Story, now: Timestamp, lang: Lang) -> String {
    let mut teller = Teller {
        out: String::new(),
        now,
        lang,
    };
    teller.title(story);
    teller.recipients(story);
    for (n, record) in story.attempts.iter().enumerate() {
        teller.attempt(n + 1, record, story);
    }
    teller.events(&story.events, story);
    teller.out.push_str(&verified::tell(story, lang));
    teller.out
}

/// What is to be done for a recipient, as the last decision left it.
pub(crate) fn standing(recipient: &Recipient) -> Option<Decision> {
    match recipient.state {
        RecipientState::Delivered => Some(Decision::Delivered),
        RecipientState::Failed => Some(Decision::Fail),
        RecipientState::Held => Some(Decision::Hold),
        RecipientState::Queued => match (recipient.next_attempt, recipient.basis) {
            (Some(at), Some(basis)) => Some(Decision::RetryAt { at, basis }),
            _ => None,
        },
        RecipientState::Sending | RecipientState::Dropped => None,
    }
}

struct Teller {
    out: String,
    now: Timestamp,
    lang: Lang,
}

impl Teller {
    fn plain(&self, key: &str) -> String {
        plain(self.lang, key)
    }

    fn say(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        say(self.lang, key, args)
    }

    /// A line of the form `Name      value`.
    fn entry(&mut self, indent: usize, key: &str, value: &str) {
        let name = self.plain(key);
        let first = format!("{:indent$}{name:<15} ", "");
        paragraph(&mut self.out, &first, value, WIDTH);
    }

    fn title(&mut self, story: &Story) {
        let message = &story.message;
        let title = self.say("story-title", &[("id", (&message.id.to_string()).into())]);
        self.out.push_str(&format!("{title}\n"));
        if let (MessageKind::Report, Some(about)) = (message.kind, message.origin.about) {
            let about = self.say("story-report-about", &[("id", (&about.to_string()).into())]);
            self.out.push_str(&format!("  {about}\n"));
        }
        let sender = match message.sender.is_null() {
            true => self.plain("story-null-sender"),
            false => safe(message.sender.as_str()),
        };
        self.entry(2, "story-from", &sender);
        let client = match &message.origin.helo {
            Some(helo) => format!("{} ({})", message.origin.client, safe(helo)),
            None => message.origin.client.clone(),
        };
        let received = self.say(
            "story-received-value",
            &[
                ("time", (&time::moment(message.received_at)).into()),
                (
                    "ago",
                    (&time::span(time::ago(message.received_at, self.now), self.lang)).into(),
                ),
                ("client", (&client).into()),
                ("protocol", (&message.origin.protocol).into()),
            ],
        );
        self.entry(2, "story-received", &received);
        let size = self.say("story-size-value", &[("bytes", message.size.into())]);
        self.entry(2, "story-size", &size);
        if story.recipients.iter().any(|r| !r.state.is_final()) {
            let expires = time::when(message.expires_at, self.now, self.lang);
            self.entry(2, "story-expires", &expires);
            self.outages(story);
        }
    }

    /// When our own line was down meanwhile.
    fn outages(&mut self, story: &Story) {
        for outage in &story.outages {
            let began = outage.began.max(story.message.received_at);
            let span = outage.until.duration_since(began).as_secs().max(0);
            let key = match self.now.duration_since(outage.until) <= STILL_DOWN {
                true => "story-line-is-down",
                false => "story-line-was-down",
            };
            let since = time::moment(began);
            let span = time::span(span.cast_unsigned(), self.lang);
            let args = [("since", (&since).into()), ("span", (&span).into())];
            let text = self.say(key, &args);
            self.entry(2, "story-line", &text);
        }
    }

    fn recipients(&mut self, story: &Story) {
        let name = self.plain("story-recipients");
        self.out.push_str(&format!("\n{name}\n"));
        let alike = |a: &Recipient, b: &Recipient| {
            a.state == b.state
                && a.destination == b.destination
                && a.attempts == b.attempts
                && a.last.as_ref().map(|d| d.cause) == b.last.as_ref().map(|d| d.cause)
        };
        for group in groups(&story.recipients, alike) {
            for recipient in group.iter().take(NAMED) {
                let address = safe(recipient.address.as_str());
                let state = self.plain(&format!("state-{}", recipient.state.as_str()));
                let attempts = self.say("story-attempts-made", &[("n", recipient.attempts.into())]);
                let via = self.say(
                    "story-via",
                    &[("destination", recipient.destination.as_str().into())],
                );
                paragraph(
                    &mut self.out,
                    "  ",
                    &format!("{address}: {state}, {attempts}, {via}"),
                    WIDTH,
                );
            }
            self.and_more(group.len());
            if let Some(recipient) = group.first() {
                self.recipient(recipient, story);
            }
        }
    }

    fn and_more(&mut self, all: usize) {
        if all > NAMED {
            let more = self.say("story-and-more", &[("n", ((all - NAMED) as u64).into())]);
            self.out.push_str(&format!("  {more}\n"));
        }
    }

    fn recipient(&mut self, recipient: &Recipient, story: &Story) {
        let decision = standing(recipient);
        if let Some(diagnosis) = recipient
            .last
            .as_ref()
            .filter(|_| recipient.state != RecipientState::Delivered)
        {
            self.meaning(diagnosis, decision.as_ref());
        } else if let Some(Decision::Hold) = decision {
            let held = self.plain("next-hold");
            self.entry(4, "story-next", &held);
        }
        if recipient.state.is_final() {
            returned::standing(&mut self.out, story, recipient.index, self.now, self.lang);
            return;
        }
        let Some(destination) = story
            .destinations
            .iter()
            .find(|d| d.key == recipient.destination)
        else {
            return;
        };
        if destination.paused {
            let paused = self.plain("story-paused");
            paragraph(&mut self.out, "    ", &paused, WIDTH);
        } else if let (Some(until), Some(last)) = (destination.blocked_until, &destination.last)
            && recipient.next_attempt.is_none_or(|at| at < until)
        {
            let (when, why) = (
                time::when(until, self.now, self.lang),
                headline(last.cause, self.lang),
            );
            let text = self.say(
                "story-blocked",
                &[("when", (&when).into()), ("headline", (&why).into())],
            );
            paragraph(&mut self.out, "    ", &text, WIDTH);
        }
    }

    fn meaning(&mut self, diagnosis: &Diagnosis, decision: Option<&Decision>) {
        let next = Next {
            decision,
            now: self.now,
        };
        let words = explain(diagnosis, &next, self.lang);
        paragraph(
            &mut self.out,
            "    ",
            &format!("{}.", words.headline),
            WIDTH,
        );
        self.entry(4, "story-what", &words.what);
        self.entry(4, "story-who", &words.who);
        self.entry(4, "story-next", &words.next);
        for (n, item) in words.do_.iter().enumerate() {
            if n == 0 {
                self.entry(4, "story-do", item);
            } else {
                paragraph(&mut self.out, &" ".repeat(20), item, WIDTH);
            }
        }
    }

    fn attempt(&mut self, n: usize, record: &AttemptRecord, story: &Story) {
        let name = self.say("story-attempt", &[("n", (n as u64).into())]);
        let time = time::moment(record.started_at);
        let args = [
            ("time", (&time).into()),
            ("destination", record.destination.as_str().into()),
        ];
        let title = self.say("story-attempt-title", &args);
        self.out.push_str(&format!("\n{name}: {title}\n"));
        self.steps(&record.attempt);
        self.verdicts(record, story);
    }

    fn steps(&mut self, attempt: &Attempt) {
        let mut alike: u64 = 0;
        let mut before: Option<Stage> = None;
        for one in &attempt.steps {
            let yes = is_yes(one);
            if yes && before == Some(one.stage) {
                alike += 1;
                continue;
            }
            self.same_again(alike);
            alike = 0;
            before = yes.then_some(one.stage);
            let stage = step::stage(one.stage, self.lang);
            let told = step::tell(one, &attempt.route, self.lang);
            let mut first = format!("  {:>11}  {stage:<20} ", time::offset(one.at_ms));
            if let Some(line) = &told.line {
                paragraph(&mut self.out, &first, line, WIDTH);
                first = " ".repeat(first.chars().count());
            }
            for line in &told.quoted {
                self.out.push_str(&format!("{first}< {line}\n"));
                first = " ".repeat(first.chars().count());
            }
        }
        self.same_again(alike);
    }

    fn same_again(&mut self, count: u64) {
        if count > 0 {
            let more = self.say("story-and-more", &[("n", count.into())]);
            self.out.push_str(&format!("{}{more}\n", " ".repeat(36)));
        }
    }

    fn verdicts(&mut self, record: &AttemptRecord, story: &Story) {
        let unknown = |v: &Verdict| outcome_unknown(&record.attempt, v.index);
        let alike = |a: &Verdict, b: &Verdict| {
            a.diagnosis.as_ref().map(|d| d.cause) == b.diagnosis.as_ref().map(|d| d.cause)
                && unknown(a) == unknown(b)
                && std::mem::discriminant(&a.decision) == std::mem::discriminant(&b.decision)
        };
        for group in groups(&record.verdicts, alike) {
            let mut names: Vec<String> = group
                .iter()
                .take(NAMED)
                .map(|v| address(story, v.index))
                .collect();
            if group.len() > NAMED {
                names.push(self.say(
                    "story-and-more",
                    &[("n", ((group.len() - NAMED) as u64).into())],
                ));
            }
            let (who, Some(verdict)) = (names.join(", "), group.first()) else {
                continue;
            };
            let Some(diagnosis) = &verdict.diagnosis else {
                // An attempt that a stop of the relay cut off has facts and no diagnosis.
                let cut_off = unknown(verdict);
                let key = if cut_off {
                    "verdict-unknown"
                } else {
                    "verdict-accepted"
                };
                let text = self.say(key, &[("who", (&who).into())]);
                paragraph(&mut self.out, "  = ", &text, WIDTH);
                if cut_off {
                    self.decision(&verdict.decision, record.ended_at);
                }
                continue;
            };
            let why = headline(diagnosis.cause, self.lang);
            let text = self.say(
                "verdict-failed",
                &[("who", (&who).into()), ("headline", (&why).into())],
            );
            paragraph(&mut self.out, "  = ", &text, WIDTH);
            self.grounds(diagnosis);
            self.decision(&verdict.decision, record.ended_at);
        }
    }

    fn grounds(&mut self, diagnosis: &Diagnosis) {
        let percent = (diagnosis.confidence * 100.0).round().clamp(0.0, 100.0) as u64;
        let args = [
            ("cause", diagnosis.cause.id().into()),
            ("percent", percent.into()),
        ];
        let mut text = self.say("story-cause", &args);
        let others: Vec<String> = diagnosis
            .alternatives
            .iter()
            .take(2)
            .map(|a| headline(a.cause, self.lang))
            .collect();
        if !others.is_empty() {
            let others = others.join("; ");
            text.push_str("; ");
            text.push_str(&self.say("story-could-also", &[("others", (&others).into())]));
        }
        paragraph(&mut self.out, "    ", &text, WIDTH);
    }

    /// What was decided then, seen from then.
    fn decision(&mut self, decision: &Decision, then: Timestamp) {
        let text = match decision {
            Decision::RetryAt { at, basis } => {
                let when = time::when(*at, then, self.lang);
                let why = self.basis(basis);
                let why = self.say("story-why-then", &[("basis", (&why).into())]);
                format!("{} {when}; {why}", self.plain("story-next").to_lowercase())
            }
            Decision::RetryWhen(WaitFor::NextTransaction) => self.plain("next-transaction"),
            Decision::RetryWhen(WaitFor::OtherHost) => self.plain("next-other-host"),
            Decision::RetryWhen(WaitFor::Conversion) => self.plain("next-conversion"),
            Decision::RetryWhen(WaitFor::Resume) => self.plain("next-resume"),
            Decision::Hold => self.plain("next-hold"),
            Decision::Fail => self.plain("next-fail"),
            Decision::Delivered => return,
        };
        paragraph(&mut self.out, "    ", &text, WIDTH);
    }

    fn basis(&self, basis: &Basis) -> String {
        match basis {
            Basis::PeerAsked { seconds } => {
                let wait = time::span(*seconds, self.lang);
                self.say("basis-asked", &[("wait", (&wait).into())])
            }
            Basis::Schedule { step, seconds } => {
                let wait = time::span(*seconds, self.lang);
                self.say(
                    "basis-schedule",
                    &[("step", (*step).into()), ("wait", (&wait).into())],
                )
            }
            Basis::Learnt { seconds } => {
                let wait = time::span(*seconds, self.lang);
                self.say("basis-learnt", &[("wait", (&wait).into())])
            }
            Basis::Destination => self.plain("basis-destination"),
            Basis::Lifetime => self.plain("basis-lifetime"),
            Basis::Administrator => self.plain("basis-administrator"),
            Basis::SenderAsked => self.plain("basis-sender"),
            Basis::Restart => self.plain("basis-restart"),
        }
    }

    fn events(&mut self, events: &[Event], story: &Story) {
        if events.is_empty() {
            return;
        }
        let name = self.plain("story-events");
        self.out.push_str(&format!("\n{name}\n"));
        let alike = |a: &Event, b: &Event| a.at == b.at && a.kind == b.kind;
        for group in groups(events, alike) {
            let Some(event) = group.first() else { continue };
            let mut names: Vec<String> = group
                .iter()
                .filter_map(|e| e.recipient)
                .take(NAMED)
                .map(|i| address(story, i))
                .collect();
            if group.len() > NAMED {
                names.push(self.say(
                    "story-and-more",
                    &[("n", ((group.len() - NAMED) as u64).into())],
                ));
            }
            let what = self.event(&event.kind);
            let text = match names.is_empty() {
                true => what,
                false => format!("{}: {what}", names.join(", ")),
            };
            paragraph(
                &mut self.out,
                &format!("  {}  ", time::moment(event.at)),
                &text,
                WIDTH,
            );
        }
    }

    fn event(&self, kind: &EventKind) -> String {
        match kind {
            EventKind::Held => self.plain("event-held"),
            EventKind::Quarantined { filter, why } => quarantine::tell(filter, why, self.lang),
            EventKind::Released => self.plain("event-released"),
            EventKind::RetryAsked => self.plain("event-retry-asked"),
            EventKind::Dropped => self.plain("event-dropped"),
            EventKind::Paused => self.plain("event-paused"),
            EventKind::Resumed => self.plain("event-resumed"),
            EventKind::Interrupted => self.plain("event-interrupted"),
            EventKind::Reported { report } => self.say(
                "event-reported",
                &[("report", (&report.to_string()).into())],
            ),
            EventKind::Delayed { report } => {
                self.say("event-delayed", &[("report", (&report.to_string()).into())])
            }
            EventKind::ArrivalReported { report } => self.say(
                "event-arrival-reported",
                &[("report", (&report.to_string()).into())],
            ),
            EventKind::ExpansionReported { report } => self.say(
                "event-expansion-reported",
                &[("report", (&report.to_string()).into())],
            ),
            EventKind::NotAsked => self.plain("event-not-asked"),
            EventKind::NotReported => self.plain("event-not-reported"),
            EventKind::SenderUnknown => expansion::sender_unknown(self.lang),
            EventKind::Expanded(step) => expansion::tell(step, self.lang),
            EventKind::Returned(back) => returned::tell(back, self.lang),
            EventKind::Joined { about, by, kind } => {
                returned::joined(&about.to_string(), *by, *kind, self.lang)
            }
            EventKind::NotJoined { kind } => returned::not_joined(*kind, self.lang),
            EventKind::PassedOn { copy } => returned::passed_on(&copy.to_string(), self.lang),
            EventKind::Rerouted { from } => {
                self.say("event-rerouted", &[("from", from.as_str().into())])
            }
        }
    }
}

/// Whether a step is an answer of plain consent.
fn is_yes(step: &diagnosis::facts::Step) -> bool {
    match &step.what {
        diagnosis::facts::StepKind::Replied { reply, .. } => {
            reply.severity() == Severity::Completion
        }
        _ => false,
    }
}

fn address(story: &Story, index: u32) -> String {
    let found = story.recipients.iter().find(|r| r.index == index);
    found.map(|r| safe(r.address.as_str())).unwrap_or_default()
}

/// What is alike, together, in order of first occurrence.
fn groups<T>(all: &[T], alike: impl Fn(&T, &T) -> bool) -> Vec<Vec<&T>> {
    let mut groups: Vec<Vec<&T>> = Vec::new();
    for one in all {
        match groups
            .iter_mut()
            .find(|g| g.first().is_some_and(|first| alike(first, one)))
        {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

fn outcome_unknown(attempt: &Attempt, index: u32) -> bool {
    let mut of = attempt.recipients.iter().filter(|r| r.index == index);
    of.any(|r| is_unknown(&r.outcome))
}

/// Whether nobody can tell what an outcome was.
pub(crate) fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown(_))
}
