//! Whether it came out as expected.

use std::time::Duration;

use peers::wait_until;
use serde_json::Value;

use crate::scenario::{Expect, Scenario};
use crate::stage::Stage;

pub(crate) fn check(stage: &Stage, scenario: &Scenario, id: &str) -> Result<(), String> {
    let expect = &scenario.expect;
    let story = stage
        .relay
        .ask(&["queue", "show", id])
        .map_err(|e| e.to_string())?;
    let shown = stage.relay.show(id).map_err(|e| e.to_string())?;
    let looked = look(&shown, expect).and_then(|()| {
        let plain = one_line(&story);
        let missing = expect
            .told
            .iter()
            .find(|words| !plain.contains(words.as_str()));
        missing.map_or(Ok(()), |words| {
            Err(format!("the story should say {words:?}"))
        })
    });
    looked.map_err(|what| format!("{what}\n{story}"))?;
    found(stage, expect, id)?;
    stage.have_arrived(&expect.arrived)?;
    reports(stage, expect)
}

/// The relay looks at the cause itself, and the story shows what it found.
fn found(stage: &Stage, expect: &Expect, id: &str) -> Result<(), String> {
    if expect.found.is_empty() {
        return Ok(());
    }
    let mut last = Vec::new();
    let all = wait_until(Duration::from_secs(60), || {
        let shown = stage.relay.show(id).ok()?;
        let findings = shown["recipients"][0]["findings"].as_array().cloned();
        let name = |f: &Value| f["conclusion"].as_str().unwrap_or_default().to_owned();
        last = findings.unwrap_or_default().iter().map(name).collect();
        expect
            .found
            .iter()
            .all(|one| last.contains(one))
            .then_some(())
    });
    all.ok_or_else(|| format!("found {last:?}, and not {:?}", expect.found))?;
    let story = stage
        .relay
        .ask(&["queue", "show", id])
        .map_err(|e| e.to_string())?;
    match story.contains("What this server found when it looked at") {
        true => Ok(()),
        false => Err(format!("the story does not show what was found:\n{story}")),
    }
}

fn look(shown: &Value, expect: &Expect) -> Result<(), String> {
    let recipients = shown["recipients"].as_array().cloned().unwrap_or_default();
    for recipient in &recipients {
        let address = recipient["address"].as_str().unwrap_or_default();
        let meant = expect.only.is_empty() || expect.only.iter().any(|only| only == address);
        match meant && !expect.cause.is_empty() {
            true => failed(recipient, shown, expect).map_err(|e| format!("{address}: {e}"))?,
            false => same("state", &recipient["state"], "delivered")
                .map_err(|e| format!("{address}: {e}"))?,
        }
    }
    match &expect.tried {
        Some(expected) => {
            let tried = tried(shown);
            (tried == *expected)
                .then_some(())
                .ok_or_else(|| format!("tried {tried:?}, and not {expected:?}"))
        }
        None => Ok(()),
    }
}

fn failed(recipient: &Value, shown: &Value, expect: &Expect) -> Result<(), String> {
    same("state", &recipient["state"], &expect.state)?;
    same("cause", &recipient["cause"], &expect.cause)?;
    same(
        "who must act",
        &recipient["diagnosis"]["responsible"],
        &expect.responsible,
    )?;
    same(
        "headline",
        &recipient["explanation"]["headline"],
        &expect.headline,
    )?;
    let Some((least, most)) = expect.wait else {
        return Ok(());
    };
    let ended = shown["attempts"].as_array().and_then(|all| all.last());
    let ended = time(&ended.map_or(Value::Null, |attempt| attempt["ended_at"].clone()))?;
    let next = time(&recipient["next_attempt"])?;
    let wait = next.duration_since(ended).as_secs_f64();
    (least..=most)
        .contains(&wait)
        .then_some(())
        .ok_or_else(|| format!("the next attempt comes after {wait} seconds"))
}

fn time(value: &Value) -> Result<jiff::Timestamp, String> {
    let text = value.as_str().unwrap_or_default();
    text.parse().map_err(|_| format!("no time: {value}"))
}

fn same(what: &str, found: &Value, expected: &str) -> Result<(), String> {
    match found.as_str() == Some(expected) {
        true => Ok(()),
        false => Err(format!("{what}: {found}, and not {expected:?}")),
    }
}

/// The hosts to which a connection was made or tried, in order.
fn tried(shown: &Value) -> Vec<String> {
    let attempts = shown["attempts"].as_array().cloned().unwrap_or_default();
    let steps = attempts
        .iter()
        .filter_map(|attempt| attempt["steps"].as_array())
        .flatten();
    let host = |step: &Value| {
        let what = &step["what"];
        let of = ["connected", "not_connected"]
            .iter()
            .find_map(|kind| what.get(kind))?;
        Some(of["host"].as_str()?.to_owned())
    };
    steps.filter_map(host).collect()
}

fn reports(stage: &Stage, expect: &Expect) -> Result<(), String> {
    if expect.report.is_empty() {
        return Ok(());
    }
    if stage.senders.wait_for(1, Duration::from_secs(60)) == 0 {
        return Err("no report has come".to_owned());
    }
    let report = stage.senders.received().remove(0);
    let text = String::from_utf8_lossy(&report.content).into_owned();
    let plain = one_line(&text);
    match expect
        .report
        .iter()
        .find(|words| !plain.contains(words.as_str()))
    {
        Some(words) => Err(format!("the report should say {words:?}:\n{text}")),
        None => Ok(()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
