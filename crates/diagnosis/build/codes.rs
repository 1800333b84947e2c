//! The codes: enhanced status codes, reply codes, and the rows of the page that it began with.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use crate::phrases::status;
use crate::rust::{camel, literal, option, slice};
use crate::{Names, cause, check, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enhanced {
    code: Vec<Code>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
    title: String,
    standard: String,
    classes: Vec<u8>,
    #[serde(default)]
    replies: Vec<u16>,
    #[serde(default)]
    causes: Vec<Pointer>,
    #[serde(default)]
    case: Vec<CodeCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeCase {
    #[serde(default)]
    reply: Vec<u16>,
    class: Option<u8>,
    causes: Vec<Pointer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointer {
    cause: String,
    strength: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replies {
    reply: Vec<Reply>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Reply {
    code: u16,
    title: String,
    standard: String,
    reads_as: Option<String>,
    #[serde(default)]
    causes: Vec<Pointer>,
    #[serde(default)]
    case: Vec<ReplyCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyCase {
    #[serde(default)]
    stages: Vec<String>,
    #[serde(default)]
    accepted: bool,
    causes: Vec<Pointer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    row: Vec<PageRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageRow {
    dotted: String,
    replies: Vec<u16>,
    title: String,
    first: String,
    causes: Vec<Pointer>,
}

pub(crate) fn generate(directory: &Path, names: &Names) -> String {
    let path = directory.join("enhanced.toml");
    let mut out =
        String::from("/// The enhanced status codes.\npub static ENHANCED: &[EnhancedCode] = &[\n");
    let mut seen = BTreeSet::new();
    for code in read::<Enhanced>(&path).code {
        check(
            seen.insert(code.code.clone()),
            &path,
            &format!("{} stands twice", code.code),
        );
        check(
            code.classes.iter().all(|c| matches!(c, 2 | 4 | 5)),
            &path,
            &format!("{}: a class is 2, 4 or 5", code.code),
        );
        let case = |case: &CodeCase| {
            format!(
                "CodeCase {{ replies: {}, class: {}, causes: {} }}",
                slice(&case.reply, u16::to_string),
                option(case.class, |c| c.to_string()),
                pointers(&case.causes, names, &path),
            )
        };
        writeln!(
            out,
            "EnhancedCode {{ code: {}, title: {}, standard: {}, classes: {}, replies: {}, causes: {}, cases: {} }},",
            status(&code.code, &path),
            literal(&code.title),
            literal(&code.standard),
            slice(&code.classes, u8::to_string),
            slice(&code.replies, u16::to_string),
            pointers(&code.causes, names, &path),
            slice(&code.case, case),
        )
        .unwrap();
    }
    out.push_str("];\n");
    replies(&mut out, directory, names);
    page(&mut out, directory, names);
    out
}

fn replies(out: &mut String, directory: &Path, names: &Names) {
    let path = directory.join("replies.toml");
    out.push_str("/// The reply codes.\npub static REPLIES: &[ReplyCode] = &[\n");
    let mut seen = BTreeSet::new();
    for reply in read::<Replies>(&path).reply {
        check(
            seen.insert(reply.code),
            &path,
            &format!("{} stands twice", reply.code),
        );
        let case = |case: &ReplyCase| {
            format!(
                "ReplyCase {{ stages: {}, accepted: {}, causes: {} }}",
                slice(&case.stages, |s| format!("Stage::{}", camel(s))),
                case.accepted,
                pointers(&case.causes, names, &path),
            )
        };
        writeln!(
            out,
            "ReplyCode {{ code: {}, title: {}, standard: {}, reads_as: {}, causes: {}, cases: {} }},",
            reply.code,
            literal(&reply.title),
            literal(&reply.standard),
            option(reply.reads_as.as_ref(), |s| status(s, &path)),
            pointers(&reply.causes, names, &path),
            slice(&reply.case, case),
        )
        .unwrap();
    }
    out.push_str("];\n");
}

fn page(out: &mut String, directory: &Path, names: &Names) {
    let path = directory.join("fifteen.toml");
    let rows = read::<Page>(&path).row;
    check(rows.len() == 15, &path, "the page has fifteen rows");
    out.push_str("/// The fifteen codes.\npub static FIFTEEN: &[PageCode] = &[\n");
    for row in rows {
        check(
            matches!(&*row.first, "reply" | "status"),
            &path,
            &format!("{}: `first` is reply or status", row.dotted),
        );
        let sum: u32 = row.causes.iter().map(|c| u32::from(c.strength)).sum();
        check(
            sum <= 100,
            &path,
            &format!("{}: the probabilities exceed 100 %", row.dotted),
        );
        writeln!(
            out,
            "PageCode {{ dotted: {}, replies: {}, title: {}, first_is_reply: {}, causes: {} }},",
            status(&row.dotted, &path),
            slice(&row.replies, u16::to_string),
            literal(&row.title),
            row.first == "reply",
            pointers(&row.causes, names, &path),
        )
        .unwrap();
    }
    out.push_str("];\n");
}

fn pointers(pointers: &[Pointer], names: &Names, path: &Path) -> String {
    for pointer in pointers {
        check(
            pointer.strength <= 100,
            path,
            &format!("{}: more than sure", pointer.cause),
        );
    }
    slice(pointers, |p| {
        format!("({}, {})", cause(names, &p.cause, path), p.strength)
    })
}
