//! Reports on TLS among the inputs (RFC 8460): one object each, so that they are read whole.

use std::io::{self, Read, Write};

use super::{ExplainError, Printer};

/// So much is looked at to tell what an input is.
const LOOK: usize = 64 * 1024;
/// A report with its mail is never larger than this.
const WHOLE: u64 = 24 << 20;

/// What an input begins with, and the whole input again.
pub(super) type Begun<'a> = io::Chain<io::Cursor<Vec<u8>>, &'a mut dyn Read>;

/// Looks at the beginning of an input. Where it is a report, it is shown, and `None` is answered.
pub(super) fn show<'a>(
    from: &'a mut dyn Read,
    printer: &mut Printer<'_>,
    fail: &dyn Fn(io::Error) -> ExplainError,
) -> Result<Option<Begun<'a>>, ExplainError> {
    // One reading alone: a log that comes through a pipe is shown as it grows.
    let mut beginning = vec![0; LOOK];
    let length = loop {
        match from.read(&mut beginning) {
            Ok(length) => break length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fail(error)),
        }
    };
    beginning.truncate(length);
    if !tls_report::looks_like_one(&beginning) {
        return Ok(Some(io::Cursor::new(beginning).chain(from)));
    }
    let mut whole = beginning;
    from.take(WHOLE).read_to_end(&mut whole).map_err(fail)?;
    let report = tls_report::read(&whole).map_err(|problem| ExplainError::TlsReport {
        told: explain::tls_report_unreadable(printer.source, &problem, printer.lang),
    })?;
    printer.shown += 1;
    let (source, lang) = (printer.source, printer.lang);
    let written = match printer.json {
        true => {
            let value = explain::tls_report_json(&report, source, lang);
            serde_json::to_writer(&mut printer.out, &value)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(printer.out))
        }
        false => {
            let gap = if printer.shown > 1 { "\n" } else { "" };
            let text = explain::tls_report_text(&report, lang, printer.style);
            write!(printer.out, "{gap}{text}")
        }
    };
    written.map_err(ExplainError::Output)?;
    Ok(None)
}
