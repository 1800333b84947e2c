//! What peers say: phrases by area, and dialects by the software that speaks them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::rust::{camel, literal, option, slice};
use crate::{Names, cause, check, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialect {
    id: String,
    variant: String,
    name: String,
    #[serde(default)]
    marks: Vec<String>,
    /// Domains whose mail servers answer so.
    #[serde(default)]
    peers: Vec<String>,
    #[serde(default)]
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    words: String,
    status: Option<String>,
    reply: Option<u16>,
    /// Only at this stage.
    stage: Option<String>,
    /// Counts only where the dialect has been recognised otherwise.
    #[serde(default)]
    only: bool,
    cause: String,
    strength: u8,
    example: String,
}

pub(crate) fn generate(phrases: &[PathBuf], dialects: &[PathBuf], names: &Names) -> String {
    let mut rows = String::new();
    let mut seen = BTreeSet::new();
    for path in phrases {
        for row in read::<File>(path).row {
            check(!row.only, path, "`only` is for dialects");
            write_row(&mut rows, &mut seen, &row, None, path, names);
        }
    }
    let mut listed = String::from("dialects! {\n");
    for path in dialects {
        let dialect: Dialect = read(path);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        check(dialect.id == stem, path, "the id is the name of the file");
        for mark in &dialect.marks {
            check(
                *mark == mark.to_lowercase(),
                path,
                &format!("the mark `{mark}` is not of lower case"),
            );
        }
        for peer in &dialect.peers {
            check(
                *peer == peer.to_lowercase() && peer.contains('.') && !peer.starts_with('.'),
                path,
                &format!("the peer `{peer}` is no domain of lower case"),
            );
        }
        writeln!(
            listed,
            "{} = {}, {}, {}, {};",
            dialect.variant,
            literal(&dialect.id),
            literal(&dialect.name),
            slice(&dialect.marks, |m| literal(m)),
            slice(&dialect.peers, |p| literal(p)),
        )
        .unwrap();
        for row in &dialect.row {
            write_row(
                &mut rows,
                &mut seen,
                row,
                Some(&dialect.variant),
                path,
                names,
            );
        }
    }
    listed.push_str("}\n");
    format!("{listed}\n/// The table.\npub(crate) static PHRASES: &[Phrase] = &[\n{rows}];\n")
}

/// What no two rows may share: words, status, reply, stage, and the dialect where only it counts.
type Key = (
    String,
    Option<String>,
    Option<u16>,
    Option<String>,
    Option<String>,
);

fn write_row(
    out: &mut String,
    seen: &mut BTreeSet<Key>,
    row: &Row,
    dialect: Option<&str>,
    path: &Path,
    names: &Names,
) {
    let at = format!("`{}`", row.words);
    check(
        row.words == row.words.to_lowercase(),
        path,
        &format!("{at} is not of lower case"),
    );
    check(row.strength <= 100, path, &format!("{at}: more than sure"));
    let says_something = !row.words.is_empty()
        || (dialect.is_some() && (row.status.is_some() || row.reply.is_some()));
    check(says_something, path, &format!("{at} fits everything"));
    let parts: Vec<String> = row.words.split('…').map(str::to_owned).collect();
    check(
        row.words.is_empty() || parts.iter().all(|p| !p.trim().is_empty()),
        path,
        &format!("{at} has an empty part"),
    );
    let key = (
        row.words.clone(),
        row.status.clone(),
        row.reply,
        row.stage.clone(),
        row.only.then(|| dialect.unwrap_or_default().to_owned()),
    );
    check(seen.insert(key), path, &format!("{at} stands twice"));
    writeln!(
        out,
        "Phrase {{ parts: {}, status: {}, reply: {}, stage: {}, dialect: {}, only: {}, cause: {}, strength: {}, example: {} }},",
        if row.words.is_empty() { "&[]".to_owned() } else { slice(&parts, |p| literal(p)) },
        option(row.status.as_ref(), |s| status(s, path)),
        option(row.reply, |r| r.to_string()),
        option(row.stage.as_ref(), |s| format!("Stage::{}", camel(s))),
        option(dialect, |d| format!("Dialect::{d}")),
        row.only,
        cause(names, &row.cause, path),
        row.strength,
        literal(&row.example),
    )
    .unwrap();
}

/// `5.4.1` or `X.4.1`: class (0 for any), subject, detail.
pub(crate) fn status(text: &str, path: &Path) -> String {
    let parts: Vec<&str> = text.split('.').collect();
    let numbers: Option<Vec<u16>> = parts
        .iter()
        .map(|p| if *p == "X" { Some(0) } else { p.parse().ok() })
        .collect();
    match numbers.as_deref() {
        Some([class @ (0 | 2 | 4 | 5), subject @ 0..=999, detail @ 0..=999]) => {
            format!("({class}, {subject}, {detail})")
        }
        _ => panic!("{}: `{text}` is no enhanced status code", path.display()),
    }
}
