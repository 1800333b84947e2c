//! From the text to the workload.

use std::time::Duration;

use smtp::Reply;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Rate, wrong_kind};

use super::{Errors, Failure, Kind, ProblemKind, Says, Spells, Workload};
use crate::Stage;
use crate::clock::{Millis, hours, millis, minutes};

type Found = toml_read::Found<ProblemKind>;
type Section<'a, 'i> = toml_read::Section<'a, 'i, ProblemKind>;

pub(super) fn read(text: &str) -> Result<Workload, Errors> {
    let root = toml_read::parse(text)?;
    let root = root.get_ref();
    let mut found = Found::default();
    toml_read::check_sections(root, &["workload", "failure"], &mut found);
    let mut workload = Workload::default();
    general(root, &mut workload, &mut found);
    failures(root, &mut workload, &mut found);
    if found.errors.is_empty() {
        return Ok(workload);
    }
    found.errors.sort_by_key(|problem| problem.span.start);
    Err(toml_read::Errors(found.errors))
}

fn general(root: &DeTable<'_>, workload: &mut Workload, found: &mut Found) {
    let keys = &[
        "title",
        "messages",
        "over",
        "destinations",
        "providers",
        "recipients",
        "senders",
        "burst",
    ];
    let mut section = Section::open(root, "workload", keys, found);
    section.text("title", "text in quotes", &mut workload.title, |text| {
        Ok(text.to_owned())
    });
    length(&mut section, "over", &mut workload.over);
    section.number("messages", &mut workload.messages, 1, 10_000_000);
    section.number("destinations", &mut workload.destinations, 1, 1_000_000);
    section.number("providers", &mut workload.providers, 1, 1_000_000);
    section.number("recipients", &mut workload.recipients, 1, 1_000_000);
    section.number("senders", &mut workload.senders, 1, 1_000_000);
    section.number("burst", &mut workload.burst, 1, 1_000_000);
}

fn failures(root: &DeTable<'_>, workload: &mut Workload, found: &mut Found) {
    let Some(value) = root.get("failure") else {
        return;
    };
    let wanted = "failures as `[[failure]]` on a line of its own, the keys of each below";
    let DeValue::Array(list) = value.get_ref() else {
        wrong_kind(found, value, wanted);
        return;
    };
    for item in list.iter() {
        match item.get_ref() {
            DeValue::Table(table) => workload.failures.extend(failure(item, table, found)),
            _ => wrong_kind(found, item, wanted),
        }
    }
}

const SPELLS: &[&str] = &[
    "kind", "share", "at", "says", "times", "least", "most", "never",
];

/// The keys of each kind, in the order of [`Kind::NAMES`].
const KEYS: &[&[&str]] = &[
    &["kind", "share", "at", "says", "delay", "window"],
    SPELLS,
    SPELLS,
    SPELLS,
    &["kind", "share", "at", "says", "rate", "counts_refused"],
    &["kind", "share", "at", "says", "most"],
    &[
        "kind",
        "share",
        "at",
        "says",
        "up_least",
        "up_most",
        "down_least",
        "down_most",
    ],
    SPELLS,
    &["kind", "share", "at", "says"],
    &["kind", "share", "at", "says"],
];

fn failure(item: &Spanned<DeValue<'_>>, table: &DeTable<'_>, found: &mut Found) -> Option<Failure> {
    let before = found.errors.len();
    let every_key = &[
        "kind",
        "share",
        "at",
        "says",
        "delay",
        "window",
        "times",
        "least",
        "most",
        "never",
        "rate",
        "counts_refused",
        "up_least",
        "up_most",
        "down_least",
        "down_most",
    ];
    let mut place = None;
    let mut section = Section::of(table, "failure", every_key, found);
    let places: Vec<Option<usize>> = (0..Kind::NAMES.len()).map(Some).collect();
    section.choice("kind", &mut place, Kind::NAMES, &places);
    let Some(place) = place else {
        if section.get("kind").is_none() {
            section.found.error(item.span(), ProblemKind::NoKind);
        }
        return None;
    };
    if section.found.errors.len() > before {
        return None;
    }
    // Which keys there are depends on the kind.
    let mut section = Section::of(table, "failure", KEYS[place], found);
    let mut share = 100;
    section.number("share", &mut share, 0, 100);
    let kind = kind(place, &mut section);
    let says = says(&kind, &mut section);
    (section.found.errors.len() == before).then_some(Failure { kind, share, says })
}

fn kind(place: usize, section: &mut Section<'_, '_>) -> Kind {
    match place {
        0 => greylisting(section),
        1 => Kind::Outage(spells(section)),
        2 => Kind::MailboxFull(spells(section)),
        3 => Kind::Listing(spells(section)),
        4 => rate(section),
        5 => {
            let mut most = 2;
            section.number("most", &mut most, 1, 1_000_000);
            Kind::Connections(most)
        }
        6 => {
            let range = |section: &mut Section<'_, '_>, least, most| {
                let mut range = (minutes(2), minutes(10));
                length(section, least, &mut range.0);
                length(section, most, &mut range.1);
                in_order(section, most, range);
                range
            };
            let up = range(section, "up_least", "up_most");
            let down = range(section, "down_least", "down_most");
            Kind::Flapping { up, down }
        }
        7 => Kind::LineDown(spells(section)),
        8 => Kind::NoMailbox,
        _ => Kind::Dead,
    }
}

fn greylisting(section: &mut Section<'_, '_>) -> Kind {
    let (mut delay, mut window) = (minutes(5), hours(48));
    length(section, "delay", &mut delay);
    length(section, "window", &mut window);
    Kind::Greylisting { delay, window }
}

fn rate(section: &mut Section<'_, '_>) -> Kind {
    let mut rate = Some(Rate {
        count: 60,
        per: Duration::from_secs(60),
    });
    let mut counts_refused = false;
    section.rate("rate", &mut rate);
    section.flag("counts_refused", &mut counts_refused);
    let (count, per) = rate.map_or((u32::MAX, minutes(1)), |r| (r.count, millis(r.per)));
    Kind::Rate {
        count,
        per: per.max(1),
        counts_refused,
    }
}

fn spells(section: &mut Section<'_, '_>) -> Spells {
    let mut spells = Spells::default();
    section.number("times", &mut spells.times, 0, 10_000);
    length(section, "least", &mut spells.least);
    length(section, "most", &mut spells.most);
    section.number("never", &mut spells.never, 0, 100);
    in_order(section, "most", (spells.least, spells.most));
    spells
}

fn in_order(section: &mut Section<'_, '_>, key: &str, (least, most): (Millis, Millis)) {
    if least > most
        && let Some(value) = section.get(key)
    {
        section.found.error(value.span(), ProblemKind::Reversed);
    }
}

fn length(section: &mut Section<'_, '_>, key: &str, into: &mut Millis) {
    let mut duration = Duration::from_millis(*into);
    section.duration(key, &mut duration);
    *into = millis(duration);
}

const STAGES: &[&str] = &["greeting", "ehlo", "mail", "rcpt", "data", "end-of-data"];
const STAGE_VALUES: &[Stage] = &[
    Stage::Greeting,
    Stage::Hello,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::EndOfData,
];

fn says(kind: &Kind, section: &mut Section<'_, '_>) -> Says {
    let mut at = match kind {
        Kind::Outage(_) | Kind::Connections(_) | Kind::Listing(_) => Stage::Greeting,
        Kind::Rate { .. } => Stage::Mail,
        _ => Stage::Rcpt,
    };
    section.choice("at", &mut at, STAGES, STAGE_VALUES);
    let mut says = usual(kind, at);
    let wanted = "a reply in quotes, like \"450 4.7.1 Greylisted\", or \"silent\" or \"refused\"";
    section.text("says", wanted, &mut says, |text| match text {
        "silent" => Ok(Some(Says::Silent)),
        "refused" => Ok(Some(Says::Refused)),
        reply => said(at, reply).map(Some).ok_or(ProblemKind::NotAFailure),
    });
    // What is usual can be read: a test does.
    says.unwrap_or(Says::Silent)
}

/// What servers say where the file does not tell.
fn usual(kind: &Kind, at: Stage) -> Option<Says> {
    let text = match kind {
        Kind::Greylisting { .. } => "450 4.7.1 Greylisted, please try again later",
        Kind::MailboxFull(_) => "452 4.2.2 The recipient's mailbox is full",
        Kind::Listing(_) => "421 4.7.0 Your address has a poor reputation; temporarily deferred",
        Kind::Rate { .. } => "450 4.7.1 Rate limit exceeded, please try again later",
        Kind::Connections(_) => "421 4.7.0 Too many connections from your address",
        Kind::NoMailbox => "550 5.1.1 No such user here",
        Kind::Flapping { .. } => return Some(Says::Refused),
        Kind::Outage(_) | Kind::LineDown(_) | Kind::Dead => return Some(Says::Silent),
    };
    said(at, text)
}

fn said(at: Stage, text: &str) -> Option<Says> {
    let reply = Reply::parse("mx.example", text.as_bytes()).ok()?;
    (400..600)
        .contains(&reply.code())
        .then_some(Says::Reply(at, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_usually_say_can_be_read_for_each_kind() {
        for name in Kind::NAMES {
            let text = format!("[[failure]]\nkind = \"{name}\"\n");
            let workload = read(&text).unwrap();
            let failure = &workload.failures[0];
            assert_eq!(
                Some(&failure.says),
                usual(&failure.kind, at_of(&failure.says)).as_ref()
            );
        }
        assert_eq!(KEYS.len(), Kind::NAMES.len());
    }

    fn at_of(says: &Says) -> Stage {
        match says {
            Says::Reply(stage, _) => *stage,
            Says::Silent | Says::Refused => Stage::Rcpt,
        }
    }
}
