//! `ldap://host:port/base?option=value&filter=(mail={key})`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{KEEP, ServerPlace, absolute, host_and_port, host_text, options};
use crate::problem::ProblemKind;

/// A search in an LDAP directory (RFC 4511).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapSpec {
    /// Its host, or its socket.
    pub server: ServerPlace,
    /// Below which entry is searched.
    pub base: String,
    /// As which entry it is asked, and the file with the password; none: as nobody.
    pub bind: Option<(String, PathBuf)>,
    /// How long an answer holds.
    pub keep: Duration,
    /// The attribute whose values are the value; none: it is empty.
    pub value: Option<String>,
    /// The filter (RFC 4515), with `{key}`.
    pub filter: String,
}

/// The usual port of LDAP.
const PORT: u16 = 389;
/// What stands for what is looked up.
const KEY: &str = "{key}";

impl fmt::Display for LdapSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}?", self.place())?;
        if let ServerPlace::Socket(socket) = &self.server {
            write!(f, "socket={}&", socket.display())?;
        }
        if let Some((entry, path)) = &self.bind {
            write!(f, "bind={entry}&password_file={}&", path.display())?;
        }
        if self.keep != KEEP {
            write!(f, "cache={}&", toml_read::duration_text(self.keep))?;
        }
        if let Some(value) = &self.value {
            write!(f, "value={value}&")?;
        }
        write!(f, "filter={}", self.filter)
    }
}

impl LdapSpec {
    /// Its name for people.
    pub(super) fn place(&self) -> String {
        let host = match &self.server {
            ServerPlace::Host(host, port) => host_text(host, (*port != PORT).then_some(*port)),
            ServerPlace::Socket(_) => String::new(),
        };
        format!("ldap://{host}/{}", self.base)
    }

    /// What follows `ldap:`.
    pub(super) fn read(text: &str) -> Result<LdapSpec, ProblemKind> {
        LdapSpec::parse(text)
            .ok_or(ProblemKind::NotAnLdap)
            .and_then(|spec| match spec.filter.contains(KEY) {
                true => Ok(spec),
                false => Err(ProblemKind::NoKeyInFilter),
            })
    }

    fn parse(text: &str) -> Option<LdapSpec> {
        let (place, rest) = text.split_once('?')?;
        let (host, base) = place.strip_prefix("//")?.split_once('/')?;
        let (host, port) = host_and_port(host, PORT)?;
        let (mut socket, mut entry, mut password_file) = (None, None, None);
        let (mut keep, mut value) = (KEEP, None);
        let filter = options(rest, "filter", |key, text| {
            match key {
                "socket" => socket = Some(absolute(text).ok()?),
                "bind" => entry = Some(text.to_owned()),
                "password_file" => password_file = Some(absolute(text).ok()?),
                "cache" => keep = toml_read::duration(text)?,
                "value" => value = Some(text.to_owned()),
                _ => return None,
            }
            Some(())
        })?;
        let server = ServerPlace::one_of(host, port, socket)?;
        let bind = match (entry, password_file) {
            (Some(entry), Some(path)) => Some((entry, path)),
            (None, None) => None,
            // RFC 4513 §5.1.2: a name without a password is nobody, and looks like somebody.
            (Some(_), None) | (None, Some(_)) => return None,
        };
        let fits = filter.starts_with('(') && filter.ends_with(')');
        fits.then(|| LdapSpec {
            server,
            base: base.to_owned(),
            bind,
            keep,
            value,
            filter: filter.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableSpec;

    #[test]
    fn a_search_in_a_directory_is_read_and_shown_as_it_is_written() {
        for text in [
            "ldap://ldap.example/ou=people,dc=example?filter=(|(mail={key})(alias={key}))",
            "ldap://[::1]:3890/dc=example?bind=cn=reader,dc=example&password_file=/etc/p&cache=1m&value=forward&filter=(uid={key})",
            "ldap:///dc=example?socket=/run/slapd/ldapi&filter=(mail={key})",
        ] {
            assert_eq!(TableSpec::read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_with_a_search_is_told() {
        for (text, problem) in [
            ("ldap://h/dc=x?filter=(mail=*)", ProblemKind::NoKeyInFilter),
            ("ldap://h/dc=x?filter=mail={key}", ProblemKind::NotAnLdap),
            (
                "ldap://h/dc=x?bind=cn=a&filter=(mail={key})",
                ProblemKind::NotAnLdap,
            ),
            ("ldap:///dc=x?filter=(mail={key})", ProblemKind::NotAnLdap),
            ("ldap://h/dc=x", ProblemKind::NotAnLdap),
        ] {
            assert_eq!(TableSpec::read(text), Err(problem), "{text}");
        }
    }
}
