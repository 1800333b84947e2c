//! The documents name what exists.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read the workspace fails"
)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(dir: &Path, out: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// What stands between backticks in the lines that are rows of a table.
fn quoted_in_tables(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn each_row_on_durability_names_tests_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/durability.md")).unwrap();
    let mut code = String::new();
    sources(&root().join("crates"), &mut code);
    // A test's name is a sentence; nothing else in those tables has as many underscores.
    let names: Vec<&str> = quoted_in_tables(&text)
        .into_iter()
        .filter(|name| name.matches('_').count() >= 4)
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(
            code.contains(&format!("fn {name}()")),
            "docs/durability.md names a test that does not exist: {name}"
        );
    }
}

#[test]
fn each_attack_on_the_security_page_names_tests_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let mut code = String::new();
    sources(&root().join("crates"), &mut code);
    for row in text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| attack"))
    {
        let quoted = row.split('`').skip(1).step_by(2);
        let names: Vec<&str> = quoted
            .filter(|name| name.matches('_').count() >= 4)
            .collect();
        assert!(
            !names.is_empty(),
            "docs/security.md has a row without a test: {row}"
        );
        for name in names {
            assert!(
                code.contains(&format!("fn {name}(")),
                "docs/security.md names a test that does not exist: {name}"
            );
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            documents.push(path);
        }
    }
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| {
            let target = rest.split(')').next()?;
            target.split('#').next().filter(|file| !file.is_empty())
        });
        for target in targets.filter(|t| !t.contains("://")) {
            let file = document.parent().unwrap().join(target);
            assert!(
                file.exists(),
                "{} links to {target}, which does not exist",
                document.display()
            );
        }
    }
}
