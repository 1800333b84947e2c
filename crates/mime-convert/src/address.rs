//! Addresses without characters beyond ASCII.

/// The address in ASCII: its domain in A-labels (RFC 5890). Nothing where the part before the `@` is
/// beyond ASCII, which has no other form (RFC 6532 §3.2).
#[must_use]
pub fn ascii_address(address: &str) -> Option<String> {
    if address.is_ascii() {
        return Some(address.to_owned());
    }
    let (local, domain) = address.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    local.is_ascii().then(|| format!("{local}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_a_form_in_ascii_and_a_name_has_none() {
        let table = [
            ("anna@example.org", Some("anna@example.org")),
            (
                "anna@b\u{fc}cher.example",
                Some("anna@xn--bcher-kva.example"),
            ),
            ("d\u{f6}rte@example.org", None),
            ("d\u{f6}rte", None),
        ];
        for (address, expected) in table {
            assert_eq!(ascii_address(address).as_deref(), expected, "{address}");
        }
    }
}
