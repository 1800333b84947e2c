//! Exchange: its protocol logs (`SMTP Send`, `SMTP Receive`), a row for each line of a session, and its
//! message tracking log, a row for each event. `#Fields:` names the columns.

mod protocol;
mod tracking;

use super::fields::columns;
use super::line::begins_any;
use super::out::{Entry, Out};
use protocol::Protocol;

/// What Exchange's logs need to remember.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    columns: Columns,
    protocol: Protocol,
}

/// Where the columns stand that are wanted here.
#[derive(Clone, Copy, Debug)]
enum Columns {
    Protocol(protocol::Columns),
    Tracking(tracking::Columns),
}

impl Default for Columns {
    fn default() -> Columns {
        Columns::Protocol(protocol::Columns::default())
    }
}

/// Whether this is a line before the rows.
pub(crate) fn is_heading(line: &[u8]) -> bool {
    begins_any(
        line,
        &[
            "#Software: Microsoft Exchange",
            "#Log-type: ",
            "#Fields: date-time,",
            "#Version: ",
            "#Date: ",
        ],
    )
}

impl Exchange {
    pub(crate) fn heading(&mut self, line: &[u8]) {
        let Some(fields) = line.strip_prefix(b"#Fields: ") else {
            return;
        };
        let names: Vec<&[u8]> = columns(fields).collect();
        if let Some(found) = tracking::Columns::find(&names) {
            self.columns = Columns::Tracking(found);
        } else if let Some(found) = protocol::Columns::find(&names) {
            self.columns = Columns::Protocol(found);
        }
    }

    /// Takes a row; its time is already known.
    pub(crate) fn row(&mut self, entry: &Entry<'_>, out: &mut Out<'_>) {
        match &self.columns {
            Columns::Protocol(columns) => self.protocol.row(entry, columns, out),
            Columns::Tracking(columns) => tracking::row(entry, columns, out),
        }
    }
}

/// Which column has this name.
fn named(names: &[&[u8]], name: &str) -> Option<usize> {
    names
        .iter()
        .position(|column| column.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}
