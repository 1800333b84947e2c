//! Next hops as they are written.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Command;

/// A next hop, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// The mail exchangers of the recipient's domain (RFC 5321 §5.1).
    Mx,
    /// There is none: mail for it is put off until the administrator names one.
    Nowhere,
    /// An SMTP server.
    Smtp(HostPort),
    /// An SMTP server under TLS from the first byte (RFC 8314 §3.3).
    Smtps(HostPort),
    /// An LMTP server over TCP (RFC 2033).
    Lmtp(HostPort),
    /// An LMTP server on a Unix socket.
    LmtpUnix(PathBuf),
    /// A Maildir on this machine.
    Maildir(PathBuf),
    /// A program on this machine, which gets the content on its standard input.
    Pipe(Command),
}

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NextHop::Mx => f.write_str("mx"),
            NextHop::Nowhere => f.write_str("none"),
            NextHop::Smtp(to) => write!(f, "smtp://{to}"),
            NextHop::Smtps(to) => write!(f, "smtps://{to}"),
            NextHop::Lmtp(to) => write!(f, "lmtp://{to}"),
            NextHop::LmtpUnix(path) => write!(f, "lmtp+unix:{}", path.display()),
            NextHop::Maildir(path) => write!(f, "maildir:{}", path.display()),
            NextHop::Pipe(command) => write!(f, "pipe:{command}"),
        }
    }
}

/// The text is no next hop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNextHopError {
    /// No known scheme.
    #[error(
        "`{0}` is no next hop; write \"mx\", \"none\", \"smtp://host:port\", \"smtps://host:port\", \"lmtp://host:port\", \"lmtp+unix:/path\", \"maildir:/path\" or \"pipe:/path/to/program …\""
    )]
    Scheme(String),
    /// The host or port is missing or wrong.
    #[error(
        "`{0}` needs a host and a port from 1 to 65535, like `smtp://mail.example.org:25` or `smtp://[2001:db8::1]:25`"
    )]
    HostPort(String),
    /// The path is not absolute.
    #[error("`{0}` needs an absolute path, like `maildir:/var/mail/inbox`")]
    Path(String),
    /// A program's arguments ask for something that there is not.
    #[error(
        "`{0}` is nothing that a program can be given; there are {{recipient}}, {{local}}, {{domain}}, {{sender}} and {{id}}"
    )]
    Placeholder(String),
}

const SMTP_PORT: u16 = 25;
const SMTPS_PORT: u16 = 465;
const LMTP_PORT: u16 = 24;

impl FromStr for NextHop {
    type Err = ParseNextHopError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "mx" {
            Ok(NextHop::Mx)
        } else if text == "none" {
            Ok(NextHop::Nowhere)
        } else if let Some(rest) = text.strip_prefix("smtp://") {
            host_port(rest, SMTP_PORT, text).map(NextHop::Smtp)
        } else if let Some(rest) = text.strip_prefix("lmtp://") {
            host_port(rest, LMTP_PORT, text).map(NextHop::Lmtp)
        } else if let Some(rest) = text.strip_prefix("lmtp+unix:") {
            absolute(rest, text).map(NextHop::LmtpUnix)
        } else if let Some(rest) = text.strip_prefix("maildir:") {
            absolute(rest, text).map(NextHop::Maildir)
        } else if let Some(rest) = text.strip_prefix("pipe:") {
            rest.parse().map(NextHop::Pipe)
        } else if let Some(rest) = text.strip_prefix("smtps://") {
            host_port(rest, SMTPS_PORT, text).map(NextHop::Smtps)
        } else {
            Err(ParseNextHopError::Scheme(text.to_owned()))
        }
    }
}

fn absolute(path: &str, text: &str) -> Result<PathBuf, ParseNextHopError> {
    let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(ParseNextHopError::Path(text.to_owned()))
    }
}

fn host_port(rest: &str, default: u16, text: &str) -> Result<HostPort, ParseNextHopError> {
    let wrong = || ParseNextHopError::HostPort(text.to_owned());
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = if let Some(v6) = rest.strip_prefix('[') {
        let (host, tail) = v6.split_once(']').ok_or_else(wrong)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
        (host, tail.strip_prefix(':'))
    } else {
        match rest.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        }
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|p| *p != 0).ok_or_else(wrong)?,
        None => default,
    };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || !(rest.starts_with('[') || host.chars().all(plain)) {
        return Err(wrong());
    }
    Ok(HostPort {
        host: host.to_ascii_lowercase(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_next_hop_reads_back_from_its_text() {
        for text in [
            "mx",
            "none",
            "smtp://127.0.0.1:2600",
            "smtp://mail.example.org:25",
            "smtp://[::1]:25",
            "smtps://mail.example.org:465",
            "lmtp://localhost:24",
            "lmtp+unix:/run/dovecot/lmtp",
            "maildir:/tmp/inbox",
            "pipe:/usr/lib/dovecot/deliver -d {recipient}",
        ] {
            assert_eq!(text.parse::<NextHop>().unwrap().to_string(), text);
        }
        assert_eq!(
            "smtp://mail.example.org"
                .parse::<NextHop>()
                .unwrap()
                .to_string(),
            "smtp://mail.example.org:25"
        );
    }

    #[test]
    fn text_that_is_no_next_hop_is_refused_with_what_is_allowed() {
        for text in [
            "",
            "MX",
            "http://x",
            "smtp://",
            "smtp://:25",
            "smtp://h:0",
            "smtp://h:99999",
            "smtp://a b:25",
            "smtp://[::zz]:25",
            "maildir:inbox",
            "lmtp+unix:x",
            "smtps://h:0",
            "pipe:deliver",
            "pipe:",
            "pipe:/bin/deliver {whoever}",
        ] {
            assert!(text.parse::<NextHop>().is_err(), "{text}");
        }
    }
}
