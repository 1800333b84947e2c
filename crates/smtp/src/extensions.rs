//! What a server announces at EHLO (RFC 5321 §4.1.1.1).

use serde::{Deserialize, Deserializer, Serialize};

use crate::Reply;

/// The announced extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extensions {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 1870: announced at all, and the maximum if it is a fixed one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "announced"
    )]
    pub size: Option<Option<u64>>,
    /// RFC 2034.
    pub enhanced_status_codes: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 3030.
    pub binary_mime: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 8689.
    #[serde(default)]
    pub require_tls: bool,
    /// RFC 2852: announced at all, and the least time in seconds if there is one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "announced"
    )]
    pub deliver_by: Option<Option<u64>>,
    /// RFC 6710.
    #[serde(default)]
    pub priority: bool,
    /// RFC 4954: the mechanisms, in upper case.
    pub auth: Vec<String>,
    /// RFC 9422.
    pub limits: Limits,
    /// Lines that are none of these, as announced.
    pub other: Vec<String>,
}

/// RFC 9422.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Transactions of one connection.
    pub mail_max: Option<u32>,
    /// Recipients of one transaction.
    pub rcpt_max: Option<u32>,
    /// Recipient domains of one transaction.
    pub rcpt_domain_max: Option<u32>,
}

/// A `size` that is there was announced, even where it is null.
fn announced<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Extensions {
    /// Reads them from the reply to EHLO: the first line is the greeting, each further line one
    /// keyword with parameters. What is unknown or malformed is kept in `other` and has no effect.
    #[must_use]
    pub fn of(reply: &Reply) -> Extensions {
        let mut all = Extensions::default();
        for line in reply.lines().skip(1) {
            all.read_line(&String::from_utf8_lossy(line));
        }
        all
    }

    fn read_line(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let Some(keyword) = words.next() else { return };
        match keyword.to_ascii_uppercase().as_str() {
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit_mime = true,
            // RFC 1870 §4: no number or 0 means no fixed maximum.
            "SIZE" => {
                self.size = Some(words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0));
            }
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "CHUNKING" => self.chunking = true,
            "BINARYMIME" => self.binary_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "STARTTLS" => self.starttls = true,
            "DSN" => self.dsn = true,
            "REQUIRETLS" => self.require_tls = true,
            // RFC 2852 §3: no number or 0 means no least time.
            "DELIVERBY" => {
                let least = words.next().and_then(|n| n.parse().ok());
                self.deliver_by = Some(least.filter(|n| *n > 0));
            }
            "MT-PRIORITY" => self.priority = true,
            // Servers that are older than RFC 2554 write `AUTH=LOGIN`.
            keyword if keyword.starts_with("AUTH=") => {
                let first = keyword.trim_start_matches("AUTH=").to_owned();
                self.auth.extend(
                    [first]
                        .into_iter()
                        .chain(words.map(str::to_ascii_uppercase)),
                );
            }
            "AUTH" => self.auth.extend(words.map(str::to_ascii_uppercase)),
            "LIMITS" => words.for_each(|word| self.limits.read(word)),
            _ => self.other.push(line.to_owned()),
        }
    }
}

impl Limits {
    fn read(&mut self, word: &str) {
        let Some((name, value)) = word.split_once('=') else {
            return;
        };
        // RFC 9422 §3: a limit of 0 makes no sense and is passed over.
        let value = value.parse().ok().filter(|n| *n > 0);
        match name.to_ascii_uppercase().as_str() {
            "MAILMAX" => self.mail_max = value,
            "RCPTMAX" => self.rcpt_max = value,
            "RCPTDOMAINMAX" => self.rcpt_domain_max = value,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reply;

    #[test]
    fn an_ehlo_reply_is_read_whatever_its_case_and_order() {
        let reply = Reply::parse(
            "peer",
            b"250-mx.example.org greets you\r\n250-pipelining\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n\
              250-AUTH plain LOGIN\r\n250-LIMITS RCPTMAX=100 MAILMAX=0 X=1\r\n250-X-OWN thing\r\n250 SMTPUTF8\r\n",
        ).unwrap();
        let announced = Extensions::of(&reply);
        let expected = Extensions {
            pipelining: true,
            eight_bit_mime: true,
            size: Some(Some(52_428_800)),
            smtputf8: true,
            auth: vec!["PLAIN".into(), "LOGIN".into()],
            limits: Limits {
                rcpt_max: Some(100),
                ..Limits::default()
            },
            other: vec!["X-OWN thing".into()],
            ..Extensions::default()
        };
        assert_eq!(announced, expected);
    }
}
