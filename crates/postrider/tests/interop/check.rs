//! Whether it came out as expected.

use std::collections::BTreeMap;
use std::time::Duration;

use peers::{wait_until, with_lf, without_trace};
use serde_json::Value;

use crate::scenario::{Expect, Scenario};
use crate::stage::{Server, Stage};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn check(stage: &Stage, scenario: &Scenario) -> Result<(), String> {
    let expect = scenario.after_retry.as_ref().unwrap_or(&scenario.expect);
    if let Some(words) = &expect.client_told {
        return refused(stage, words);
    }
    let to = scenario.recipients();
    let gets = expect.arrives_for.clone().unwrap_or_else(|| to.clone());
    arrived(stage, &gets)?;
    if !matches!(stage.server, Server::None) || expect.state != "delivered" {
        standing(stage, scenario, &gets, expect)?;
    }
    reports(stage, expect)
}

fn refused(stage: &Stage, words: &str) -> Result<(), String> {
    let refusals = stage.refusals.lock().unwrap();
    if refusals.len() != stage.contents.len() || !refusals.iter().all(|r| r.contains(words)) {
        return Err(format!("the client should be told {words:?}: {refusals:?}"));
    }
    let queue = stage
        .relay
        .recipients()
        .map_err(|error| error.to_string())?;
    if queue.is_empty() {
        Ok(())
    } else {
        Err(format!("refused, and yet in the queue: {queue:?}"))
    }
}

/// What the server has, as (recipient, content with LF lines and without trace).
fn taken(stage: &Stage) -> Result<Vec<(String, Vec<u8>)>, String> {
    let maildir = match &stage.server {
        Server::Postfix(postfix) => &postfix.maildir,
        Server::Exim(exim) => &exim.maildir,
        Server::Dovecot(dovecot) => &dovecot.maildir,
        Server::Sink(sink) => {
            let each = sink.received().into_iter().flat_map(|message| {
                let content = without_trace(&with_lf(&message.content)).to_vec();
                message.to.into_iter().map(move |to| (to, content.clone()))
            });
            return Ok(each.collect());
        }
        Server::Closed(_) | Server::None => return Ok(Vec::new()),
    };
    let arrived = maildir.messages().map_err(|error| error.to_string())?;
    let each = arrived
        .into_iter()
        .map(|m| (m.recipient, without_trace(&m.content).to_vec()));
    Ok(each.collect())
}

fn arrived(stage: &Stage, gets: &[String]) -> Result<(), String> {
    let count = || match &stage.server {
        Server::Postfix(postfix) => postfix.maildir.count(),
        Server::Exim(exim) => exim.maildir.count(),
        Server::Dovecot(dovecot) => dovecot.maildir.count(),
        Server::Sink(sink) => sink.received().iter().map(|m| m.to.len()).sum(),
        Server::Closed(_) | Server::None => 0,
    };
    let expected = gets.len() * stage.contents.len();
    let there = wait_until(PATIENCE, || (count() >= expected).then_some(()));
    let taken = taken(stage)?;
    if there.is_none() || taken.len() != expected {
        let log = stage.relay.log();
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        return Err(format!(
            "{} of {expected} have arrived; {tail:#?}",
            taken.len()
        ));
    }
    for content in &stage.contents {
        let sent = with_lf(content);
        let mut missing: BTreeMap<&str, usize> = gets.iter().map(|to| (to.as_str(), 1)).collect();
        for (to, got) in taken.iter().filter(|(_, got)| same(&sent, got)) {
            match missing.remove(to.as_str()) {
                Some(_) => {}
                None => {
                    return Err(format!(
                        "{to} has it twice, or should not ({} bytes)",
                        got.len()
                    ));
                }
            }
        }
        if let Some((to, _)) = missing.first_key_value() {
            let alike = |got: &Vec<u8>| sent.iter().zip(got).take_while(|(a, b)| a == b).count();
            let of = taken.iter().filter(|(other, _)| other == to);
            let got = of.max_by_key(|(_, got)| alike(got));
            return Err(format!(
                "{to} and {} others have not got it unchanged: {}",
                missing.len() - 1,
                first_difference(&sent, got)
            ));
        }
    }
    Ok(())
}

/// The same bytes; the client may add to the header at its end (Message-ID, Date), which is then told
/// apart by the caller's messages having their own.
fn same(sent: &[u8], got: &[u8]) -> bool {
    sent == got
}

fn first_difference(sent: &[u8], got: Option<&(String, Vec<u8>)>) -> String {
    let Some((_, got)) = got else {
        return "nothing has come".to_owned();
    };
    let at = sent
        .iter()
        .zip(got)
        .position(|(a, b)| a != b)
        .unwrap_or(sent.len().min(got.len()));
    let around = |bytes: &[u8]| {
        let (from, to) = (at.saturating_sub(40), (at + 40).min(bytes.len()));
        String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()).into_owned()
    };
    format!(
        "at byte {at} of {} (got {}): sent {:?}, got {:?}",
        sent.len(),
        got.len(),
        around(sent),
        around(got)
    )
}

fn standing(
    stage: &Stage,
    scenario: &Scenario,
    gets: &[String],
    expect: &Expect,
) -> Result<(), String> {
    let all = stage
        .relay
        .recipients()
        .map_err(|error| error.to_string())?;
    let own = all.iter().filter(|r| r["sender"] == scenario.from.as_str());
    for recipient in own {
        let got = gets.iter().any(|to| recipient["recipient"] == to.as_str());
        let state = if got {
            "delivered"
        } else {
            expect.state.as_str()
        };
        if recipient["state"] != state {
            return Err(format!(
                "should be {state}: {recipient:#}\n{}",
                story(stage, recipient)
            ));
        }
        if let Some(attempts) = expect
            .attempts
            .filter(|attempts| recipient["attempts"] != *attempts)
        {
            return Err(format!(
                "should have {attempts} attempts: {recipient:#}\n{}",
                story(stage, recipient)
            ));
        }
        if got {
            continue;
        }
        if let Some(cause) = &expect.cause {
            let id = recipient["id"].as_str().unwrap_or_default();
            let shown = stage.relay.show(id).map_err(|error| error.to_string())?;
            let of = shown["recipients"].as_array().into_iter().flatten();
            let found = of
                .filter(|r| r["address"] == recipient["recipient"])
                .any(|r| r["cause"] == cause.as_str());
            if !found {
                return Err(format!(
                    "the cause should be {cause}: {}\n{}",
                    shown["recipients"],
                    story(stage, recipient)
                ));
            }
        }
    }
    let first = all.iter().find(|r| r["sender"] == scenario.from.as_str());
    let told = first.map(|first| story(stage, first)).unwrap_or_default();
    let plain = one_line(&told);
    for words in &expect.told {
        if !plain.contains(words.as_str()) {
            return Err(format!("the story should say {words:?}:\n{told}"));
        }
    }
    Ok(())
}

fn story(stage: &Stage, recipient: &Value) -> String {
    let id = recipient["id"].as_str().unwrap_or_default();
    stage
        .relay
        .ask(&["queue", "show", id])
        .unwrap_or_else(|error| error.to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reports(stage: &Stage, expect: &Expect) -> Result<(), String> {
    if expect.report.is_empty() {
        let reports = stage.senders.count();
        return if reports == 0 {
            Ok(())
        } else {
            Err(format!("{reports} reports, and none was due"))
        };
    }
    if stage.senders.wait_for(1, PATIENCE) != 1 {
        return Err(format!(
            "{} reports in place of one\n{}",
            stage.senders.count(),
            stage.relay.log()
        ));
    }
    let report = stage.senders.received().remove(0);
    if !report.from.is_empty() {
        return Err(format!("a report comes from <>, not from {}", report.from));
    }
    let text = String::from_utf8_lossy(&report.content).into_owned();
    let plain = one_line(&text);
    for words in &expect.report {
        if !plain.contains(words.as_str()) {
            return Err(format!("the report should say {words:?}:\n{text}"));
        }
    }
    Ok(())
}
