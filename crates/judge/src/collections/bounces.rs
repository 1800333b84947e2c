//! Our own collection, `tests/bounces/`: each mail (`.eml`) has its label beside it (`.toml`).

use std::fs;
use std::path::{Path, PathBuf};

use diagnosis::Cause;
use serde::Deserialize;

use crate::sample::status;
use crate::{Collection, Problem, Sample, StatusLabel, Truth, read, read_toml, root};

/// A label. `tests/bounces/README.md` says what each field means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Label {
    #[expect(dead_code, reason = "for whoever reads the label")]
    made_by: String,
    #[expect(dead_code, reason = "for whoever reads the label")]
    about: String,
    #[serde(default)]
    recipient: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Recipient {
    address: Option<String>,
    status: Option<String>,
    reply: Option<u16>,
    cause: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default = "yes")]
    given_up: bool,
}

fn yes() -> bool {
    true
}

/// All of it.
pub fn bounces() -> Result<Collection, Problem> {
    let mut mails = Vec::new();
    find(&root().join("tests/bounces"), &mut mails)?;
    mails.sort();
    let samples: Result<Vec<Sample>, Problem> = mails.iter().map(|path| sample(path)).collect();
    Ok(Collection {
        name: "bounces",
        about: "our own: `tests/bounces/`, in the form that servers give their bounces",
        samples: samples?,
    })
}

fn find(directory: &Path, mails: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let problem = |error| Problem::Read {
        path: directory.to_owned(),
        error,
    };
    for entry in fs::read_dir(directory).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() {
            find(&path, mails)?;
        } else if path.extension().is_some_and(|e| e == "eml") {
            mails.push(path);
        }
    }
    Ok(())
}

fn sample(path: &Path) -> Result<Sample, Problem> {
    let at = path.with_extension("toml");
    let label: Label = read_toml(&at)?;
    let truths: Result<Vec<Truth>, Problem> =
        label.recipient.iter().map(|r| truth(r, &at)).collect();
    let base = root().join("tests/bounces");
    let name = path.strip_prefix(base).unwrap_or(path).with_extension("");
    Ok(Sample {
        id: format!("bounces/{}", name.display()),
        mail: read(path)?,
        truths: truths?,
    })
}

fn truth(label: &Recipient, at: &Path) -> Result<Truth, Problem> {
    let cause = |id: &String| {
        Cause::from_id(id).ok_or_else(|| Problem::NoCause {
            path: at.to_owned(),
            id: id.clone(),
        })
    };
    let causes: Result<Vec<Cause>, Problem> = std::iter::once(&label.cause)
        .chain(&label.also)
        .map(cause)
        .collect();
    let status = match &label.status {
        None => StatusLabel::None,
        Some(text) => StatusLabel::Is(status(text).ok_or_else(|| Problem::NoStatus {
            path: at.to_owned(),
            text: text.clone(),
        })?),
    };
    Ok(Truth {
        recipient: label.address.clone(),
        status,
        reply: Some(label.reply),
        causes: causes?,
        name: label.cause.clone(),
        given_up: Some(label.given_up),
        no_failure: false,
    })
}
