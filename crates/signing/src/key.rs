//! Keys that sign.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use data_encoding::BASE64;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

/// How is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// `rsa-sha256` (RFC 6376 §3.3.1): everybody knows it.
    Rsa,
    /// `ed25519-sha256` (RFC 8463): short, and not known to everybody.
    Ed25519,
}

impl Algorithm {
    /// Both, in the order in which they sign.
    pub const ALL: [Algorithm; 2] = [Algorithm::Rsa, Algorithm::Ed25519];

    /// The name in `a=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Rsa => "rsa-sha256",
            Algorithm::Ed25519 => "ed25519-sha256",
        }
    }

    /// The name in `k=`.
    #[must_use]
    pub const fn key_type(self) -> &'static str {
        match self {
            Algorithm::Rsa => "rsa",
            Algorithm::Ed25519 => "ed25519",
        }
    }
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no key in PEM.
    #[error("this is no private key in PEM (`-----BEGIN PRIVATE KEY-----`)")]
    NotPem,
    /// It is a key of another kind, or broken.
    #[error("this is no RSA or Ed25519 key that can sign: {0}")]
    NotUsable(String),
    /// RFC 8301 §3.2: shorter ones must not be used.
    #[error("an RSA key of {0} bits is too short: verifiers pass over what has fewer than 1024")]
    TooShort(usize),
    /// The library could not make it.
    #[error("no key could be made")]
    NotMade,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A private key.
pub struct Key {
    pair: Pair,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is secret stays out of logs.
        write!(f, "Key({})", self.algorithm().as_str())
    }
}

/// RFC 8301 §3.2.
const LEAST_BITS: usize = 1024;

impl Key {
    /// Makes a new one; an RSA key has 2048 bits, as RFC 8301 §3.2 wants at least, and as fits the DNS.
    pub fn generate(algorithm: Algorithm) -> Result<Key, KeyError> {
        let pair = match algorithm {
            Algorithm::Rsa => RsaKeyPair::generate(KeySize::Rsa2048)
                .map(Box::new)
                .map(Pair::Rsa),
            Algorithm::Ed25519 => Ed25519KeyPair::generate().map(Box::new).map(Pair::Ed25519),
        };
        let pair = pair.map_err(|_| KeyError::NotMade)?;
        Ok(Key { pair })
    }

    /// Reads a PEM file: PKCS #8, or PKCS #1 as opendkim-genkey writes it.
    pub fn from_pem(text: &[u8]) -> Result<Key, KeyError> {
        let der = PrivateKeyDer::from_pem_slice(text).map_err(|_| KeyError::NotPem)?;
        let rsa = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    return Ok(Key {
                        pair: Pair::Ed25519(Box::new(pair)),
                    });
                }
                RsaKeyPair::from_pkcs8(der)
            }
            _ => {
                return Err(KeyError::NotUsable(
                    "an elliptic curve of another kind".to_owned(),
                ));
            }
        };
        let rsa = rsa.map_err(|error| KeyError::NotUsable(error.to_string()))?;
        let bits = rsa.public_modulus_len() * 8;
        match bits < LEAST_BITS {
            true => Err(KeyError::TooShort(bits)),
            false => Ok(Key {
                pair: Pair::Rsa(Box::new(rsa)),
            }),
        }
    }

    /// The key as a PEM file (PKCS #8).
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der: Pkcs8V1Der<'_> = match &self.pair {
            Pair::Rsa(pair) => pair.as_der(),
            Pair::Ed25519(pair) => pair.as_der(),
        }
        .map_err(|_| KeyError::NotMade)?;
        let base64 = BASE64.encode(der.as_ref());
        let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rsa,
            Pair::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Bits of an RSA key.
    #[must_use]
    pub fn bits(&self) -> Option<usize> {
        match &self.pair {
            Pair::Rsa(pair) => Some(pair.public_modulus_len() * 8),
            Pair::Ed25519(_) => None,
        }
    }

    /// What stands in `p=`: of RSA the SubjectPublicKeyInfo (RFC 6376 §3.6.1), of Ed25519 the 32 bytes
    /// (RFC 8463 §4).
    pub fn public(&self) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let der: Result<PublicKeyX509Der<'_>, _> = pair.public_key().as_der();
                let der = der.map_err(|_| KeyError::NotMade)?;
                Ok(der.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.public_key().as_ref().to_vec()),
        }
    }

    /// Signs the canonical header: of Ed25519 its SHA-256 (RFC 8463 §3).
    pub(crate) fn sign(&self, header: &[u8]) -> Result<Vec<u8>, KeyError> {
        let hash = digest::digest(&digest::SHA256, header);
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature);
                signed.map_err(|_| KeyError::NotMade)?;
                Ok(signature)
            }
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(hash.as_ref());
                let signature = signature.map_err(|_| KeyError::NotMade)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        for algorithm in Algorithm::ALL {
            let key = Key::generate(algorithm).unwrap();
            let pem = key.to_pem().unwrap();
            let again = Key::from_pem(pem.as_bytes()).unwrap();
            assert_eq!(again.algorithm(), algorithm);
            assert_eq!(again.public().unwrap(), key.public().unwrap());
            assert_eq!(again.bits(), (algorithm == Algorithm::Rsa).then_some(2048));
            assert!(pem.lines().all(|line| line.len() <= 64), "{pem}");
        }
    }

    #[test]
    fn the_key_of_the_rfc_has_the_public_key_of_the_rfc() {
        // RFC 8463 A.2, as PKCS #8 (RFC 8410 §7).
        let seed = BASE64
            .decode(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
            .unwrap();
        let prefix = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        let der = [&prefix[..], &seed].concat();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64.encode(&der)
        );
        let key = Key::from_pem(pem.as_bytes()).unwrap();
        assert_eq!(
            BASE64.encode(&key.public().unwrap()),
            "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
    }

    #[test]
    fn what_is_no_key_is_named() {
        assert_eq!(Key::from_pem(b"hello").unwrap_err(), KeyError::NotPem);
        let junk = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(Key::from_pem(junk), Err(KeyError::NotUsable(_))));
    }
}
