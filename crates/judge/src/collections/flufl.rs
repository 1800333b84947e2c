//! The test data of flufl.bounce, which `tools/install-peers` unpacks into `.peers/`. Its test file labels
//! the recipients of each mail, and whether they failed for now or for good; nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{Collection, Missing, Problem, Sample, Truth, read, root};

/// The collection, where it is.
pub fn flufl() -> Result<Result<Collection, Missing>, Problem> {
    let Some(home) = home() else {
        return Ok(Err(Missing {
            name: "flufl.bounce",
            how: "tools/install-peers",
        }));
    };
    let labels = read(&home.join("tests/test_detectors.py"))?;
    let mut samples = Vec::new();
    for (file, (recipients, temporary)) in labelled(&String::from_utf8_lossy(&labels)) {
        samples.push(Sample {
            id: format!("flufl.bounce/{}", file.trim_end_matches(".txt")),
            mail: read(&home.join("tests/data").join(&file))?,
            truths: recipients
                .into_iter()
                .map(|recipient| Truth {
                    recipient: Some(recipient),
                    given_up: Some(!temporary),
                    ..Truth::default()
                })
                .collect(),
        });
    }
    Ok(Ok(Collection {
        name: "flufl.bounce",
        about: "the test data of flufl.bounce 6.0.0, labelled with recipients and for now or for good",
        samples,
    }))
}

/// `.peers/flufl_bounce`, or a folder of a version in it.
fn home() -> Option<PathBuf> {
    let base = root().join(".peers/flufl_bounce");
    base.join("tests/data").is_dir().then_some(base)
}

/// For each file: the addresses that any detector is to find in it, and whether for now only. A row is
/// `('detector', 'file', [b'address', …], False),`.
fn labelled(source: &str) -> BTreeMap<String, (Vec<String>, bool)> {
    let mut labels: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
    let list = source.split("DETECTORS = [").nth(1).unwrap_or_default();
    let list = list.split("\n]").next().unwrap_or_default();
    for row in list.split("\n    ('") {
        let quoted: Vec<&str> = row.split('\'').collect();
        // The first quote of a row was taken by the split: words at even places.
        let Some(file) = quoted.get(2).filter(|file| file.ends_with(".txt")) else {
            continue;
        };
        let addresses = quoted.iter().skip(4).step_by(2);
        let addresses = addresses
            .filter(|a| a.contains('@'))
            .map(|a| (*a).to_owned());
        let temporary = row.contains("], True)");
        let (known, _) = labels
            .entry((*file).to_owned())
            .or_insert((Vec::new(), temporary));
        for address in addresses {
            if !known.contains(&address) {
                known.push(address);
            }
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_test_file_are_read_with_all_their_addresses() {
        let source = "DETECTORS = [\n    # One\n    ('a', 'x_01.txt', [b'u@example.org'], False),\n    ('b', 'y_01.txt',\n     [b'v@example.org', b'w@example.org'], True),\n    ('b', 'z_01.txt', [], False),\n]\n";
        let labels = labelled(source);
        assert_eq!(
            labels["x_01.txt"],
            (vec!["u@example.org".to_owned()], false)
        );
        assert_eq!(
            labels["y_01.txt"],
            (
                vec!["v@example.org".to_owned(), "w@example.org".to_owned()],
                true
            )
        );
        assert_eq!(labels["z_01.txt"], (vec![], false));
    }
}
