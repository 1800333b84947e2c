//! The protocol logs: what each side said, row by row; the sessions are mixed.

use std::collections::VecDeque;

use diagnosis::{Dialect, Ended, Stage};

use super::super::fields::columns;
use super::super::line::{begins, between, is_refusal};
use super::super::out::{Entry, Out, Reason};
use super::super::recent::Recent;
use super::named;

/// So many sessions are remembered, and so much of each.
const SESSIONS: usize = 1024;
const COMMANDS: usize = 128;
const RECIPIENTS: usize = 512;

#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    session: usize,
    local: usize,
    remote: usize,
    event: usize,
    data: usize,
}

impl Default for Columns {
    /// As Exchange 2007 and later write them.
    fn default() -> Columns {
        Columns {
            session: 2,
            local: 4,
            remote: 5,
            event: 6,
            data: 7,
        }
    }
}

impl Columns {
    pub(super) fn find(names: &[&[u8]]) -> Option<Columns> {
        Some(Columns {
            session: named(names, "session-id")?,
            local: named(names, "local-endpoint")?,
            remote: named(names, "remote-endpoint")?,
            event: named(names, "event")?,
            data: named(names, "data")?,
        })
    }
}

/// A command that waits for its reply.
#[derive(Debug)]
enum Command {
    Rcpt(Box<[u8]>),
    Mail,
    Data,
    EndOfData,
    Other,
}

#[derive(Debug, Default)]
struct Session {
    /// Which event commands have: `>` where Exchange sends.
    sends: Option<u8>,
    waiting: VecDeque<Command>,
    accepted: Vec<Box<[u8]>>,
}

/// The sessions under way.
#[derive(Debug)]
pub(super) struct Protocol {
    sessions: Recent<Box<[u8]>, Session>,
}

impl Default for Protocol {
    fn default() -> Protocol {
        Protocol {
            sessions: Recent::new(SESSIONS),
        }
    }
}

/// The columns of a row that count.
struct Row<'a> {
    local: &'a [u8],
    remote: &'a [u8],
    event: u8,
    data: &'a [u8],
}

impl Protocol {
    pub(super) fn row(&mut self, entry: &Entry<'_>, at: &Columns, out: &mut Out<'_>) {
        let mut all = [&b""[..]; 16];
        for (place, column) in all.iter_mut().zip(columns(entry.line.bytes)) {
            *place = column;
        }
        let column = |at: usize| all.get(at).copied().unwrap_or_default();
        let [event] = column(at.event) else {
            return;
        };
        let row = Row {
            local: endpoint(column(at.local)),
            remote: endpoint(column(at.remote)),
            event: *event,
            data: column(at.data),
        };
        let entry = Entry {
            host: Some(row.local).filter(|host| !host.is_empty()),
            ..*entry
        };
        let id: Box<[u8]> = column(at.session).into();
        match row.event {
            b'-' => drop(self.sessions.take(&id)),
            b'*' => unreached(&entry, &row, out),
            b'>' | b'<' => {
                if let Some(session) = self.sessions.entry(&id, Session::default) {
                    session.row(&entry, &row, out);
                }
            }
            _ => {}
        }
    }
}

/// `192.0.2.1:25`, `[2001:db8::1]:25`, without the port.
fn endpoint(text: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b':', text).unwrap_or(text.len());
    let host = &text[..end];
    let host = host.strip_prefix(b"[").unwrap_or(host);
    host.strip_suffix(b"]").unwrap_or(host)
}

/// `Failed to connect. Winsock error code: 10060, …`: whom the mail was for is not told.
fn unreached(entry: &Entry<'_>, row: &Row<'_>, out: &mut Out<'_>) {
    if begins(row.data, b"Failed to connect") {
        let reason = Reason::of_server(row.data, Dialect::Exchange)
            .at(Some(Stage::Connect))
            .ended(Some(Ended::StillTrying))
            .peer(Some(row.remote));
        out.failed(entry, b"", &reason);
    }
}

impl Session {
    fn row(&mut self, entry: &Entry<'_>, row: &Row<'_>, out: &mut Out<'_>) {
        if self.sends.is_none_or(|event| event == row.event)
            && let Some(command) = command(row.data)
        {
            self.sends = Some(row.event);
            if let Command::Mail = command {
                self.accepted.clear();
            }
            if self.waiting.len() < COMMANDS {
                self.waiting.push_back(command);
            }
            return;
        }
        if self.sends != Some(row.event) && is_complete(row.data) {
            self.reply(entry, row, out);
        }
    }

    fn reply(&mut self, entry: &Entry<'_>, row: &Row<'_>, out: &mut Out<'_>) {
        // RFC 5321 §4.2.1: 3yz asks for more: the answer to it is the reply to the command.
        if row.data.starts_with(b"3") {
            if let Some(Command::Data) = self.waiting.front() {
                self.waiting[0] = Command::EndOfData;
            }
            return;
        }
        let command = self.waiting.pop_front();
        let refused = is_refusal(row.data);
        match command {
            Some(Command::Rcpt(recipient)) if refused => {
                self.failed(entry, row, &recipient, Stage::Rcpt, out);
            }
            Some(Command::Rcpt(recipient)) => {
                if self.accepted.len() < RECIPIENTS {
                    self.accepted.push(recipient);
                }
            }
            Some(Command::Data) if refused => self.all_failed(entry, row, Stage::Data, out),
            Some(Command::EndOfData) if refused => {
                self.all_failed(entry, row, Stage::EndOfData, out);
            }
            Some(Command::EndOfData) => {
                for recipient in self.accepted.drain(..) {
                    out.delivered(entry, &recipient);
                }
            }
            // Whom the mail was for has not been said yet.
            Some(Command::Mail) if refused => self.failed(entry, row, b"", Stage::Mail, out),
            None if refused && self.sends.is_none() && row.event == b'<' => {
                self.failed(entry, row, b"", Stage::Greeting, out);
            }
            Some(Command::Other | Command::Data | Command::Mail) | None => {}
        }
    }

    fn all_failed(&mut self, entry: &Entry<'_>, row: &Row<'_>, stage: Stage, out: &mut Out<'_>) {
        for recipient in std::mem::take(&mut self.accepted) {
            self.failed(entry, row, &recipient, stage, out);
        }
    }

    fn failed(&self, entry: &Entry<'_>, row: &Row<'_>, to: &[u8], stage: Stage, out: &mut Out<'_>) {
        // Where Exchange receives it is the one that refuses.
        let receives = self.sends == Some(b'<');
        let (peer, dialect) = match receives {
            true => (row.local, Some(Dialect::Exchange)),
            false => (row.remote, None),
        };
        let reason = Reason {
            dialect,
            ..Reason::of_peer(row.data).at(Some(stage)).peer(Some(peer))
        };
        out.failed(entry, to, &reason);
    }
}

/// The command that a row is, if it is one.
fn command(data: &[u8]) -> Option<Command> {
    if begins(data, b"RCPT TO:") {
        let recipient = between(data, b"<", b">").unwrap_or_default();
        return Some(Command::Rcpt(recipient.into()));
    }
    const OTHERS: &[&[u8]] = &[
        b"EHLO",
        b"HELO",
        b"STARTTLS",
        b"X-ANONYMOUSTLS",
        b"AUTH",
        b"X-EXPS",
        b"RSET",
        b"NOOP",
        b"QUIT",
    ];
    let verb = data.split(|b| *b == b' ').next().unwrap_or_default();
    match verb {
        _ if begins(data, b"MAIL FROM:") => Some(Command::Mail),
        b"DATA" => Some(Command::Data),
        // RFC 3030 §3: only the last chunk's reply is that of the message; the others say 250 too.
        b"BDAT" if data.ends_with(b"LAST") => Some(Command::EndOfData),
        b"BDAT" => Some(Command::Other),
        _ => {
            let known = OTHERS.iter().any(|name| verb.eq_ignore_ascii_case(name));
            known.then_some(Command::Other)
        }
    }
}

/// Whether this is a reply, or the last line of one.
fn is_complete(data: &[u8]) -> bool {
    let Some((code, rest)) = data.split_at_checked(3) else {
        return false;
    };
    if !code.iter().all(u8::is_ascii_digit) {
        return false;
    }
    // Several lines in one row: `550-first 550 second`.
    let last = [b" ", code, b" "].concat();
    !rest.starts_with(b"-") || memchr::memmem::find(rest, &last).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{delivered, expect};

    const HEAD: &str = "#Software: Microsoft Exchange Server\n#Version: 15.0.0.0\n#Log-type: SMTP Send Protocol Log\n#Date: 2026-03-04T13:00:00.000Z\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n";

    fn log(rows: &[&str]) -> String {
        let row = |(at, row): (usize, &&str)| {
            let (session, rest) = row.split_once(' ').unwrap();
            format!(
                "2026-03-04T13:02:11.123Z,Out,{session},{at},198.51.100.1:4233,192.0.2.1:25,{rest},\n"
            )
        };
        HEAD.to_owned() + &rows.iter().enumerate().map(row).collect::<String>()
    }

    #[test]
    fn a_reply_belongs_to_the_command_before_it_in_its_session() {
        let log = log(&[
            "S1 <,220 mx.example.org ESMTP",
            "S1 >,EHLO ex1",
            "S2 <,421 4.3.2 Too busy",
            "S1 <,250  mx.example.org SIZE 1000 PIPELINING",
            "S1 >,AUTH LOGIN",
            "S1 <,334 <authentication response>",
            "S1 >,<Binary Data>",
            "S1 <,235 2.7.0 ok",
            "S1 >,MAIL FROM:<me@example.com> SIZE=100",
            "S1 >,RCPT TO:<a@example.org>",
            "S1 >,RCPT TO:<b@example.org>",
            "S1 <,250 2.1.0 Ok",
            "S1 <,550 5.1.1 User unknown",
            "S1 <,250 2.1.5 Ok",
            "S1 >,DATA",
            "S1 <,354 go ahead",
            "S1 <,\"554 5.7.1 Spam, refused\"",
        ]);
        expect(&[(
            &log,
            &[
                "- 421 4.3.2 greeting Receiver - 192.0.2.1 | 421 4.3.2 Too busy",
                "a@example.org 550 5.1.1 rcpt Receiver - 192.0.2.1 | 550 5.1.1 User unknown",
                "b@example.org 554 5.7.1 end_of_data Receiver - 192.0.2.1 | 554 5.7.1 Spam, refused",
            ],
        )]);
    }

    #[test]
    fn where_exchange_receives_it_is_the_receiver() {
        let log = log(&[
            "S1 >,220 ex1 ready",
            "S1 <,EHLO client",
            "S1 >,250  ex1 Hello",
            "S1 <,MAIL FROM:<s@example.net>",
            "S1 >,250 2.1.0 Sender OK",
            "S1 <,RCPT TO:<x@example.org>",
            "S1 >,550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        ]);
        expect(&[(
            &log,
            &[
                "x@example.org 550 5.7.54 rcpt Receiver - 198.51.100.1 | 550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
            ],
        )]);
    }

    #[test]
    fn what_was_taken_is_no_failure() {
        let log = log(&[
            "S1 >,MAIL FROM:<me@example.com>",
            "S1 <,250 ok",
            "S1 >,RCPT TO:<a@example.org>",
            "S1 <,250 ok",
            "S1 >,BDAT 100 LAST",
            "S1 <,250 2.6.0 Queued",
        ]);
        expect(&[(&log, &[])]);
        assert_eq!(delivered(&log), ["example.org"]);
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_told_without_a_recipient() {
        let log = log(&[
            "S1 *,\"Failed to connect. Winsock error code: 10060, Win32 error code: 10060\"",
        ]);
        expect(&[(
            &log,
            &[
                "- - - connect Sender StillTrying 192.0.2.1 | Failed to connect. Winsock error code: 10060, Win32 error code: 10060",
            ],
        )]);
    }
}
