//! The provider of a destination: whoever runs its mail servers.

use std::fmt;
use std::sync::Arc;

/// Whoever runs the mail servers of one or many domains: the domain under which these servers are
/// registered, like `google.com`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Provider(Arc<str>);

impl Provider {
    /// The provider with this name.
    #[must_use]
    pub fn new(name: &str) -> Provider {
        Provider(name.to_ascii_lowercase().into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

/// Names below a country's under which domains are registered (`example.co.uk`).
const SECOND_LEVELS: &[&str] = &[
    "ac", "co", "com", "edu", "gob", "gov", "gouv", "gv", "ltd", "me", "mil", "ne", "net", "nom",
    "or", "org", "plc", "sch",
];

/// The provider behind mail servers, given by name, best first: that of the best one. `None` where it
/// has no registered name: an address, or a name without dots.
///
/// Limit: the name under which domains are registered is told by its form, without the public suffix
/// list; where that is wrong, domains of one country share a pace that need not.
#[must_use]
pub fn provider_of<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Option<Provider> {
    let host = hosts.into_iter().next()?.trim_end_matches('.');
    if host.starts_with('[') || host.contains(':') || host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let labels: Vec<&str> = host.split('.').filter(|label| !label.is_empty()).collect();
    let [.., second, top] = labels[..] else {
        return None;
    };
    let of_country =
        top.len() == 2 && SECOND_LEVELS.contains(&second.to_ascii_lowercase().as_str());
    let count = if of_country && labels.len() > 2 { 3 } else { 2 };
    Some(Provider::new(&labels[labels.len() - count..].join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_name_tells_who_runs_them() {
        let of = |host| provider_of([host]).map(|p| p.to_string());
        let example = |name: &str| Some(name.to_owned());
        assert_eq!(of("aspmx.l.google.com"), example("google.com"));
        assert_eq!(
            of("example-org.mail.protection.outlook.com."),
            example("outlook.com")
        );
        assert_eq!(of("MX1.Example.co.uk"), example("example.co.uk"));
        assert_eq!(of("mx.example.nl"), example("example.nl"));
        assert_eq!(of("co.uk"), example("co.uk"));
        assert_eq!(of("192.0.2.1"), None);
        assert_eq!(of("[192.0.2.1]"), None);
        assert_eq!(of("2001:db8::1"), None);
        assert_eq!(of("localhost"), None);
        assert_eq!(provider_of([]), None);
    }
}
