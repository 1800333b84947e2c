//! Reads the catalog (`catalog/`), checks it, and writes it as Rust. A mistake in it ends the build
//! with the file and what is wrong there.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a build ends here")]

mod causes;
mod codes;
mod phrases;
mod rust;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Ids of causes, with the names that they have in Rust.
pub(crate) type Names = BTreeMap<String, String>;

fn main() {
    println!("cargo::rerun-if-changed=catalog");
    println!("cargo::rerun-if-changed=build");
    let catalog = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("catalog");
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap());

    let (names, text) = causes::generate(&files(&catalog.join("causes")));
    fs::write(out.join("causes.rs"), text).unwrap();
    let text = phrases::generate(
        &files(&catalog.join("phrases")),
        &files(&catalog.join("dialects")),
        &names,
    );
    fs::write(out.join("phrases.rs"), text).unwrap();
    let text = codes::generate(&catalog.join("codes"), &names);
    fs::write(out.join("codes.rs"), text).unwrap();
}

/// The TOML files of a directory, in the order of their names.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The Rust name of the cause with this id.
pub(crate) fn cause(names: &Names, id: &str, path: &Path) -> String {
    let name = names
        .get(id)
        .unwrap_or_else(|| panic!("{}: there is no cause `{id}`", path.display()));
    format!("Cause::{name}")
}

pub(crate) fn check(holds: bool, path: &Path, what: &str) {
    assert!(holds, "{}: {what}", path.display());
}
