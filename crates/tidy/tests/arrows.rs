//! Which crate may depend on which, and which may touch the outside world.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read the workspace fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may depend on within the workspace. An arrow that is not here is forbidden; a new
/// one is a decision about the architecture (`ARCHITECTURE.md`), not about this table.
const ARROWS: &[(&str, &[&str])] = &[
    ("smtp", &[]),
    ("sasl", &[]),
    ("diagnosis", &["smtp"]),
    ("dsn", &["smtp"]),
    ("mime-convert", &[]),
    ("world", &[]),
    ("auth", &["sasl", "world"]),
    ("dns", &[]),
    ("readers", &["smtp", "diagnosis"]),
    ("queue", &["smtp", "diagnosis", "tls-report"]),
    (
        "explain",
        &["smtp", "diagnosis", "readers", "queue", "tls-report"],
    ),
    ("recipients", &["smtp", "queue"]),
    ("bounces", &["smtp", "diagnosis", "readers", "queue"]),
    ("tables", &["recipients", "dns", "world"]),
    (
        "store-sqlite",
        &["smtp", "diagnosis", "queue", "tls-report", "world"],
    ),
    ("routing", &["diagnosis", "dns", "queue", "world"]),
    (
        "checks",
        &[
            "smtp",
            "diagnosis",
            "dsn",
            "dns",
            "email-auth",
            "callout",
            "routing",
            "queue",
            "tls",
            "world",
            "mta-sts",
            "tls-demands",
        ],
    ),
    (
        "callout",
        &[
            "smtp",
            "diagnosis",
            "dns",
            "routing",
            "queue",
            "tls",
            "world",
        ],
    ),
    // Handshakes end in facts of `diagnosis`; certificates are compared with records of `dns`.
    ("tls", &["diagnosis", "dns", "world"]),
    ("https", &["diagnosis", "dns", "tls", "world"]),
    ("mta-sts", &["diagnosis", "dns", "https", "tls", "world"]),
    (
        "tls-demands",
        &["dns", "mta-sts", "routing", "tls", "world"],
    ),
    ("tls-report", &[]),
    (
        "tls-reporter",
        &[
            "diagnosis",
            "dns",
            "explain",
            "https",
            "queue",
            "tls",
            "tls-report",
            "world",
        ],
    ),
    ("toml-read", &[]),
    ("config", &["toml-read", "diagnosis", "queue", "rewriting"]),
    ("acme", &["diagnosis", "dns", "https", "tls", "world"]),
    ("sink", &["smtp", "diagnosis", "tls", "toml-read", "world"]),
    ("screening", &["smtp", "queue"]),
    ("email-auth", &["smtp", "diagnosis", "dns"]),
    ("signing", &["mime-convert", "dns", "world"]),
    ("rewriting", &["smtp", "mime-convert", "queue"]),
    (
        "filters",
        &["smtp", "queue", "screening", "email-auth", "dns", "world"],
    ),
    ("simulate", &["smtp", "diagnosis", "queue", "toml-read"]),
    (
        "reception",
        &[
            "auth",
            "smtp",
            "diagnosis",
            "dsn",
            "queue",
            "screening",
            "tls",
            "world",
        ],
    ),
    (
        "delivery",
        &[
            "smtp",
            "diagnosis",
            "dsn",
            "mime-convert",
            "dns",
            "routing",
            "sasl",
            "bounces",
            "signing",
            "rewriting",
            "explain",
            "queue",
            "mta-sts",
            "tls",
            "tls-demands",
            "world",
        ],
    ),
    (
        "postrider",
        &[
            "acme",
            "bounces",
            "auth",
            "sasl",
            "smtp",
            "diagnosis",
            "dsn",
            "dns",
            "explain",
            "readers",
            "queue",
            "world",
            "recipients",
            "tables",
            "store-sqlite",
            "config",
            "callout",
            "checks",
            "reception",
            "screening",
            "email-auth",
            "filters",
            "delivery",
            "signing",
            "sink",
            "simulate",
            "mta-sts",
            "tls",
            "tls-report",
            "tls-reporter",
            "toml-read",
        ],
    ),
    ("judge", &["smtp", "diagnosis", "readers"]),
    ("peers", &[]),
    ("tidy", &[]),
];

/// Crates that must do no I/O, read no clock and start no task: what they may not depend on.
const PURE: &[&str] = &[
    "bounces",
    "smtp",
    "sasl",
    "diagnosis",
    "dsn",
    "explain",
    "mime-convert",
    "queue",
    "readers",
    "recipients",
    "rewriting",
    "simulate",
    "tls-report",
];
const IMPURE_LIBRARIES: &[&str] = &[
    "tokio",
    "rusqlite",
    "hickory-resolver",
    "rustix",
    "socket2",
    "rand",
    "reqwest",
    "hyper",
];

/// Words that reach past `world`: time, chance, network and disk come through it.
const PAST_THE_WORLD: &[&str] = &[
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "std::time::Instant",
    "rand::",
    "std::fs",
    "tokio::fs",
    "std::net::Tcp",
    "tokio::net",
    "thread::sleep",
];
/// Where they may stand: `world` itself; the store's own files; what runs before there is a world
/// (the configuration file, the command line); real peers; the judge,
/// which reads collections of mails; this test.
const OUTSIDE: &[&str] = &[
    "world",
    "store-sqlite",
    "config",
    "postrider",
    "peers",
    "judge",
    "tidy",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn crates() -> Vec<(String, toml::Table)> {
    let mut crates = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(path.join("Cargo.toml")) else {
            continue;
        };
        let manifest: toml::Table = text.parse().unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            manifest["package"]["name"].as_str(),
            Some(&*name),
            "folder and crate agree"
        );
        crates.push((name, manifest));
    }
    crates
}

fn dependencies(manifest: &toml::Table, kind: &str) -> BTreeSet<String> {
    let table = manifest.get(kind).and_then(toml::Value::as_table);
    table
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_arrow_between_crates_is_one_that_the_architecture_allows() {
    let crates = crates();
    let names: BTreeSet<&str> = crates.iter().map(|(name, _)| name.as_str()).collect();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names, listed,
        "the crates of the workspace and those of this table"
    );
    for (name, manifest) in &crates {
        let allowed = ARROWS.iter().find(|(n, _)| n == name).unwrap().1;
        for dependency in dependencies(manifest, "dependencies") {
            let within = names.contains(dependency.as_str());
            assert!(
                !within || allowed.contains(&dependency.as_str()),
                "`{name}` must not depend on `{dependency}`: see ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn pure_crates_depend_on_nothing_that_touches_the_world() {
    for (name, manifest) in crates() {
        if PURE.contains(&name.as_str()) {
            for dependency in dependencies(&manifest, "dependencies") {
                assert!(
                    !IMPURE_LIBRARIES.contains(&dependency.as_str()),
                    "`{name}` is pure and must not depend on `{dependency}`"
                );
            }
        }
    }
}

#[test]
fn time_chance_network_and_disk_come_through_the_world() {
    for (name, _) in crates() {
        if OUTSIDE.contains(&name.as_str()) {
            continue;
        }
        let mut files = Vec::new();
        sources(&root().join("crates").join(&name).join("src"), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            // Unit tests, at the end of a file or in one of their own, may use real files.
            if file.file_name().is_some_and(|name| name == "tests.rs") {
                continue;
            }
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap_or_default();
                for word in PAST_THE_WORLD {
                    assert!(
                        !line.contains(word),
                        "{}:{}: `{word}` reaches past `world`",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for (name, manifest) in crates() {
        let inherits = manifest.get("lints").and_then(|l| l.get("workspace"));
        assert_eq!(
            inherits.and_then(toml::Value::as_bool),
            Some(true),
            "`{name}`: [lints]"
        );
    }
}

#[test]
fn no_room_is_called_utils() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let vague = ["util", "utils", "helper", "helpers", "misc", "common"].contains(&stem);
        assert!(!vague, "{}: name what is in it", file.display());
    }
}
