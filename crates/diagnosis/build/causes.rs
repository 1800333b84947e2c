//! The causes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use serde::Deserialize;

use crate::rust::{camel, literal, slice};
use crate::{Names, check, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cause: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    id: String,
    name: String,
    doc: String,
    /// Subject and detail of the enhanced status code that says it (RFC 3463).
    status: String,
    scope: String,
    early_scope: Option<String>,
    responsible: String,
    #[serde(default = "no")]
    address_dead: String,
    #[serde(default = "no")]
    address_dead_while_transient: String,
    /// Trying further cannot help, whatever class the codes are of.
    #[serde(default)]
    ends_the_message: bool,
    #[serde(default)]
    blocks_sender: bool,
    #[serde(default)]
    checks: Vec<String>,
    #[serde(default)]
    remedies: Vec<String>,
    #[serde(default)]
    standards: Vec<String>,
}

fn no() -> String {
    "false".to_owned()
}

pub(crate) fn generate(files: &[PathBuf]) -> (Names, String) {
    let mut names = Names::new();
    let mut used = BTreeSet::new();
    let mut listed = String::from("causes! {\n");
    let mut traits =
        String::from("const fn traits(cause: Cause) -> &'static Traits {\nmatch cause {\n");
    for path in files {
        for row in read::<File>(path).cause {
            let fresh = names.insert(row.id.clone(), row.name.clone()).is_none();
            check(fresh, path, &format!("`{}` stands twice", row.id));
            check(
                used.insert(row.name.clone()),
                path,
                &format!("the name {} stands twice", row.name),
            );
            // RFC 3464 readers and scripts rely on ids of this form.
            let plain = row
                .id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b));
            check(plain, path, &format!("`{}` is no id", row.id));
            let blames_us = row.responsible == "us" || row.blocks_sender;
            check(
                !(blames_us && row.address_dead == "true"),
                path,
                &format!(
                    "`{}`: no address is dead for a cause on the sender's side",
                    row.id
                ),
            );
            check(
                row.doc.ends_with('.'),
                path,
                &format!("`{}`: the doc is a sentence", row.id),
            );
            writeln!(
                listed,
                "#[doc = {}] {} = {},",
                literal(&row.doc),
                row.name,
                literal(&row.id)
            )
            .unwrap();
            write_traits(&mut traits, &row);
        }
    }
    listed.push_str("}\n");
    traits.push_str("}\n}\n");
    (names, listed + &traits)
}

fn write_traits(out: &mut String, row: &Row) {
    let variant = |of: &'static str| move |name: &String| format!("{of}::{}", camel(name));
    writeln!(
        out,
        "Cause::{} => &Traits {{ scope: Scope::{}, early_scope: Scope::{}, responsible: Responsible::{}, \
         dead: AddressDead::{}, dead_while_transient: AddressDead::{}, blocks_sender: {}, ends_the_message: {}, status: {}, checks: {}, \
         remedies: {}, standards: {} }},",
        row.name,
        camel(&row.scope),
        camel(row.early_scope.as_ref().unwrap_or(&row.scope)),
        camel(&row.responsible),
        camel(&row.address_dead),
        camel(&row.address_dead_while_transient),
        row.blocks_sender,
        row.ends_the_message,
        pair(&row.status),
        slice(&row.checks, variant("Check")),
        slice(&row.remedies, variant("Remedy")),
        slice(&row.standards, |s| literal(s)),
    )
    .unwrap();
}

/// `2.2` as `(2, 2)`.
fn pair(text: &str) -> String {
    let (subject, detail) = text.split_once('.').expect("a status is subject.detail");
    let number = |text: &str| text.parse::<u16>().expect("a status is two numbers");
    format!("({}, {})", number(subject), number(detail))
}
