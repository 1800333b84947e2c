//! The trace header that each message gets (RFC 5321 §4.4).

use std::fmt::Write as _;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use queue::MessageId;
use smtp::Address;

/// What the `Received` field tells.
pub(crate) struct Trace<'a> {
    /// What the client called itself at EHLO or HELO.
    pub(crate) helo: &'a str,
    /// Its address.
    pub(crate) client: IpAddr,
    /// Whether the field tells the two above.
    pub(crate) show_client: bool,
    /// Our name.
    pub(crate) hostname: &'a str,
    /// How it spoke (RFC 3848).
    pub(crate) protocol: &'a str,
    /// The TLS session, if there is one: protocol and cipher suite.
    pub(crate) tls: Option<(&'a str, &'a str)>,
    /// The message's name in the queue.
    pub(crate) id: MessageId,
    /// The recipient where it is the only one; naming several would show one the others.
    pub(crate) only_recipient: Option<&'a Address>,
    /// Now.
    pub(crate) at: Timestamp,
}

impl Trace<'_> {
    /// The field with its line ends.
    ///
    /// Deviation: RFC 5321 §4.4 lets the client's name from the DNS stand before its address; we look
    /// nothing up while a client waits.
    pub(crate) fn field(&self) -> String {
        let mut field = String::with_capacity(256);
        // Deviation: RFC 5321 §4.4 wants the client named. Users may not want the world to know from
        // where they write; the log knows it.
        field.push_str("Received: ");
        if self.show_client {
            field.push_str("from ");
            push_name(&mut field, self.helo);
            field.push_str(" (");
            push_literal(&mut field, self.client);
            field.push_str(")\r\n\t");
        }
        field.push_str("by ");
        push_name(&mut field, self.hostname);
        field.push_str(" (Postrider) with ");
        field.push_str(self.protocol);
        field.push_str(" id ");
        push(&mut field, self.id);
        if let Some(recipient) = self.only_recipient {
            field.push_str("\r\n\tfor <");
            push(&mut field, recipient);
            field.push('>');
        }
        if let Some((protocol, cipher)) = self.tls {
            // RFC 8314 §4.3: the clause `tls` names the cipher suite.
            push(&mut field, format_args!("\r\n\ttls {cipher} ({protocol})"));
        }
        field.push_str(";\r\n\t");
        let at = self.at.to_zoned_datetime(TimeZone::UTC);
        match jiff::fmt::rfc2822::to_string(&at) {
            Ok(date) => field.push_str(&date),
            // RFC 5322 §3.3 knows four digits for a year; the clock is far off.
            Err(_) => field.push_str("Thu, 1 Jan 1970 00:00:00 +0000"),
        }
        field.push_str("\r\n");
        field
    }
}

fn push(field: &mut String, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(field, "{value}");
}

/// The client's address as an address literal (RFC 5321 §4.1.3).
pub(crate) fn push_literal(text: &mut String, client: IpAddr) {
    match client.to_canonical() {
        IpAddr::V4(v4) => push(text, format_args!("[{v4}]")),
        IpAddr::V6(v6) => push(text, format_args!("[IPv6:{v6}]")),
    }
}

/// A name that a client chose: what cannot stand in a host name or address literal becomes `?`, so
/// that it can neither end the field nor pass for other parts of it.
fn push_name(field: &mut String, name: &str) {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let name = name.chars().take(255);
    let before = field.len();
    field.extend(name.map(|c| if plain(c) { c } else { '?' }));
    if field.len() == before {
        field.push_str("unknown");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(helo: &str, client: &str, only: Option<&str>) -> String {
        field_over(helo, client, only, None)
    }

    fn field_over(
        helo: &str,
        client: &str,
        only: Option<&str>,
        tls: Option<(&str, &str)>,
    ) -> String {
        let recipient: Option<Address> = only.map(|r| r.parse().unwrap());
        Trace {
            helo,
            client: client.parse().unwrap(),
            show_client: true,
            hostname: "relay.example",
            protocol: if tls.is_some() { "ESMTPS" } else { "ESMTP" },
            tls,
            id: MessageId::from_bytes([1; 16]),
            only_recipient: recipient.as_ref(),
            at: "2026-11-24T02:29:23.5Z".parse().unwrap(),
        }
        .field()
    }

    #[test]
    fn the_field_names_client_relay_message_and_time() {
        assert_eq!(
            field("client.example", "192.0.2.1", Some("a@example.org")),
            "Received: from client.example ([192.0.2.1])\r\n\
             \tby relay.example (Postrider) with ESMTP id 01040g2081040g2081040g2081\r\n\
             \tfor <a@example.org>;\r\n\
             \tTue, 24 Nov 2026 02:29:23 +0000\r\n"
        );
    }

    #[test]
    fn a_secure_session_is_told_with_its_cipher() {
        let tls = Some(("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
        assert_eq!(
            field_over("client.example", "192.0.2.1", Some("a@example.org"), tls),
            "Received: from client.example ([192.0.2.1])\r\n\
             \tby relay.example (Postrider) with ESMTPS id 01040g2081040g2081040g2081\r\n\
             \tfor <a@example.org>\r\n\
             \ttls TLS_AES_256_GCM_SHA384 (TLSv1.3);\r\n\
             \tTue, 24 Nov 2026 02:29:23 +0000\r\n"
        );
    }

    #[test]
    fn several_recipients_are_not_named_and_ipv6_is_marked() {
        let field = field("[IPv6:::1]", "::1", None);
        assert!(!field.contains(" for ") && !field.contains("\tfor "));
        assert!(field.starts_with("Received: from [IPv6:::1] ([IPv6:::1])\r\n"));
    }

    #[test]
    fn a_name_with_line_ends_or_brackets_cannot_forge_the_field() {
        let field = field("x)\r\nSubject: \u{e9}<(", "192.0.2.1", None);
        assert!(
            field.starts_with("Received: from x???Subject:???? ([192.0.2.1])\r\n"),
            "{field}"
        );
        assert_eq!(field.matches("\r\n").count(), 3);
    }
}
