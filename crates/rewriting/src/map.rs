//! Which address becomes which.

/// One line of a map: `anna@old` → `anna@new`, or `@old` → `@new`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    from: Side,
    to: Side,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    /// Nothing for a whole domain.
    local: String,
    domain: String,
}

/// Why a line maps nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMapping {
    /// A side is no address and no `@domain`.
    #[error("this is no address and no @domain")]
    Side,
    /// An address becomes a whole domain.
    #[error("an address becomes an address, and a domain becomes a domain")]
    Unlike,
    /// The new one has letters beyond ASCII.
    #[error("the new address has letters beyond ASCII, which not every server takes")]
    NotAscii,
}

fn side(text: &str) -> Result<Side, NotAMapping> {
    let (local, domain) = text.rsplit_once('@').ok_or(NotAMapping::Side)?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    // IDN: U-labels and A-labels of a domain are the same (RFC 5890 §2.3.2.1).
    let domain = idna::domain_to_ascii(domain).map_err(|_| NotAMapping::Side)?;
    let labels = !domain.is_empty() && domain.split('.').all(|label| !label.is_empty());
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    let fits = labels && domain.chars().all(plain) && local.chars().all(atom) && !dots;
    let (local, domain) = (local.to_owned(), domain.to_ascii_lowercase());
    fits.then_some(Side { local, domain })
        .ok_or(NotAMapping::Side)
}

impl Mapping {
    /// Reads both sides.
    pub fn read(from: &str, to: &str) -> Result<Mapping, NotAMapping> {
        let (from, to) = (side(from)?, side(to)?);
        if from.local.is_empty() != to.local.is_empty() {
            return Err(NotAMapping::Unlike);
        }
        match to.local.is_ascii() {
            true => Ok(Mapping { from, to }),
            false => Err(NotAMapping::NotAscii),
        }
    }

    /// Both sides as they are written.
    #[must_use]
    pub fn sides(&self) -> (String, String) {
        let text = |side: &Side| format!("{}@{}", side.local, side.domain);
        (text(&self.from), text(&self.to))
    }

    fn is_exact(&self) -> bool {
        !self.from.local.is_empty()
    }
}

/// What becomes of an address; nothing where it stays. One step, never from one line to the next: a map
/// cannot lead in circles. A line for the address wins over one for its domain.
pub(crate) fn apply(map: &[Mapping], address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let ascii = idna::domain_to_ascii(domain).ok()?.to_ascii_lowercase();
    let of_domain = || map.iter().filter(|line| line.from.domain == ascii);
    let exact = of_domain().find(|line| line.is_exact() && line.from.local == local);
    let line = exact.or_else(|| of_domain().find(|line| !line.is_exact()))?;
    let local = match line.is_exact() {
        true => &line.to.local,
        false => local,
    };
    Some(format!("{local}@{}", line.to.domain)).filter(|new| new != address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_wins_over_its_domain_and_nothing_is_mapped_twice() {
        let map: Vec<Mapping> = [
            ("@old.example", "@new.example"),
            ("root@old.example", "admin@new.example"),
            ("@new.example", "@old.example"),
            ("@b\u{fc}cher.example", "@books.example"),
        ]
        .iter()
        .map(|(from, to)| Mapping::read(from, to).unwrap())
        .collect();
        let table = [
            ("anna@OLD.example", Some("anna@new.example")),
            ("root@old.example", Some("admin@new.example")),
            ("Root@old.example", Some("Root@new.example")),
            ("anna@new.example", Some("anna@old.example")),
            ("anna@xn--bcher-kva.example", Some("anna@books.example")),
            (
                "d\u{f6}rte@b\u{fc}cher.example",
                Some("d\u{f6}rte@books.example"),
            ),
            ("\"a b\"@old.example", Some("\"a b\"@new.example")),
            ("anna@sub.old.example", None),
            ("anna", None),
        ];
        for (address, expected) in table {
            assert_eq!(apply(&map, address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn what_maps_nothing_is_named() {
        let table = [
            ("old.example", "@new.example", NotAMapping::Side),
            ("@", "@new.example", NotAMapping::Side),
            ("a b@old.example", "a@new.example", NotAMapping::Side),
            (
                "a@old.example",
                "a@new.example\r\nBcc: x@y",
                NotAMapping::Side,
            ),
            ("a@old.example", "@new.example", NotAMapping::Unlike),
            (
                "a@old.example",
                "d\u{f6}rte@new.example",
                NotAMapping::NotAscii,
            ),
        ];
        for (from, to, why) in table {
            assert_eq!(Mapping::read(from, to), Err(why), "{from} {to}");
        }
    }
}
