//! From the text to the peer.

use std::time::Duration;

use toml::de::{DeTable, DeValue};
use toml_read::wrong_kind;

use super::{Model, Peer, Source};
use crate::clock::{Millis, days, hours, millis, minutes, seconds};
use crate::policy::{
    ExchangeNumbers, EximNumbers, KumomtaNumbers, PostfixNumbers, SendmailNumbers, Step,
};
use crate::workload::{Errors, ProblemKind};

type Found = toml_read::Found<ProblemKind>;
type Section<'a, 'i> = toml_read::Section<'a, 'i, ProblemKind>;

pub(super) fn read(text: &str) -> Result<Peer, Errors> {
    let root = toml_read::parse(text)?;
    let root = root.get_ref();
    let mut found = Found::default();
    toml_read::check_sections(root, &["peer", "source", "schedule"], &mut found);
    let mut place = None;
    let mut peer = general(root, &mut place, &mut found);
    peer.sources = sources(root, &mut found);
    if let Some(place) = place {
        peer.model = model(place, root, &mut found);
    } else if found.errors.is_empty() {
        let allowed = Model::NAMES;
        let kind = toml_read::Written::NotOneOf { allowed };
        found.error(0..0, kind);
    }
    if found.errors.is_empty() {
        return Ok(peer);
    }
    found.errors.sort_by_key(|problem| problem.span.start);
    Err(toml_read::Errors(found.errors))
}

fn general(root: &DeTable<'_>, place: &mut Option<usize>, found: &mut Found) -> Peer {
    let mut peer = Peer {
        name: "peer".to_owned(),
        title: String::new(),
        sources: Vec::new(),
        doubts: Vec::new(),
        model: Model::Postfix(postfix()),
    };
    let keys = &["name", "title", "model", "doubts"];
    let mut section = Section::open(root, "peer", keys, found);
    let wanted = "text in quotes";
    section.text("name", wanted, &mut peer.name, |text| Ok(text.to_owned()));
    section.text("title", wanted, &mut peer.title, |text| Ok(text.to_owned()));
    section.texts("doubts", wanted, &mut peer.doubts, |text| {
        Ok(text.to_owned())
    });
    let places: Vec<Option<usize>> = (0..Model::NAMES.len()).map(Some).collect();
    section.choice("model", place, Model::NAMES, &places);
    peer
}

fn sources(root: &DeTable<'_>, found: &mut Found) -> Vec<Source> {
    let mut sources = Vec::new();
    let Some(value) = root.get("source") else {
        return sources;
    };
    let wanted = "sources as `[[source]]` on a line of its own, the keys of each below";
    let DeValue::Array(list) = value.get_ref() else {
        wrong_kind(found, value, wanted);
        return sources;
    };
    for item in list.iter() {
        let DeValue::Table(table) = item.get_ref() else {
            wrong_kind(found, item, wanted);
            continue;
        };
        let mut source = Source::default();
        let mut section = Section::of(table, "source", &["document", "says"], found);
        let wanted = "text in quotes";
        section.text("document", wanted, &mut source.document, |text| {
            Ok(text.to_owned())
        });
        section.text("says", wanted, &mut source.says, |text| Ok(text.to_owned()));
        sources.push(source);
    }
    sources
}

fn model(place: usize, root: &DeTable<'_>, found: &mut Found) -> Model {
    match place {
        0 => Model::Postfix(read_postfix(root, found)),
        1 => Model::Exim(read_exim(root, found)),
        2 => Model::Sendmail(read_sendmail(root, found)),
        3 => Model::Exchange(read_exchange(root, found)),
        _ => Model::Kumomta(read_kumomta(root, found)),
    }
}

fn length(section: &mut Section<'_, '_>, key: &str, into: &mut Millis) {
    let mut duration = Duration::from_millis(*into);
    section.duration(key, &mut duration);
    *into = millis(duration);
}

/// A length of time that something is done after again and again: not none.
fn interval(section: &mut Section<'_, '_>, key: &str, into: &mut Millis) {
    length(section, key, into);
    *into = (*into).max(seconds(1));
}

/// What a file leaves out is as documented.
fn postfix() -> PostfixNumbers {
    PostfixNumbers {
        minimal_backoff_time: seconds(300),
        maximal_backoff_time: seconds(4000),
        queue_run_delay: seconds(300),
        maximal_queue_lifetime: days(5),
        initial_destination_concurrency: 5,
        destination_concurrency_limit: 20,
        failed_cohort_limit: 1,
        connect_timeout: seconds(30),
    }
}

fn read_postfix(root: &DeTable<'_>, found: &mut Found) -> PostfixNumbers {
    let mut numbers = postfix();
    let keys = &[
        "minimal_backoff_time",
        "maximal_backoff_time",
        "queue_run_delay",
        "maximal_queue_lifetime",
        "initial_destination_concurrency",
        "destination_concurrency_limit",
        "failed_cohort_limit",
        "connect_timeout",
    ];
    let mut section = Section::open(root, "schedule", keys, found);
    let s = &mut section;
    interval(s, "minimal_backoff_time", &mut numbers.minimal_backoff_time);
    length(s, "maximal_backoff_time", &mut numbers.maximal_backoff_time);
    interval(s, "queue_run_delay", &mut numbers.queue_run_delay);
    length(
        s,
        "maximal_queue_lifetime",
        &mut numbers.maximal_queue_lifetime,
    );
    length(s, "connect_timeout", &mut numbers.connect_timeout);
    let first = &mut numbers.initial_destination_concurrency;
    s.number("initial_destination_concurrency", first, 1, 1000);
    let most = &mut numbers.destination_concurrency_limit;
    s.number("destination_concurrency_limit", most, 1, 1000);
    s.number(
        "failed_cohort_limit",
        &mut numbers.failed_cohort_limit,
        0,
        1000,
    );
    numbers
}

fn read_exim(root: &DeTable<'_>, found: &mut Found) -> EximNumbers {
    let step = |cutoff, interval, factor| Step {
        cutoff,
        interval,
        factor,
    };
    let mut numbers = EximNumbers {
        rule: vec![
            step(hours(2), minutes(15), None),
            step(hours(16), hours(1), Some(1.5)),
            step(days(4), hours(6), None),
        ],
        queue_interval: minutes(30),
        interval_max: hours(24),
        data_expire: days(7),
        messages_per_connection: 500,
        connect_timeout: minutes(5),
    };
    let keys = &[
        "rule",
        "queue_interval",
        "interval_max",
        "data_expire",
        "messages_per_connection",
        "connect_timeout",
    ];
    let mut section = Section::open(root, "schedule", keys, found);
    let wanted = "a retry rule in quotes, like \"F,2h,15m; G,16h,1h,1.5; F,4d,6h\"";
    section.text("rule", wanted, &mut numbers.rule, |text| {
        rule(text).ok_or(ProblemKind::NotARule)
    });
    interval(&mut section, "queue_interval", &mut numbers.queue_interval);
    length(&mut section, "interval_max", &mut numbers.interval_max);
    length(&mut section, "data_expire", &mut numbers.data_expire);
    length(
        &mut section,
        "connect_timeout",
        &mut numbers.connect_timeout,
    );
    let most = &mut numbers.messages_per_connection;
    section.number("messages_per_connection", most, 1, 1_000_000);
    numbers
}

fn rule(text: &str) -> Option<Vec<Step>> {
    let time = |text: &str| toml_read::duration(text).map(millis).filter(|t| *t > 0);
    text.split(';')
        .map(|step| {
            let parts: Vec<&str> = step.split(',').map(str::trim).collect();
            match parts[..] {
                ["F", cutoff, interval] => Some(Step {
                    cutoff: time(cutoff)?,
                    interval: time(interval)?,
                    factor: None,
                }),
                ["G", cutoff, interval, factor] => Some(Step {
                    cutoff: time(cutoff)?,
                    interval: time(interval)?,
                    factor: Some(
                        factor
                            .parse()
                            .ok()
                            .filter(|f: &f64| (1.0..100.0).contains(f))?,
                    ),
                }),
                _ => None,
            }
        })
        .collect()
}

fn read_sendmail(root: &DeTable<'_>, found: &mut Found) -> SendmailNumbers {
    let mut numbers = SendmailNumbers {
        queue_interval: minutes(30),
        min_queue_age: 0,
        queue_return: days(5),
        host_status: minutes(30),
        connect_timeout: minutes(2),
    };
    let keys = &[
        "queue_interval",
        "min_queue_age",
        "queue_return",
        "host_status",
        "connect_timeout",
    ];
    let mut section = Section::open(root, "schedule", keys, found);
    interval(&mut section, "queue_interval", &mut numbers.queue_interval);
    length(&mut section, "min_queue_age", &mut numbers.min_queue_age);
    length(&mut section, "queue_return", &mut numbers.queue_return);
    length(&mut section, "host_status", &mut numbers.host_status);
    length(
        &mut section,
        "connect_timeout",
        &mut numbers.connect_timeout,
    );
    numbers
}

fn read_exchange(root: &DeTable<'_>, found: &mut Found) -> ExchangeNumbers {
    let mut numbers = ExchangeNumbers {
        glitch_count: 4,
        glitch_interval: minutes(1),
        transient_count: 6,
        transient_interval: minutes(5),
        outbound_interval: minutes(10),
        message_interval: minutes(5),
        expiration: days(2),
        connections: 20,
        connect_timeout: seconds(30),
    };
    let keys = &[
        "glitch_count",
        "glitch_interval",
        "transient_count",
        "transient_interval",
        "outbound_interval",
        "message_interval",
        "expiration",
        "connections",
        "connect_timeout",
    ];
    let mut section = Section::open(root, "schedule", keys, found);
    let s = &mut section;
    s.number("glitch_count", &mut numbers.glitch_count, 0, 15);
    s.number("transient_count", &mut numbers.transient_count, 0, 15);
    s.number("connections", &mut numbers.connections, 1, 10_000);
    interval(s, "glitch_interval", &mut numbers.glitch_interval);
    interval(s, "transient_interval", &mut numbers.transient_interval);
    interval(s, "outbound_interval", &mut numbers.outbound_interval);
    interval(s, "message_interval", &mut numbers.message_interval);
    length(s, "expiration", &mut numbers.expiration);
    length(s, "connect_timeout", &mut numbers.connect_timeout);
    numbers
}

fn read_kumomta(root: &DeTable<'_>, found: &mut Found) -> KumomtaNumbers {
    let mut numbers = KumomtaNumbers {
        retry_interval: minutes(20),
        max_retry_interval: None,
        max_age: days(7),
        connection_limit: 32,
        failures_before_delay: 100,
        connect_timeout: minutes(1),
    };
    let keys = &[
        "retry_interval",
        "max_retry_interval",
        "max_age",
        "connection_limit",
        "failures_before_delay",
        "connect_timeout",
    ];
    let mut section = Section::open(root, "schedule", keys, found);
    interval(&mut section, "retry_interval", &mut numbers.retry_interval);
    if section.get("max_retry_interval").is_some() {
        let mut longest = days(7);
        interval(&mut section, "max_retry_interval", &mut longest);
        numbers.max_retry_interval = Some(longest);
    }
    length(&mut section, "max_age", &mut numbers.max_age);
    length(
        &mut section,
        "connect_timeout",
        &mut numbers.connect_timeout,
    );
    section.number(
        "connection_limit",
        &mut numbers.connection_limit,
        1,
        100_000,
    );
    let failures = &mut numbers.failures_before_delay;
    section.number("failures_before_delay", failures, 0, 1_000_000);
    numbers
}
