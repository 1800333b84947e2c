//! The test suite of openspf.org for RFC 7208 (203 cases), as it comes with pyspf: `tools/install-peers`
//! unpacks it into `.peers/pyspf`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its cases fails"
)]

use std::net::IpAddr;
use std::path::PathBuf;

use dns::{AskError, Mx, RecordData, RecordKind, TableResolver, Unanswered};
use email_auth::spf::{self, Outcome, Plain};
use yaml_rust2::{Yaml, YamlLoader};

/// Cases in which we differ, and why.
const DEVIATIONS: [(&str, &str); 0] = [];

#[tokio::test]
async fn every_case_of_the_suite_has_one_of_the_results_it_allows() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.peers/pyspf/test/rfc7208-tests.yml");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run tools/install-peers", path.display()));
    let (mut cases, mut wrong) = (0, Vec::new());
    for scenario in YamlLoader::load_from_str(&text).unwrap() {
        let zone = zone(&scenario["zonedata"]);
        for (name, case) in scenario["tests"].as_hash().unwrap() {
            cases += 1;
            let name = name.as_str().unwrap();
            let allowed = words(&case["result"]);
            let outcome = result(&zone, case).await;
            let differs = DEVIATIONS.iter().any(|(known, _)| *known == name);
            if allowed.iter().any(|word| *word == outcome) == differs {
                wrong.push(format!("{name}: {outcome}, not {allowed:?}"));
            }
        }
    }
    assert!(cases > 190, "{cases} cases");
    assert!(
        wrong.is_empty(),
        "{} of {cases}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn result(zone: &TableResolver, case: &Yaml) -> &'static str {
    let client: IpAddr = case["host"].as_str().unwrap().parse().unwrap();
    let helo = case["helo"].as_str().unwrap_or_default();
    // RFC 7208 §2.4: the null reverse-path stands for postmaster of the client's name.
    let (local, domain) = match case["mailfrom"].as_str().unwrap_or_default() {
        "" => ("postmaster", helo),
        sender => match sender.rsplit_once('@') {
            Some(("", domain)) => ("postmaster", domain),
            Some(parts) => parts,
            None => ("postmaster", sender),
        },
    };
    match spf::evaluate(&mut Plain(zone), client, domain, local, helo).await {
        Outcome::None => "none",
        Outcome::Neutral => "neutral",
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::SoftFail => "softfail",
        Outcome::TempError => "temperror",
        Outcome::PermError => "permerror",
    }
}

/// The records of a scenario. What the suite writes as type SPF is of type TXT too, where the name
/// has no TXT of its own; TIMEOUT is the answer to every other question about its name.
fn zone(data: &Yaml) -> TableResolver {
    let zone = TableResolver::default();
    for (name, entries) in data.as_hash().unwrap() {
        let name = name.as_str().unwrap().to_ascii_lowercase();
        let mut records: Vec<RecordData> = Vec::new();
        let (mut generated, mut own_texts, mut silent) = (Vec::new(), false, false);
        for entry in entries.as_vec().unwrap() {
            let Some(entry) = entry.as_hash() else {
                silent = true;
                continue;
            };
            for (kind, value) in entry {
                match kind.as_str().unwrap() {
                    "SPF" => generated.push(RecordData::Txt(words(value).concat())),
                    "TXT" => {
                        own_texts = true;
                        let text = words(value).concat();
                        if text != "NONE" {
                            records.push(RecordData::Txt(text));
                        }
                    }
                    kind => records.push(record(kind, value)),
                }
            }
        }
        if !own_texts {
            records.extend(generated);
        }
        for kind in [
            RecordKind::A,
            RecordKind::Aaaa,
            RecordKind::Cname,
            RecordKind::Mx,
            RecordKind::Ptr,
            RecordKind::Txt,
        ] {
            let of_kind = records.iter().filter(|record| record.kind() == kind);
            let of_kind: Vec<RecordData> = of_kind.cloned().collect();
            let reported = "TIMEOUT".to_owned();
            let how = Unanswered::TimedOut;
            match (of_kind.is_empty(), silent) {
                (false, _) => zone.set(&name, kind, Ok(of_kind)),
                (true, true) => zone.set(&name, kind, Err(AskError::Unanswered { how, reported })),
                (true, false) => {}
            }
        }
    }
    zone
}

fn record(kind: &str, value: &Yaml) -> RecordData {
    match kind {
        "A" => RecordData::A(value.as_str().unwrap().parse().unwrap()),
        "AAAA" => RecordData::Aaaa(value.as_str().unwrap().parse().unwrap()),
        "CNAME" => RecordData::Cname(host(value)),
        "PTR" => RecordData::Ptr(host(value)),
        "MX" => RecordData::Mx(Mx {
            preference: u16::try_from(value[0].as_i64().unwrap()).unwrap(),
            exchange: host(&value[1]),
        }),
        other => panic!("a record of type {other}"),
    }
}

fn host(value: &Yaml) -> String {
    value
        .as_str()
        .unwrap()
        .trim_end_matches('.')
        .to_ascii_lowercase()
}

/// A word or a list of them.
fn words(value: &Yaml) -> Vec<String> {
    match value.as_vec() {
        Some(all) => all
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect(),
        None => vec![
            value
                .as_str()
                .unwrap_or_else(|| panic!("{value:?}"))
                .to_owned(),
        ],
    }
}
