//! The message as it comes on the standard input, made fit to be sent.

use jiff::Timestamp;
use mail_parser::{Address as Parsed, HeaderValue, MessageParser};
use smtp::Address;

/// A message whose header is still being worked on: lines end in CRLF.
#[derive(Debug)]
pub(super) struct Draft {
    /// The header's fields, each with its continuation lines and line ends.
    fields: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl Draft {
    /// Reads a message with line ends of any kind. `dot_ends`: a line with a single dot ends it.
    pub(super) fn read(input: &[u8], dot_ends: bool) -> Draft {
        let mut lines = lines(input, dot_ends).peekable();
        // An mbox separator is no part of the message.
        if lines.peek().is_some_and(|line| line.starts_with(b"From ")) {
            lines.next();
        }
        let mut fields: Vec<Vec<u8>> = Vec::new();
        let mut body = Vec::new();
        let mut in_header = true;
        for line in lines {
            if in_header {
                let folded = matches!(line.first(), Some(b' ' | b'\t'));
                if line.is_empty() {
                    in_header = false;
                    continue;
                } else if folded && !fields.is_empty() {
                    if let Some(field) = fields.last_mut() {
                        push_line(field, line);
                    }
                    continue;
                } else if field_name(line).is_some() {
                    let mut field = Vec::new();
                    push_line(&mut field, line);
                    fields.push(field);
                    continue;
                }
                // Not a header field: the text begins here, without the empty line.
                in_header = false;
            }
            push_line(&mut body, line);
        }
        Draft { fields, body }
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|f| is_field(f, name))
    }

    /// The addresses of To, Cc and Bcc; where the message is resent, those of the Resent fields
    /// (RFC 5322 §3.6.6).
    pub(super) fn recipients(&self) -> Vec<String> {
        let resent = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
        let names = if resent.iter().any(|name| self.has(name)) {
            resent
        } else {
            ["To", "Cc", "Bcc"]
        };
        let mut header: Vec<u8> = self.fields.concat();
        header.extend_from_slice(b"\r\n");
        let Some(parsed) = MessageParser::default().parse_headers(&header) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for header in parsed.headers() {
            if !names
                .iter()
                .any(|name| header.name.as_str().eq_ignore_ascii_case(name))
            {
                continue;
            }
            if let HeaderValue::Address(addresses) = &header.value {
                collect(addresses, &mut found);
            }
        }
        found
    }

    /// RFC 5322 §3.6.3: the blind recipients are not shown to the others.
    pub(super) fn remove_bcc(&mut self) {
        self.fields
            .retain(|f| !is_field(f, "Bcc") && !is_field(f, "Resent-Bcc"));
    }

    /// Adds what RFC 5322 §3.6 asks of a message and this one lacks: From, Date, Message-ID.
    pub(super) fn complete(&mut self, sender: &Address, full_name: Option<&str>, host: &str) {
        if !self.has("From") {
            let address = match sender.is_null() {
                true => format!("MAILER-DAEMON@{host}"),
                false => sender.as_str().to_owned(),
            };
            let from = match full_name {
                Some(name) => format!("From: {} <{address}>\r\n", phrase(name)),
                None => format!("From: {address}\r\n"),
            };
            self.fields.push(from.into_bytes());
        }
        let now = Timestamp::now();
        let local = now.to_zoned_datetime(jiff::tz::TimeZone::system());
        if !self.has("Date")
            && let Ok(date) = jiff::fmt::rfc2822::to_string(&local)
        {
            self.fields.push(format!("Date: {date}\r\n").into_bytes());
        }
        if !self.has("Message-ID") {
            let (time, process) = (now.as_nanosecond(), std::process::id());
            self.fields
                .push(format!("Message-ID: <{time:x}.{process:x}@{host}>\r\n").into_bytes());
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.fields.concat();
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// The lines without their ends (LF or CRLF), up to a line with a single dot where that ends it.
fn lines(input: &[u8], dot_ends: bool) -> impl Iterator<Item = &[u8]> {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    let none = input.is_empty();
    input
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(move |line| !(none || dot_ends && *line == b"."))
}

fn push_line(to: &mut Vec<u8>, line: &[u8]) {
    // A CR that does not end a line is not allowed in mail (RFC 5321 §2.3.8).
    to.extend(
        line.iter()
            .map(|byte| if *byte == b'\r' { b' ' } else { *byte }),
    );
    to.extend_from_slice(b"\r\n");
}

/// The name of a header field (RFC 5322 §2.2: printable, no colon), if the line is one.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(|byte| (33..127).contains(byte))).then_some(name)
}

fn is_field(field: &[u8], name: &str) -> bool {
    field_name(field).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

fn collect(addresses: &Parsed<'_>, found: &mut Vec<String>) {
    match addresses {
        Parsed::List(list) => {
            found.extend(
                list.iter()
                    .filter_map(|a| a.address.as_ref())
                    .map(ToString::to_string),
            );
        }
        Parsed::Group(groups) => {
            let members = groups.iter().flat_map(|g| &g.addresses);
            found.extend(
                members
                    .filter_map(|a| a.address.as_ref())
                    .map(ToString::to_string),
            );
        }
    }
}

/// A display name: quoted where it must be (RFC 5322 §3.2.5), encoded where it is not ASCII.
fn phrase(name: &str) -> String {
    if !name.is_ascii() {
        let encoded = data_encoding::BASE64.encode(name.as_bytes());
        return format!("=?UTF-8?B?{encoded}?=");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c);
    if name.chars().all(plain) {
        return name.to_owned();
    }
    let kept: String = name.chars().filter(|c| !c.is_ascii_control()).collect();
    format!("\"{}\"", kept.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The name of the user who runs this.
pub(super) fn user_name() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of_system = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    let of_environment = || {
        std::env::var("LOGNAME")
            .or_else(|_| std::env::var("USER"))
            .ok()
    };
    of_system
        .or_else(of_environment)
        .unwrap_or_else(|| "nobody".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(draft: Draft) -> String {
        String::from_utf8(draft.into_bytes()).unwrap()
    }

    #[test]
    fn line_ends_become_crlf_and_a_dot_ends_the_message() {
        let input = b"Subject: x\n\nHello\r\nthere\n.\nnot this\n";
        assert_eq!(
            text(Draft::read(input, true)),
            "Subject: x\r\n\r\nHello\r\nthere\r\n"
        );
        assert!(text(Draft::read(input, false)).ends_with("there\r\n.\r\nnot this\r\n"));
        assert_eq!(text(Draft::read(b"", true)), "\r\n");
    }

    #[test]
    fn text_without_a_header_is_all_body() {
        assert_eq!(
            text(Draft::read(b"Just a line, no header: here\nsecond\n", true)),
            "\r\nJust a line, no header: here\r\nsecond\r\n"
        );
        assert_eq!(
            text(Draft::read(b"From a Mon Jan 1\nSubject: x\n\nb\n", true)),
            "Subject: x\r\n\r\nb\r\n"
        );
    }

    #[test]
    fn recipients_come_from_the_header_and_bcc_is_taken_out() {
        let input =
            b"To: A <a@x.example>, \"B, b\" <b@x.example>\nCc: team: c@x.example, d@x.example;\n\
            bcc:\n e@x.example\nSubject: x\n\nHi\n";
        let mut draft = Draft::read(input, true);
        assert_eq!(
            draft.recipients(),
            [
                "a@x.example",
                "b@x.example",
                "c@x.example",
                "d@x.example",
                "e@x.example"
            ]
        );
        draft.remove_bcc();
        let sent = text(draft);
        assert!(
            !sent.contains("e@x.example") && sent.contains("Cc: team"),
            "{sent}"
        );
    }

    #[test]
    fn resent_fields_count_where_there_are_any() {
        let draft = Draft::read(b"To: a@x.example\nResent-To: b@x.example\n\nHi\n", true);
        assert_eq!(draft.recipients(), ["b@x.example"]);
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_there_is_kept() {
        let sender: Address = "me@h.example".parse().unwrap();
        let mut draft = Draft::read(b"Subject: x\n\nHi\n", true);
        draft.complete(&sender, Some("Jo \"the\" Doe"), "h.example");
        let sent = text(draft);
        assert!(
            sent.contains("From: \"Jo \\\"the\\\" Doe\" <me@h.example>\r\n"),
            "{sent}"
        );
        assert!(
            sent.contains("\r\nDate: ") && sent.contains("\r\nMessage-ID: <"),
            "{sent}"
        );
        let input = b"from: you@x.example\nDATE: today\nmessage-id: <1@x>\n\nHi\n";
        let mut draft = Draft::read(input, true);
        draft.complete(&sender, None, "h.example");
        assert_eq!(text(draft).matches(':').count(), 3);
        assert_eq!(phrase("Zoë"), "=?UTF-8?B?Wm/Dqw==?=");
    }
}
