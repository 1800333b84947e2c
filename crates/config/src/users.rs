//! `[auth]`, `[submission]`, and the listeners that are not for mail between servers.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::{DeTable, DeValue};
use toml_read::{Rate, Section, rate_text, wrong_kind};

use crate::problem::ProblemKind;
use crate::read::{ADDRESSES, Found, address, hostname, is_domain, networks};
use crate::show::{line, list, quoted};
use crate::{Config, Network};

/// The keys of `[listen]` that are read here.
pub(crate) const LISTEN: [&str; 3] = ["submission", "lmtp", "trusted"];

/// Who may speak for whom, and where others than servers come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doors {
    /// Where users hand in mail (RFC 6409).
    pub submission: Vec<SocketAddr>,
    /// Where servers next door do, by LMTP.
    pub lmtp: Vec<Place>,
    /// Who may say XCLIENT.
    pub xclient: Vec<Network>,
    /// Who must say for whom it connects (PROXY protocol).
    pub proxy: Vec<Network>,
}

/// An address, or a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An address with a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Tcp(address) => address.fmt(f),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Who knows users.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// A file of users, as `postrider user` keeps it.
    pub users: Option<PathBuf>,
    /// The socket of a Dovecot's authentication.
    pub dovecot: Option<PathBuf>,
    /// Clients that may send passwords without TLS.
    pub allow_plaintext: Vec<Network>,
    /// Failed logins of a client in a period.
    pub failures: Option<Rate>,
}

impl Default for Auth {
    fn default() -> Auth {
        Auth {
            users: None,
            dovecot: None,
            allow_plaintext: Network::loopback(),
            failures: Some(Rate {
                count: 10,
                per: Duration::from_secs(600),
            }),
        }
    }
}

/// How the mail of users is treated.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// What addresses without a domain get.
    pub domain: Option<String>,
    /// Whether From and Sender are checked as the reverse-path is.
    pub check_from: bool,
    /// Whether the trace header tells where a user is.
    pub show_client: bool,
    /// As whom each user may send beside its own name; `*` is everybody.
    pub senders: Vec<(String, Vec<String>)>,
}

impl Default for Submission {
    fn default() -> Submission {
        Submission {
            domain: None,
            check_from: true,
            show_client: true,
            senders: Vec::new(),
        }
    }
}

/// The keys of `[listen]`.
pub(crate) fn listen(listen: &mut Section<'_, '_, ProblemKind>, doors: &mut Doors) {
    listen.texts("submission", ADDRESSES, &mut doors.submission, address);
    let wanted = "a list of addresses with ports and sockets, like [\"127.0.0.1:24\", \"unix:/run/postrider/lmtp\"]";
    listen.texts("lmtp", wanted, &mut doors.lmtp, place);
    let Some(value) = listen.get("trusted") else {
        return;
    };
    let DeValue::Table(table) = value.get_ref() else {
        wrong_kind(
            listen.found,
            value,
            "the section as `[listen.trusted]` on a line of its own",
        );
        return;
    };
    let mut trusted = Section::of(table, "listen.trusted", &["xclient", "proxy"], listen.found);
    networks(&mut trusted, "xclient", &mut doors.xclient);
    networks(&mut trusted, "proxy", &mut doors.proxy);
}

fn place(text: &str) -> Result<Place, ProblemKind> {
    match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => Ok(Place::Unix(path.into())),
        Some(_) => Err(ProblemKind::NotAPlace),
        None => text
            .parse()
            .map(Place::Tcp)
            .map_err(|_| ProblemKind::NotAPlace),
    }
}

/// `[auth]`, `[submission]`.
pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let keys = &["users", "dovecot", "allow_plaintext", "failures"];
    let mut auth = Section::open(root, "auth", keys, found);
    let own = &mut config.auth;
    let wanted = "a path in quotes, like \"/etc/postrider/users\"";
    auth.text("users", wanted, &mut own.users, path);
    auth.text("dovecot", wanted, &mut own.dovecot, path);
    networks(&mut auth, "allow_plaintext", &mut own.allow_plaintext);
    auth.rate("failures", &mut own.failures);
    if let (Some(_), Some(second)) = (auth.get("users"), auth.get("dovecot")) {
        auth.found.error(second.span(), ProblemKind::TwoAuth);
    }
    let nobody = own.users.is_none() && own.dovecot.is_none();

    let keys = &["domain", "check_from", "show_client", "senders"];
    let mut submission = Section::open(root, "submission", keys, found);
    let own = &mut config.submission;
    let wanted = "a domain in quotes, like \"office.example\"";
    submission.text("domain", wanted, &mut own.domain, |text| {
        hostname(text).map(Some)
    });
    submission.flag("check_from", &mut own.check_from);
    submission.flag("show_client", &mut own.show_client);
    if let Some(value) = submission.get("senders") {
        match value.get_ref() {
            DeValue::Table(table) => senders(table, &mut own.senders, submission.found),
            _ => wrong_kind(
                submission.found,
                value,
                "the section as `[submission.senders]` on a line of its own",
            ),
        }
    }
    let listed = root
        .get("listen")
        .and_then(|value| value.get_ref().get("submission"));
    if let Some(listed) = listed.filter(|_| nobody && !config.listen.doors.submission.is_empty()) {
        found.error(listed.span(), ProblemKind::NoAuth);
    }
}

fn path(text: &str) -> Result<Option<PathBuf>, ProblemKind> {
    match text.is_empty() {
        true => Err(ProblemKind::NotAPath),
        false => Ok(Some(text.into())),
    }
}

/// `"user" = ["address", "@domain", "*"]`.
fn senders(table: &DeTable<'_>, into: &mut Vec<(String, Vec<String>)>, found: &mut Found) {
    let wanted =
        "a list of addresses and domains, like [\"info@office.example\", \"@sales.example\"]";
    let mut lines: Vec<(usize, String, Vec<String>)> = Vec::new();
    for (user, value) in table {
        let Some(items) = value.get_ref().as_array() else {
            wrong_kind(found, value, wanted);
            continue;
        };
        let mut all = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) if is_sender(text) => all.push(text.to_owned()),
                Some(_) => found.error(item.span(), ProblemKind::NotASender),
                None => wrong_kind(found, item, wanted),
            }
        }
        lines.push((user.span().start, user.get_ref().to_string(), all));
    }
    lines.sort_by_key(|line| line.0);
    into.extend(lines.into_iter().map(|(_, user, all)| (user, all)));
}

fn is_sender(text: &str) -> bool {
    let domain = text.rsplit_once('@').map(|(_, domain)| domain);
    text == "*" || domain.is_some_and(is_domain) && !text.contains(char::is_whitespace)
}

/// What `[listen]` shows of it; the section `trusted` must come last.
pub(crate) fn show_listen(out: &mut String, doors: &Doors) -> fmt::Result {
    let submission = list(&doors.submission);
    line(
        out,
        "submission",
        &submission,
        "where users hand in mail: AUTH is required",
    )?;
    line(
        out,
        "lmtp",
        &list(&doors.lmtp),
        "for servers next door; also \"unix:/path\"",
    )?;
    writeln(
        out,
        "\n[listen.trusted]  # they are believed whatever they say",
    )?;
    line(
        out,
        "xclient",
        &list(&doors.xclient),
        "may say by XCLIENT for whom they speak",
    )?;
    let proxy = "must say so by a PROXY header (version 1 or 2)";
    line(out, "proxy", &list(&doors.proxy), proxy)
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    writeln(out, "\n[auth]  # docs/submission.md")?;
    let auth = &config.auth;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| quoted(path.display()));
    match (path(&auth.users), path(&auth.dovecot)) {
        (None, None) => {
            writeln(
                out,
                "# users = \"/etc/postrider/users\"  # kept by `postrider user`; not set: no AUTH",
            )?;
            writeln(
                out,
                "# dovecot = \"/run/dovecot/auth-client\"  # or ask Dovecot",
            )?;
        }
        (users, dovecot) => {
            if let Some(users) = users {
                line(out, "users", &users, "kept by `postrider user`")?;
            }
            if let Some(dovecot) = dovecot {
                line(out, "dovecot", &dovecot, "its authentication socket")?;
            }
        }
    }
    let plain = "clients that may send passwords without TLS";
    line(out, "allow_plaintext", &list(&auth.allow_plaintext), plain)?;
    let failures = quoted(rate_text(auth.failures));
    line(
        out,
        "failures",
        &failures,
        "failed logins of one client; then 421",
    )?;

    writeln(out, "\n[submission]")?;
    let own = &config.submission;
    match &own.domain {
        Some(domain) => line(out, "domain", &quoted(domain), "for addresses without one")?,
        None => writeln(
            out,
            "# domain = \"office.example\"  # for addresses without one; not set: they are refused",
        )?,
    }
    line(
        out,
        "check_from",
        &own.check_from,
        "From and Sender must be the user's, too",
    )?;
    line(
        out,
        "show_client",
        &own.show_client,
        "tell in Received from where a user sends",
    )?;
    writeln(
        out,
        "\n[submission.senders]  # as whom a user may send beside its own name; \"*\" is every user",
    )?;
    for (user, senders) in &own.senders {
        writeln(out, &format!("{} = {}", quoted(user), list(senders)))?;
    }
    Ok(())
}

fn writeln(out: &mut String, text: &str) -> fmt::Result {
    use fmt::Write as _;
    std::writeln!(out, "{text}")
}
