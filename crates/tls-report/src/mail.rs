//! The mail that carries a report (RFC 8460 §5.3).

use mail_parser::{MessageParser, MimeHeaders};

use crate::unpack::{MAGIC, unpack_beginning};

/// So much of an input is looked at to tell what it is.
const LOOK: usize = 64 * 1024;

/// The part of a mail that is a report, as it was before it was encoded.
pub(crate) fn part(mail: &[u8]) -> Option<Vec<u8>> {
    let message = MessageParser::default().parse(mail)?;
    let typed = |kinds: &[&str]| {
        let mut parts = message.parts.iter();
        parts.find(|part| {
            part.content_type().is_some_and(|of| {
                let subtype = of.c_subtype.as_deref().unwrap_or_default();
                kinds.iter().any(|kind| subtype.eq_ignore_ascii_case(kind))
            })
        })
    };
    // Some senders know no better names than those of gzip and JSON.
    let part =
        typed(&["tlsrpt+gzip", "tlsrpt+json"]).or_else(|| typed(&["gzip", "x-gzip", "json"]))?;
    Some(part.contents().to_vec())
}

/// Whether an input is a report or carries one, by its beginning.
#[must_use]
pub fn looks_like_one(beginning: &[u8]) -> bool {
    let beginning = beginning.get(..LOOK).unwrap_or(beginning);
    // Logs are packed as well.
    let packed = beginning.starts_with(MAGIC);
    let unpacked = packed.then(|| unpack_beginning(beginning, LOOK));
    let beginning = unpacked.as_deref().unwrap_or(beginning);
    let text = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    match text.starts_with('{') {
        true => text.contains("\"policies\"") || text.contains("\"organization-name\""),
        false if packed => false,
        false => {
            let mut lines = text.lines();
            let is_type = |line: &str| {
                line.contains("application/tlsrpt+")
                    || line.contains("report-type=\"tlsrpt\"")
                    || line.contains("report-type=tlsrpt")
            };
            lines.any(|line| line.starts_with("tls-report-domain:") || is_type(line))
        }
    }
}
