//! Sisimai's public samples: a checkout of its Perl distribution, which the environment variable `SISIMAI`
//! names. Its tests label each mail: `'01' => [['5.1.1', '550', 'userunknown', 1], …]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use diagnosis::Cause;
use serde::Deserialize;

use crate::sample::status;
use crate::{Collection, Missing, Problem, Sample, StatusLabel, Truth, read, read_toml, root};

/// `crates/judge/sisimai.toml`: what each of its reasons stands for here, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    reason: BTreeMap<String, Means>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Means {
    causes: Vec<String>,
    #[expect(dead_code, reason = "for whoever reads the mapping")]
    why: String,
}

/// The collection, where it is.
pub fn sisimai() -> Result<Result<Collection, Missing>, Problem> {
    let Some(home) = std::env::var_os("SISIMAI").map(PathBuf::from) else {
        return Ok(Err(Missing {
            name: "sisimai",
            how: "SISIMAI=a checkout of its Perl distribution",
        }));
    };
    let mapping = mapping()?;
    let mut samples = Vec::new();
    for test in tests(&home)? {
        let text = read(&test.path)?;
        for (index, rows) in labelled(&String::from_utf8_lossy(&text)) {
            let name = format!("{}-{index}", test.prefix);
            let mail = home.join(format!("set-of-emails/maildir/bsd/{name}.eml"));
            if !mail.is_file() {
                continue;
            }
            samples.push(Sample {
                id: format!("sisimai/{name}"),
                mail: read(&mail)?,
                truths: rows.iter().map(|row| truth(row, &mapping)).collect(),
            });
        }
    }
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Ok(Collection {
        name: "sisimai",
        about: "the public samples of Sisimai 5, labelled with status, reply and a reason of its own",
        samples,
    }))
}

fn mapping() -> Result<BTreeMap<String, Vec<Cause>>, Problem> {
    let path = root().join("crates/judge/sisimai.toml");
    let mapping: Mapping = read_toml(&path)?;
    let mut known = BTreeMap::new();
    for (reason, means) in mapping.reason {
        let mut causes = Vec::new();
        for id in means.causes {
            let cause = Cause::from_id(&id).ok_or_else(|| Problem::NoCause {
                path: path.clone(),
                id,
            })?;
            causes.push(cause);
        }
        known.insert(reason, causes);
    }
    Ok(known)
}

/// A file of labels, and how the mails that it labels are called.
struct Test {
    path: PathBuf,
    prefix: String,
}

/// `t/760-lhost-postfix.t` labels `lhost-postfix-NN.eml`, `t/890-rfc3464.t` labels `rfc3464-NN.eml`.
fn tests(home: &Path) -> Result<Vec<Test>, Problem> {
    let directory = home.join("t");
    let problem = |error| Problem::Read {
        path: directory.clone(),
        error,
    };
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        let stem = path
            .file_stem()
            .and_then(|s| s.to_str())
            .unwrap_or_default();
        let Some((_, prefix)) = stem.split_once('-') else {
            continue;
        };
        let known = ["lhost-", "rhost-"].iter().any(|p| prefix.starts_with(p))
            || ["rfc3464", "rfc3834", "arf"].contains(&prefix);
        if known && path.extension().is_some_and(|e| e == "t") {
            let prefix = prefix.to_owned();
            tests.push(Test { path, prefix });
        }
    }
    Ok(tests)
}

type Row = Vec<String>;

/// The rows of each mail. Only quoting and brackets are looked at.
fn labelled(source: &str) -> Vec<(String, Vec<Row>)> {
    let table = source.split("$isexpected = {").nth(1).unwrap_or_default();
    let table = table.split("\n};").next().unwrap_or_default();
    let mut mails: Vec<(String, Vec<Row>)> = Vec::new();
    let lines = table.lines().map(str::trim).filter(|l| !l.starts_with('#'));
    for line in lines {
        let line = match line.split_once("=>") {
            Some((index, rest)) => {
                let index = index.trim().trim_matches('\'').to_owned();
                mails.push((index, Vec::new()));
                rest
            }
            None => line,
        };
        let Some((_, rows)) = mails.last_mut() else {
            continue;
        };
        for row in line.split('[').filter(|row| row.contains(']')) {
            let row = row.split(']').next().unwrap_or_default();
            let words: Row = row
                .split(',')
                .map(|word| word.trim().trim_matches('\'').to_owned())
                .collect();
            if words.len() >= 4 {
                rows.push(words);
            }
        }
    }
    mails
}

fn truth(row: &Row, mapping: &BTreeMap<String, Vec<Cause>>) -> Truth {
    let [code, reply, reason, ..] = &row[..] else {
        return Truth::default();
    };
    let no_failure = ["delivered", "vacation"].contains(&reason.as_str());
    let feedback = reason == "feedback";
    Truth {
        recipient: None,
        // 5.0.9xx and 4.0.9xx are that tool's own: no truth.
        status: match status(code) {
            Some(s) if s.subject == 0 && s.detail >= 900 => StatusLabel::NotJudged,
            Some(s) => StatusLabel::Is(s),
            None if feedback => StatusLabel::NotJudged,
            None => StatusLabel::None,
        },
        reply: (!feedback).then(|| reply.parse().ok()),
        causes: mapping.get(reason).cloned().unwrap_or_default(),
        name: reason.clone(),
        given_up: None,
        no_failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_test_file_are_read_with_their_mail() {
        let source = "my $isexpected = {\n    # INDEX\n    '01' => [['5.1.1',   '',    'mailererror',     0]],\n    '02' => [['5.2.1',   '550', 'userunknown',     1],\n             ['5.1.1',   '550', 'userunknown',     1]],\n};\n";
        let mails = labelled(source);
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0].1, [["5.1.1", "", "mailererror", "0"]]);
        assert_eq!(mails[1].1.len(), 2);
    }
}
