//! `docs/codes/` is what the catalog and the texts make of it.
//! `UPDATE_DOCS=1 cargo test -p explain --test pages` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot read the docs fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use explain::{Lang, index, pages};

fn wanted() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for lang in Lang::ALL {
        let directory = lang.as_str();
        files.insert(format!("{directory}/README.md"), index(lang));
        for page in pages(lang) {
            let fresh = files
                .insert(format!("{directory}/{}", page.file), page.markdown)
                .is_none();
            assert!(fresh, "{} twice", page.file);
        }
    }
    files
}

#[test]
fn the_pages_of_the_codes_are_up_to_date() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/codes");
    let wanted = wanted();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        for lang in Lang::ALL {
            let _ = fs::remove_dir_all(root.join(lang.as_str()));
            fs::create_dir_all(root.join(lang.as_str())).unwrap();
        }
        for (file, text) in &wanted {
            fs::write(root.join(file), text).unwrap();
        }
    }
    let hint = "run: UPDATE_DOCS=1 cargo test -p explain --test pages";
    for (file, text) in &wanted {
        let there = fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(there == *text, "docs/codes/{file} is out of date; {hint}");
    }
    for lang in Lang::ALL {
        let there = fs::read_dir(root.join(lang.as_str())).unwrap().count();
        let here = wanted
            .keys()
            .filter(|file| file.starts_with(lang.as_str()))
            .count();
        assert_eq!(
            there,
            here,
            "docs/codes/{} has pages of no code; {hint}",
            lang.as_str()
        );
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let wanted = wanted();
    for (file, text) in &wanted {
        let directory = file.split('/').next().unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            assert!(
                wanted.contains_key(&format!("{directory}/{target}")),
                "{file}: {target}"
            );
        }
    }
}

#[test]
fn no_text_is_missing() {
    for (file, text) in wanted() {
        for line in text.lines() {
            let key = line.split(": ").nth(1).unwrap_or(line);
            let looks_like_a_key = [
                "page-", "status-", "reply-", "class-", "do-", "check-", "who-",
            ]
            .iter()
            .any(|start| key.starts_with(start) && !key.contains(' '));
            assert!(!looks_like_a_key, "{file}: {line}");
        }
    }
}
