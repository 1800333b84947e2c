//! The Sender Rewriting Scheme (Shevek, "The Sender Rewriting Scheme", 2004; as Mail::SRS and libsrs2
//! do it): a reverse-path in a domain of ours that leads back to the sender of forwarded mail.
//!
//! `anna@a.example` becomes `SRS0=HHHH=TT=a.example=anna@ours.example`: a hash that only we can make, the
//! day, the domain, the local part. What another forwarder has rewritten becomes
//! `SRS1=HHHH=other.example==HHHH=TT=a.example=anna@ours.example`, so that chains do not grow.

use data_encoding::BASE64_NOPAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use smtp::Address;

/// Makes and takes back reverse-paths.
#[derive(Clone)]
pub struct Srs {
    domain: String,
    secrets: Vec<Vec<u8>>,
    max_age_days: u32,
}

impl std::fmt::Debug for Srs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Srs")
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// Why an address is no reverse-path of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrsError {
    /// It does not begin so, or is not in our domain.
    #[error("it is not one")]
    NotOne,
    /// Parts are missing, or what is behind it is no address.
    #[error("its form is wrong")]
    Form,
    /// The hash is not ours: forged, or made with a secret that is gone.
    #[error("its hash is wrong")]
    Hash,
    /// It was made too long ago.
    #[error("it is too old")]
    Old,
}

/// Characters of the hash, of base64: 24 bits, as Mail::SRS has it.
const HASH_LENGTH: usize = 4;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DAY: i64 = 86_400;
/// The day is counted modulo this: two characters.
const DAYS: i64 = 1 << 10;

impl Srs {
    /// With the domain of the addresses; the first secret makes hashes, all of them are accepted.
    #[must_use]
    pub fn new(domain: &str, secrets: Vec<Vec<u8>>, max_age_days: u32) -> Srs {
        Srs {
            domain: domain.to_lowercase(),
            secrets,
            max_age_days,
        }
    }

    /// The domain of the addresses.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether an address looks like a reverse-path of ours.
    #[must_use]
    pub fn is_ours(&self, address: &Address) -> bool {
        let ours = address.domain_lowercase().is_some_and(|d| d == self.domain);
        ours && (tagged(address.local(), "SRS0").is_some()
            || tagged(address.local(), "SRS1").is_some())
    }

    /// The reverse-path for a sender; `None` where there is no need, or none can be made.
    #[must_use]
    pub fn forward(&self, sender: &Address, now: Timestamp) -> Option<Address> {
        let (local, host) = (sender.local(), sender.domain()?);
        if host.eq_ignore_ascii_case(&self.domain) {
            return None;
        }
        let local = if let Some(rest) = tagged(local, "SRS1") {
            // Another forwarder's shortcut: the first forwarder stays, the hash becomes ours.
            let mut parts = rest[1..].splitn(3, '=');
            let (_, first, rest) = (parts.next()?, parts.next()?, parts.next()?);
            format!("SRS1={}={first}={rest}", self.hash(&[first, rest])?)
        } else if let Some(rest) = tagged(local, "SRS0") {
            format!("SRS1={}={host}={rest}", self.hash(&[host, rest])?)
        } else {
            let day = day_text(now);
            let hash = self.hash(&[&day, host, local])?;
            format!("SRS0={hash}={day}={host}={local}")
        };
        format!("{local}@{}", self.domain).parse().ok()
    }

    /// The sender behind a reverse-path of ours.
    pub fn reverse(&self, address: &Address, now: Timestamp) -> Result<Address, SrsError> {
        if !self.is_ours(address) {
            return Err(SrsError::NotOne);
        }
        let local = address.local();
        let sender = if let Some(rest) = tagged(local, "SRS1") {
            let mut parts = rest[1..].splitn(3, '=');
            let mut part = || parts.next().ok_or(SrsError::Form);
            let (hash, host, rest) = (part()?, part()?, part()?);
            self.check(hash, &[host, rest])?;
            // `rest` begins with the separator of the first forwarder.
            format!("SRS0{rest}@{host}")
        } else {
            let rest = tagged(local, "SRS0").ok_or(SrsError::NotOne)?;
            let mut parts = rest[1..].splitn(4, '=');
            let mut part = || parts.next().ok_or(SrsError::Form);
            let (hash, day, host, user) = (part()?, part()?, part()?, part()?);
            self.check(hash, &[day, host, user])?;
            self.check_day(day, now)?;
            format!("{user}@{host}")
        };
        sender.parse().map_err(|_| SrsError::Form)
    }

    fn hash(&self, parts: &[&str]) -> Option<String> {
        hash(self.secrets.first()?, parts)
    }

    fn check(&self, claimed: &str, parts: &[&str]) -> Result<(), SrsError> {
        // Servers on the way may have changed the case; and some have hashes of another length.
        let right = |secret: &Vec<u8>| {
            hash(secret, parts).is_some_and(|made| made.eq_ignore_ascii_case(claimed))
        };
        let any = self.secrets.iter().any(right);
        any.then_some(()).ok_or(SrsError::Hash)
    }

    fn check_day(&self, day: &str, now: Timestamp) -> Result<(), SrsError> {
        let digit = |byte: u8| {
            let found = BASE32.iter().position(|b| *b == byte.to_ascii_uppercase());
            found
                .and_then(|at| i64::try_from(at).ok())
                .ok_or(SrsError::Form)
        };
        let &[high, low] = day.as_bytes() else {
            return Err(SrsError::Form);
        };
        let then = digit(high)? * 32 + digit(low)?;
        let age = (now.as_second().div_euclid(DAY) - then).rem_euclid(DAYS);
        // One made by a clock that is a day ahead is as good.
        let fresh = age <= i64::from(self.max_age_days) || age == DAYS - 1;
        fresh.then_some(()).ok_or(SrsError::Old)
    }
}

/// What follows a tag, its separator included; one of `=`, `+` and `-`.
fn tagged<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let (head, rest) = local.split_at_checked(tag.len())?;
    (head.eq_ignore_ascii_case(tag) && rest.starts_with(['=', '+', '-'])).then_some(rest)
}

fn day_text(now: Timestamp) -> String {
    let day = now.as_second().div_euclid(DAY).rem_euclid(DAYS);
    let letter = |n: i64| {
        let at = usize::try_from(n & 31).unwrap_or(0);
        char::from(BASE32[at])
    };
    [letter(day >> 5), letter(day)].iter().collect()
}

fn hash(secret: &[u8], parts: &[&str]) -> Option<String> {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    for part in parts {
        mac.update(part.to_ascii_lowercase().as_bytes());
    }
    let mut text = BASE64_NOPAD.encode(&mac.finalize().into_bytes());
    text.truncate(HASH_LENGTH);
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As in the tests of PostSRSd.
    fn srs() -> Srs {
        Srs::new("example.com", vec![b"tops3cr3t".to_vec()], 21)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn then() -> Timestamp {
        at("2020-01-01T00:01:00Z")
    }

    #[test]
    fn senders_become_what_postsrsd_and_libsrs2_make_of_them() {
        for (sender, rewritten) in [
            (
                "test@otherdomain.com",
                "SRS0=vmyz=2W=otherdomain.com=test@example.com",
            ),
            (
                "SRS0=opaque+string@otherdomain.com",
                "SRS1=chaI=otherdomain.com==opaque+string@example.com",
            ),
            (
                "SRS1=X=thirddomain.com==opaque+string@otherdomain.com",
                "SRS1=JIBX=thirddomain.com==opaque+string@example.com",
            ),
            (
                "sender@otherdomain.com",
                "SRS0=9KJ+=2W=otherdomain.com=sender@example.com",
            ),
        ] {
            let made = srs().forward(&address(sender), then());
            assert_eq!(made, Some(address(rewritten)), "{sender}");
        }
        assert_eq!(srs().forward(&address("test@example.com"), then()), None);
        assert_eq!(srs().forward(&Address::null(), then()), None);
    }

    #[test]
    fn reverse_paths_lead_back_to_their_sender() {
        for (rewritten, sender) in [
            (
                "SRS0=XjO9=2V=otherdomain.com=test@example.com",
                "test@otherdomain.com",
            ),
            (
                "SRS1=JIBX=thirddomain.com==opaque+string@example.com",
                "SRS0=opaque+string@thirddomain.com",
            ),
            // Case is lost on some ways.
            (
                "srs0=xjo9=2v=otherdomain.com=test@EXAMPLE.com",
                "test@otherdomain.com",
            ),
        ] {
            let back = srs().reverse(&address(rewritten), then());
            assert_eq!(back, Ok(address(sender)), "{rewritten}");
        }
    }

    #[test]
    fn what_is_forged_old_or_broken_leads_nowhere() {
        for (text, error) in [
            (
                "SRS0=XxxX=2V=otherdomain.com=test@example.com",
                SrsError::Hash,
            ),
            (
                "SRS0=XjO9=2V=otherdomain.com=other@example.com",
                SrsError::Hash,
            ),
            ("SRS0=XjO9=2V=otherdomain.com@example.com", SrsError::Form),
            ("SRS1=JIBX=thirddomain.com@example.com", SrsError::Form),
            (
                "SRS0=XjO9=2V=otherdomain.com=test@other.example",
                SrsError::NotOne,
            ),
            ("anna@example.com", SrsError::NotOne),
        ] {
            assert_eq!(srs().reverse(&address(text), then()), Err(error), "{text}");
        }
        let text = address("SRS0=XjO9=2V=otherdomain.com=test@example.com");
        assert!(srs().reverse(&text, at("2020-01-21T00:00:00Z")).is_ok());
        let later = srs().reverse(&text, at("2020-01-22T00:00:00Z"));
        assert_eq!(later, Err(SrsError::Old));
    }

    #[test]
    fn a_new_secret_makes_and_the_old_one_still_counts() {
        let made = srs().forward(&address("a@b.example"), then()).unwrap();
        let rotated = Srs::new(
            "example.com",
            vec![b"new".to_vec(), b"tops3cr3t".to_vec()],
            21,
        );
        assert_eq!(rotated.reverse(&made, then()), Ok(address("a@b.example")));
        assert_ne!(
            rotated.forward(&address("a@b.example"), then()),
            Some(made.clone())
        );
        let gone = Srs::new("example.com", vec![b"new".to_vec()], 21);
        assert_eq!(gone.reverse(&made, then()), Err(SrsError::Hash));
    }

    proptest! {
        #[test]
        fn any_sender_comes_back(local in "[a-z0-9=+-]{1,20}", days in 0_i64..4000, wait in 0_i64..21) {
            let sender: Address = format!("x{local}@sub.b.example").parse().unwrap();
            let made_at = Timestamp::from_second(1_700_000_000 + days * DAY).unwrap();
            let made = srs().forward(&sender, made_at).unwrap();
            let now = Timestamp::from_second(made_at.as_second() + wait * DAY).unwrap();
            prop_assert_eq!(srs().reverse(&made, now), Ok(sender));
        }
    }
}
