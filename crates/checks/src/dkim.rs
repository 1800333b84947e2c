//! The DKIM key of a selector (RFC 6376 §3.6.1, RFC 8301, RFC 8463).

use data_encoding::BASE64;
use diagnosis::finding::{Conclusion, Defect, Finding};
use dns::{AskError, RecordData, RecordKind, Resolver};

use crate::asker::Asker;
use crate::tags::{Flaw, Tags, flaw};

pub(crate) async fn check(selector: &str, domain: &str, resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let name = format!("{selector}._domainkey.{domain}");
    let found = |conclusion| Finding::new(conclusion, name.as_str());
    let texts = match asker.ask(&name, RecordKind::Txt).await {
        Ok(records) => records,
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => Vec::new(),
        Err(AskError::Unanswered { .. }) => {
            return found(Conclusion::DkimUnanswered).facts(asker.take());
        }
    };
    let mut texts = texts.into_iter().filter_map(|record| match record.data {
        RecordData::Txt(text) => Some(text),
        _ => None,
    });
    let Some(text) = texts.next() else {
        return found(Conclusion::DkimKeyMissing).facts(asker.take());
    };
    if texts.next().is_some() {
        // RFC 6376 §3.6.2.2: with several the outcome is undefined.
        asker.note(flaw(Defect::Several, &name).into());
        return found(Conclusion::DkimKeyBroken).facts(asker.take());
    }
    let (conclusion, object) = match key(&text) {
        Ok(Key::Revoked) => (Conclusion::DkimKeyRevoked, None),
        Ok(Key::Ed25519) => (Conclusion::DkimKeyFound, Some("ed25519".to_owned())),
        // RFC 8301 §3.2: verifiers must not count shorter ones.
        Ok(Key::Rsa(bits)) if bits < 1024 => (Conclusion::DkimKeyWeak, Some(bits.to_string())),
        Ok(Key::Rsa(bits)) => (Conclusion::DkimKeyFound, Some(format!("rsa {bits}"))),
        Err(flaw) => {
            asker.note(flaw.into());
            (Conclusion::DkimKeyBroken, None)
        }
    };
    let mut finding = found(conclusion).facts(asker.take());
    finding.object = object;
    finding
}

#[derive(Debug, PartialEq, Eq)]
enum Key {
    Revoked,
    Ed25519,
    /// With so many bits.
    Rsa(u64),
}

fn key(text: &str) -> Result<Key, Flaw> {
    let tags = Tags::read(text)?;
    match (tags.get("v"), tags.first()) {
        // §3.6.1: the version, where it stands, comes first.
        (Some("DKIM1"), Some(("v", _))) | (None, _) => {}
        (Some(version), _) => return Err(flaw(Defect::BadValue, &format!("v={version}"))),
    }
    let p = tags
        .get("p")
        .ok_or_else(|| flaw(Defect::MissingValue, "p="))?;
    if p.is_empty() {
        return Ok(Key::Revoked);
    }
    let plain: String = p.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let excerpt: String = plain.chars().take(20).collect();
    let bad = || flaw(Defect::BadValue, &format!("p={excerpt}…"));
    let bytes = BASE64.decode(plain.as_bytes()).map_err(|_| bad())?;
    match tags.get("k").unwrap_or("rsa") {
        "rsa" => modulus_bits(&bytes).map(Key::Rsa).ok_or_else(bad),
        // RFC 8463 §4: 32 bytes.
        "ed25519" if bytes.len() == 32 => Ok(Key::Ed25519),
        "ed25519" => Err(bad()),
        other => Err(flaw(Defect::UnknownTerm, &format!("k={other}"))),
    }
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// The size of an RSA key: SubjectPublicKeyInfo (RFC 5280 §4.1) or, as some publish it, the bare
/// RSAPublicKey (RFC 8017 A.1.1).
fn modulus_bits(der: &[u8]) -> Option<u64> {
    let (outer, _) = element(der, SEQUENCE)?;
    let numbers = match element(outer, SEQUENCE) {
        Some((_, rest)) => {
            let (bits, _) = element(rest, BIT_STRING)?;
            let (numbers, _) = element(bits.split_first()?.1, SEQUENCE)?;
            numbers
        }
        None => outer,
    };
    let (modulus, rest) = element(numbers, INTEGER)?;
    element(rest, INTEGER)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    let bits = (modulus.len() - zeros) as u64 * 8;
    Some(bits - u64::from(first.leading_zeros()))
}

/// An element of DER: its content and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, mut rest) = rest.split_first()?;
    let mut size = usize::from(*length);
    if *length >= 0x80 {
        let count = usize::from(length & 0x7F);
        let digits = rest.get(..count).filter(|_| count <= 4)?;
        size = digits
            .iter()
            .fold(0, |size, byte| size << 8 | usize::from(*byte));
        rest = &rest[count..];
    }
    (rest.len() >= size).then(|| rest.split_at(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/d80ZxCCzqN5Kx68Cer8vluWLe8J6+hMJlcg5OzhrJHuKoyMoOgLmjQCRiPY0rUPuAWapTTXC3ucYN3YWq10Qy8pR9x30fFhw3CcCSxffjnVhLtaoTn4xaWCUUIkEhj7ysPDF5F+ZmzFPWkKf0vUklllRR8nQOxHN7a81WzJD5wIDAQAB";
    const RSA_512: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMc2J3QGVOiPc6GpUxzFO+ikA66Q/kZ4ykEQvJYZcZk++9cES/XXGxwcVgy5z7RniC38FtzsBM+zCKwwKFXGdYMCAwEAAQ==";

    #[test]
    fn keys_are_read_and_what_is_wrong_is_named() {
        let rsa = format!("v=DKIM1; k=rsa; p={RSA_1024}");
        assert_eq!(key(&rsa), Ok(Key::Rsa(1024)));
        let short = format!("p={RSA_512}");
        assert_eq!(key(&short), Ok(Key::Rsa(512)));
        let ed = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        assert_eq!(key(ed), Ok(Key::Ed25519));
        assert_eq!(key("v=DKIM1; p="), Ok(Key::Revoked));
        for (text, expected) in [
            ("v=DKIM1; k=rsa", Defect::MissingValue),
            ("v=DKIM2; p=AAAA", Defect::BadValue),
            ("p=AAAA; v=DKIM1", Defect::BadValue),
            ("v=DKIM1; p=not base64!", Defect::BadValue),
            ("v=DKIM1; p=AAAA", Defect::BadValue),
            ("v=DKIM1; k=ecdsa; p=AAAA", Defect::UnknownTerm),
        ] {
            let Err(Flaw { defect, .. }) = key(text) else {
                panic!("{text}");
            };
            assert_eq!(defect, expected, "{text}");
        }
    }

    #[test]
    fn cut_off_keys_are_no_keys() {
        let der = BASE64.decode(RSA_1024.as_bytes()).unwrap();
        assert_eq!(modulus_bits(&der), Some(1024));
        for length in 0..der.len() {
            assert_eq!(modulus_bits(&der[..length]), None, "{length}");
        }
    }
}
