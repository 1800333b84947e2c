//! What is wrong with a file, where, and what is allowed there.

use std::fmt;

use queue::route::{NotAPattern, ParseNextHopError, Twice};
use toml_read::{Explained, Written};

use crate::Network;

/// One thing that is wrong.
pub type Problem = toml_read::Problem<ProblemKind>;
/// Everything that is wrong with a file.
pub type Errors = toml_read::Errors<ProblemKind>;

/// What can be wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum ProblemKind {
    /// What can be wrong with any file.
    Written(Written),
    /// Strangers could never come back in time.
    WindowWithinDelay,
    /// The text is no address with a port.
    NotAnAddress,
    /// The text is no network.
    NotANetwork,
    /// The prefix length is wrong.
    PrefixTooLong {
        /// The largest for this kind of address.
        most: u8,
    },
    /// Bits beyond the prefix are set.
    HostBits {
        /// The network that contains the address.
        meant: Network,
    },
    /// The text is no next hop.
    NextHop(ParseNextHopError),
    /// The key of a route is no domain.
    NotADomain,
    /// The text is no table.
    NotATable,
    /// The text is no query to PostgreSQL.
    NotAPostgres,
    /// The text is no search in a directory.
    NotAnLdap,
    /// A filter has no place for the key.
    NoKeyInFilter,
    /// A query has no place for the key.
    NoParameter,
    /// The same, where it is `$1`.
    NoDollarParameter,
    /// The text is no address with a domain.
    NotAMailbox,
    /// The text is no domain.
    NotADomainName,
    /// The characters cannot part names.
    NotDelimiters,
    /// The text is no server that can be asked about recipients.
    NotAServer,
    /// The text is no path of mailboxes.
    NotAMailboxPath,
    /// A local domain without mailboxes.
    NoMailboxes,
    /// A key that domains of this class have no use for.
    OtherClass {
        /// The key.
        key: &'static str,
    },
    /// Domains without a postmaster.
    NoPostmaster,
    /// The text is no host name.
    NotAHostname,
    /// The text is no address, or has a port.
    NotAnAddressAlone,
    /// The text is no domain with a language.
    NotALanguage,
    /// The text cannot begin return addresses.
    NotAPrefix,
    /// The text is no sender, domain or `*`.
    NotASenderOfMail,
    /// What is read here would be passed on to where it is read.
    ReadHereItself,
    /// Nobody gets what came back about no known message.
    NobodyForOthers,
    /// Senders are to have return addresses, and there is no domain for them.
    NoBounceDomain,
    /// The text is no block list.
    NotABlockList,
    /// The text is no address and no domain.
    NotAPattern(NotAPattern),
    /// The text is no name of a header field.
    NotAFieldName,
    /// A route does not say where it leads.
    RouteWithoutTo,
    /// The text is no name for a route.
    NotARouteName,
    /// Two routes to one place differ.
    RouteTwice(Twice),
    /// A route says how a server is met, and leads to none, or logs in with whoever it may be.
    NoServerThere,
    /// A user without a password, or the other way round.
    HalfALogin,
    /// The path is not absolute.
    NotAbsolute,
    /// Something about filters.
    Filter(crate::FilterProblem),
    /// The text is no address with a port, and no Unix socket.
    NotAPlace,
    /// The text is no path.
    NotAPath,
    /// The text is nobody as whom one could send.
    NotASender,
    /// Two that know users.
    TwoAuth,
    /// Users must say who they are, and nobody knows them.
    NoAuth,
    /// TLS from the first byte, and no certificate for it.
    NoCertificate,
    /// The terms of the authority are not agreed to.
    TermsNotAgreed,
    /// No name for the certificate.
    NoAcmeNames,
    /// Reports on TLS, and something is not said of who sends them.
    NoReporter {
        /// The key.
        key: &'static str,
    },
    /// The text is no name of an organization.
    NotAnOrganization,
    /// The text is no address of a directory.
    NotADirectory,
    /// A policy of fingerprints without one.
    NoFingerprint,
    /// The text is no fingerprint.
    NotAFingerprint,
    /// A certificate without its file.
    NoChain,
    /// Something about a rule for rewriting.
    NotARewrite(crate::NotARewrite),
    /// The text does not say whose mail is signed.
    NotSigned,
    /// The text cannot be the identity of a signature of this domain.
    NotAnIdentity,
    /// What is said about a domain does not say which.
    NoDkimName,
    /// Something about a wait.
    Wait(crate::WaitProblem),
    /// Records would be looked at all the time.
    TooOften,
    /// Allowed, and without effect in this version.
    NotYet {
        /// What is not there.
        what: &'static str,
    },
}

impl From<Written> for ProblemKind {
    fn from(written: Written) -> ProblemKind {
        ProblemKind::Written(written)
    }
}

impl Explained for ProblemKind {
    fn is_warning(&self) -> bool {
        matches!(self, ProblemKind::NotYet { .. })
    }

    fn help(&self) -> Option<String> {
        match self {
            ProblemKind::Written(written) => written.help(),
            ProblemKind::WindowWithinDelay => Some("make `window` longer than `delay`: the defaults are \"2d\" and \"5m\"".into()),
            ProblemKind::NotAnAddress => Some("write an address and a port in quotes: \"127.0.0.1:2525\" or \"[::1]:2525\"; names are not looked up here".into()),
            ProblemKind::NotANetwork => Some("write an address and a prefix length in quotes: \"192.0.2.0/24\" or \"2001:db8::/32\"".into()),
            ProblemKind::PrefixTooLong { most } => Some(format!("write a prefix length from 0 to {most}")),
            ProblemKind::HostBits { meant } => Some(format!("the network is \"{meant}\"; one address alone is written without a prefix length")),
            ProblemKind::NextHop(_) => None,
            ProblemKind::NotADomain => Some("write \"example.org\" (that domain), \".example.org\" (all below it) or \"*\" (all others)".into()),
            ProblemKind::NotATable => Some("write `file:/path`, `sqlite:/path?query=SELECT …` (with absolute paths), `postgresql://user@host/database?query=SELECT …` or `ldap://host/base?filter=(mail={key})`".into()),
            ProblemKind::NotAPostgres => Some("write `postgresql://user@host:5432/database?query=SELECT …`, with `password_file=/path&`, `cache=30s&` or (in place of a host) `socket=/run/postgresql&` before `query=`, which is the last; no password here".into()),
            ProblemKind::NotAnLdap => Some("write `ldap://host:389/dc=example,dc=org?filter=(mail={key})`, with `bind=cn=…&password_file=/path&` (both), `value=attribute&`, `cache=30s&` or (in place of a host) `socket=/path&` before `filter=`, which is the last".into()),
            ProblemKind::NoKeyInFilter => Some("write the filter with `{key}` where the name or address goes: `(mail={key})`".into()),
            ProblemKind::NoDollarParameter => Some("write the query with `$1` where the name or address goes: `SELECT options FROM users WHERE name = $1`".into()),
            ProblemKind::NoParameter => Some("write the query with `?1` where the name or address goes: `SELECT options FROM users WHERE name = ?1`".into()),
            ProblemKind::NotAMailbox => Some("write a whole address: \"anna@example.org\"".into()),
            ProblemKind::NotADomainName => Some("write a domain: \"example.org\"".into()),
            ProblemKind::NotAServer => Some("write a server like \"smtp://10.0.0.5:25\", \"lmtp://127.0.0.1:24\", or \"mx\"; leave it out, and the next hop of the route is asked".into()),
            ProblemKind::NotDelimiters => Some("write one or more of the characters + - = _ # and the like".into()),
            ProblemKind::NotAMailboxPath => Some("write an absolute path with the name in it: \"maildir:/var/mail/{domain}/{user}\"".into()),
            ProblemKind::NoMailboxes => Some("add `mailbox = \"maildir:/var/mail/{domain}/{user}\"` and `mailboxes = [\"file:/etc/postrider/users\"]`; or choose `class = \"virtual\"` or \"relay\"".into()),
            ProblemKind::OtherClass { .. } => Some("`mailbox` and `mailboxes` are for local domains, `recipients` and `verify` are for relayed ones".into()),
            ProblemKind::NoPostmaster => Some("add `[local]` with `postmaster = \"you@example.org\"`: RFC 5321 asks that somebody reads mail for postmaster".into()),
            ProblemKind::NotAHostname => Some("write a full name like \"mail.example.org\"".into()),
            ProblemKind::NotAnAddressAlone => Some("write an address in quotes, without a port: \"192.0.2.25\" or \"2001:db8::25\"".into()),
            ProblemKind::NotALanguage => Some("write the domain and \"en\" or \"nl\", like \"example.nl: nl\"".into()),
            ProblemKind::NotAPrefix => Some("write up to 12 letters and digits, like \"b\"".into()),
            ProblemKind::NotASenderOfMail => Some("write a domain \"example.org\", an address \"news@example.org\", or \"*\" for everybody".into()),
            ProblemKind::ReadHereItself => Some("name somebody's mailbox: it gets what the relay cannot join to a message".into()),
            ProblemKind::NobodyForOthers => Some("add `others_to = \"you@example.org\"` here, or `postmaster` in [local]: it gets what is about no known message".into()),
            ProblemKind::NoBounceDomain => Some("add `domain = \"bounces.example.org\"`, a domain whose MX leads here".into()),
            ProblemKind::NotABlockList => Some("write its zone in quotes: \"zen.spamhaus.org\"; before one that lists domains, \"domain:\"".into()),
            ProblemKind::NotAPattern(_) => Some("write \"anna@example.org\", \"example.org\", \".example.org\" (all below it), \"<>\" (reports) or \"*\"".into()),
            ProblemKind::NotAFieldName => Some("write { name = \"X-Stream\", value = \"bulk\" }".into()),
            ProblemKind::RouteWithoutTo => Some("add where it leads: to = \"smtp://mail.example.org:25\"".into()),
            ProblemKind::NotARouteName => Some("write letters, digits, `-` and `_`, like \"bulk\"".into()),
            ProblemKind::RouteTwice(_) => Some("give one of the two a name of its own: name = \"bulk\"".into()),
            ProblemKind::NoServerThere => Some("`user` needs smtp://; `source`, `helo` and `name` need \"mx\", smtp:// or lmtp://".into()),
            ProblemKind::HalfALogin => Some("give both: user = \"anna\", password_file = \"/etc/postrider/password\"".into()),
            ProblemKind::NotAbsolute => Some("write the whole path, like \"/etc/postrider/password\"".into()),
            ProblemKind::Filter(problem) => Some(problem.help()),
            ProblemKind::NotAPlace => Some("write an address with a port, \"127.0.0.1:24\", or a socket with its whole path, \"unix:/run/postrider/lmtp\"".into()),
            ProblemKind::NotAPath => Some("write a path in quotes: \"/etc/postrider/users\"".into()),
            ProblemKind::NotASender => Some("write an address \"info@office.example\", all of a domain \"@office.example\", or \"*\" for anybody".into()),
            ProblemKind::TwoAuth => Some("keep one: `users` for a file of our own, `dovecot` to ask Dovecot".into()),
            ProblemKind::NoAuth => Some("add [auth] with users = \"/etc/postrider/users\" (`postrider user add` makes it), or with dovecot = \"/run/dovecot/auth-client\"".into()),
            ProblemKind::NoCertificate => Some("add a section [[tls.certificate]] with chain = \"/path/fullchain.pem\" and key = \"/path/privkey.pem\", or [tls.acme]".into()),
            ProblemKind::TermsNotAgreed => Some("read the authority's terms of service (its directory has their address), and write agree_terms = true".into()),
            ProblemKind::NoReporter { key: "organization" } => Some("add organization = \"Example Ltd\": RFC 8460 wants the name of who reports".into()),
            ProblemKind::NoReporter { .. } => Some("add contact = \"postmaster@example.org\": whom receivers may ask, in a domain for which mail is signed (postrider dkim)".into()),
            ProblemKind::NotAnOrganization => Some("write a name of up to 200 characters on one line, like \"Example Ltd\"".into()),
            ProblemKind::NoAcmeNames => Some("add names = [\"mx.example.org\"]: this machine's names, as clients and MX records have them".into()),
            ProblemKind::NotADirectory => Some("write an address that begins with https:// (RFC 8555 §6.1)".into()),
            ProblemKind::NoFingerprint => Some("add fingerprints = [\"…\"]: SHA-256 of the certificate or of its public key".into()),
            ProblemKind::NotAFingerprint => Some("write 64 hexadecimal digits, with or without colons, as `openssl x509 -noout -fingerprint -sha256` prints them".into()),
            ProblemKind::NoChain => Some("add chain = \"/path/fullchain.pem\" to this [[tls.certificate]]".into()),
            ProblemKind::NotARewrite(problem) => Some(problem.help()),
            ProblemKind::NotSigned => Some("write \"users\" (who have logged in), \"networks\" (clients in [relay] networks), or both".into()),
            ProblemKind::NotAnIdentity => Some("write @ and the domain, or one below it: \"@example.org\", \"news@lists.example.org\" (RFC 6376 §3.5)".into()),
            ProblemKind::NoDkimName => Some("add name = \"example.org\" to this [[dkim.domain]]".into()),
            ProblemKind::Wait(problem) => Some(problem.help()),
            ProblemKind::TooOften => Some("write a second or more; the default is \"15m\"".into()),
            ProblemKind::NotYet { .. } => None,
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::Written(written) => written.fmt(f),
            ProblemKind::WindowWithinDelay => {
                f.write_str("whoever is put off could never come back in time")
            }
            ProblemKind::NotAnAddress => f.write_str("this is no address with a port"),
            ProblemKind::NotANetwork => f.write_str("this is no network"),
            ProblemKind::PrefixTooLong { .. } => f.write_str("the prefix length is wrong"),
            ProblemKind::HostBits { .. } => {
                f.write_str("this is an address within a network, not a network")
            }
            ProblemKind::NextHop(error) => write!(f, "{error}"),
            ProblemKind::NotADomain => f.write_str("this is no domain"),
            ProblemKind::NotATable => f.write_str("this is no table"),
            ProblemKind::NotAPostgres => f.write_str("this is no query to PostgreSQL"),
            ProblemKind::NotAnLdap => f.write_str("this is no search in a directory"),
            ProblemKind::NoKeyInFilter => {
                f.write_str("the filter has no place for what is looked up")
            }
            ProblemKind::NoParameter | ProblemKind::NoDollarParameter => {
                f.write_str("the query has no place for what is looked up")
            }
            ProblemKind::NotAMailbox => f.write_str("this is no address"),
            ProblemKind::NotADomainName => f.write_str("this is no domain"),
            ProblemKind::NotAServer => f.write_str("this is no server that can be asked"),
            ProblemKind::NotDelimiters => f.write_str("these cannot part a name from its detail"),
            ProblemKind::NotAMailboxPath => f.write_str("this is no path of mailboxes"),
            ProblemKind::NoMailboxes => f.write_str("this local domain has no mailboxes"),
            ProblemKind::OtherClass { key } => {
                write!(f, "a domain of this class has no use for `{key}`")
            }
            ProblemKind::NoPostmaster => f.write_str("these domains have no postmaster"),
            ProblemKind::NotAHostname => f.write_str("this is no host name"),
            ProblemKind::NotAnAddressAlone => f.write_str("this is no address"),
            ProblemKind::NotALanguage => f.write_str("this is no domain with a language"),
            ProblemKind::NotAPrefix => f.write_str("this cannot begin an address"),
            ProblemKind::NotASenderOfMail => f.write_str("this is no sender"),
            ProblemKind::ReadHereItself => {
                f.write_str("this address is itself among those that are read here")
            }
            ProblemKind::NobodyForOthers => {
                f.write_str("nobody would get what came back about no known message")
            }
            ProblemKind::NoBounceDomain => {
                f.write_str("these senders' return addresses have no domain")
            }
            ProblemKind::NotABlockList => f.write_str("this is no block list"),
            ProblemKind::NotAPattern(error) => write!(f, "{error}"),
            ProblemKind::NotAFieldName => f.write_str("this is no header field"),
            ProblemKind::RouteWithoutTo => f.write_str("this route leads nowhere"),
            ProblemKind::NotARouteName => f.write_str("this is no name for a route"),
            ProblemKind::RouteTwice(error) => write!(f, "{error}"),
            ProblemKind::NoServerThere => {
                f.write_str("this route does not lead to a server of which that can be said")
            }
            ProblemKind::HalfALogin => f.write_str("a login needs a user and a password"),
            ProblemKind::NotAbsolute => f.write_str("this path is not absolute"),
            ProblemKind::Filter(problem) => problem.fmt(f),
            ProblemKind::NotAPlace => f.write_str("this is no place to listen on"),
            ProblemKind::NotAPath => f.write_str("this is no path"),
            ProblemKind::NotASender => f.write_str("nobody can send as this"),
            ProblemKind::TwoAuth => f.write_str("users are in one place: a file, or Dovecot"),
            ProblemKind::NoAuth => {
                f.write_str("who hands in mail here must say who it is, and nobody is known")
            }
            ProblemKind::NoCertificate => {
                f.write_str("TLS from the first byte needs a certificate, and there is none")
            }
            ProblemKind::TermsNotAgreed => {
                f.write_str("the terms of the authority are not agreed to")
            }
            ProblemKind::NoReporter { key } => write!(f, "reports on TLS need `{key}`"),
            ProblemKind::NotAnOrganization => f.write_str("this is no name of an organization"),
            ProblemKind::NoAcmeNames => f.write_str("there is no name for the certificate"),
            ProblemKind::NotADirectory => f.write_str("this is no address of a directory"),
            ProblemKind::NoFingerprint => {
                f.write_str("the level is \"fingerprint\", and there is none")
            }
            ProblemKind::NotAFingerprint => f.write_str("this is no SHA-256 fingerprint"),
            ProblemKind::NoChain => f.write_str("this certificate has no file"),
            ProblemKind::NotARewrite(problem) => problem.fmt(f),
            ProblemKind::NotSigned => f.write_str("this does not say whose mail is signed"),
            ProblemKind::NotAnIdentity => {
                f.write_str("this cannot be the identity of a signature of this domain")
            }
            ProblemKind::NoDkimName => f.write_str("this does not say for which domain it is"),
            ProblemKind::Wait(problem) => problem.fmt(f),
            ProblemKind::TooOften => f.write_str("this is too often"),
            ProblemKind::NotYet { what } => {
                write!(f, "{what} is not there yet: this has no effect")
            }
        }
    }
}
