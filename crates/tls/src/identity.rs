//! Our certificates with their keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diagnosis::tls::Certificate;
use jiff::Timestamp;
use parking_lot::RwLock;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use world::World;

use crate::certificate::{at, describe, parse};
use crate::file::read;
use crate::mint::Shown;
use crate::server::Acceptor;

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// PEM: the server's own certificate first, then those between it and an authority.
    pub certificate: PathBuf,
    /// PEM: the private key of the first certificate.
    pub key: PathBuf,
}

/// Why a certificate with its key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read.
    #[error("{}: {reported}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        reported: String,
    },
    /// The file is not PEM, or broken.
    #[error("{}: not in PEM form: {reported}", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was reported.
        reported: String,
    },
    /// The file has no certificate.
    #[error("{}: no certificate in it (a block that begins with -----BEGIN CERTIFICATE-----)", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file has no private key.
    #[error("{}: no private key in it (a block like -----BEGIN PRIVATE KEY-----)", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A certificate in the file cannot be read.
    #[error("{}: certificate {place} cannot be read: {reported}", path.display())]
    NotACertificate {
        /// The file.
        path: PathBuf,
        /// Its position in the file, from 1.
        place: usize,
        /// What was reported.
        reported: String,
    },
    /// The key is of a kind that is not supported, or broken.
    #[error("{}: the key cannot be used: {reported}", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What was reported.
        reported: String,
    },
    /// The key is that of another certificate.
    #[error("the key in {} does not fit the certificate in {}", key.display(), certificate.display())]
    KeyDoesNotFit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The key is that of a later certificate in the file.
    #[error(
        "{}: the server's own certificate must come first; the key fits certificate {place}",
        path.display()
    )]
    NotFirst {
        /// The certificate's file.
        path: PathBuf,
        /// The position of the certificate that the key fits, from 1.
        place: usize,
    },
    /// Its time is over.
    #[error("{}: the certificate expired at {since}", path.display())]
    Expired {
        /// The certificate's file.
        path: PathBuf,
        /// Since when.
        since: Timestamp,
    },
    /// Its time has not come.
    #[error("{}: the certificate is not valid before {from}", path.display())]
    NotYetValid {
        /// The certificate's file.
        path: PathBuf,
        /// When it comes.
        from: Timestamp,
    },
    /// The library cannot be set up.
    #[error("TLS cannot be set up: {reported}")]
    Setup {
        /// What was reported.
        reported: String,
    },
}

/// What came of reading changed files again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The new certificate is in use.
    Changed {
        /// Its file.
        path: PathBuf,
        /// What it says.
        certificate: Box<Certificate>,
    },
    /// The old one stays in use.
    Kept {
        /// Why.
        error: IdentityError,
    },
}

/// Our certificates with their keys. Clones share them.
#[derive(Clone)]
pub struct Identities {
    world: World,
    chooser: Arc<Chooser>,
    acceptor: Acceptor,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.chooser.fmt(f)
    }
}

/// Chooses by the name that the client asks for.
#[derive(Debug)]
struct Chooser {
    identities: RwLock<Vec<Arc<Identity>>>,
}

#[derive(Debug)]
struct Identity {
    files: IdentityFiles,
    key: Arc<CertifiedKey>,
    certificate: Certificate,
    not_after: Timestamp,
    /// Of what the files held.
    digest: [u8; 32],
}

impl Identities {
    /// Reads certificates and keys; the first is for clients that ask for no name of ours. Blocks.
    ///
    /// A certificate out of its time is used all the same and told beside: mail over it is better
    /// than mail in the clear, and most senders do not look.
    pub fn load(
        world: &World,
        files: Vec<IdentityFiles>,
    ) -> Result<(Identities, Vec<IdentityError>), IdentityError> {
        let mut identities = Vec::with_capacity(files.len());
        let mut untimely = Vec::new();
        for files in files {
            let (identity, trouble) = Identity::load(world, files)?;
            untimely.extend(trouble);
            identities.push(Arc::new(identity));
        }
        let chooser = Arc::new(Chooser {
            identities: RwLock::new(identities),
        });
        let shown: Arc<dyn ResolvesServerCert> = Arc::clone(&chooser) as _;
        let acceptor = Acceptor::new(shown, Arc::clone(&world.clock)).map_err(|error| {
            IdentityError::Setup {
                reported: error.to_string(),
            }
        })?;
        let world = world.clone();
        let identities = Identities {
            world,
            chooser,
            acceptor,
        };
        Ok((identities, untimely))
    }

    /// Reads files again that have changed. What cannot be used, or is out of its time, does not
    /// take the place of what is in use. Blocks.
    pub fn reload(&self) -> Vec<Reloaded> {
        let mut told = Vec::new();
        let current = self.chooser.identities.read().clone();
        for (place, old) in current.iter().enumerate() {
            match Identity::load(&self.world, old.files.clone()) {
                Ok((new, _)) if new.digest == old.digest => {}
                Ok((new, None)) => {
                    let certificate = Box::new(new.certificate.clone());
                    let path = new.files.certificate.clone();
                    if let Some(slot) = self.chooser.identities.write().get_mut(place) {
                        *slot = Arc::new(new);
                    }
                    told.push(Reloaded::Changed { path, certificate });
                }
                Ok((_, Some(error))) | Err(error) => told.push(Reloaded::Kept { error }),
            }
        }
        told
    }

    /// What makes connections secure with these, those that are read later included.
    #[must_use]
    pub fn acceptor(&self) -> Acceptor {
        self.acceptor.clone()
    }

    /// These, for an acceptor on other terms.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown(Arc::clone(&self.chooser) as _)
    }

    /// The certificates in use with their files and ends.
    #[must_use]
    pub fn in_use(&self) -> Vec<(PathBuf, Certificate, Timestamp)> {
        let identities = self.chooser.identities.read();
        let tell = |i: &Arc<Identity>| {
            (
                i.files.certificate.clone(),
                i.certificate.clone(),
                i.not_after,
            )
        };
        identities.iter().map(tell).collect()
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let identities = self.identities.read();
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        let fits = |identity: &&Arc<Identity>| {
            let names = &identity.certificate.names;
            asked
                .as_ref()
                .is_some_and(|asked| names.iter().any(|name| covers(name, asked)))
        };
        let chosen = identities
            .iter()
            .find(fits)
            .or_else(|| identities.first())?;
        Some(Arc::clone(&chosen.key))
    }
}

/// RFC 9525 §6.3: `*` stands for one whole label, the first.
fn covers(name: &str, asked: &str) -> bool {
    let wildcard = name.strip_prefix("*.");
    name == asked
        || wildcard.is_some_and(|rest| asked.split_once('.').is_some_and(|(_, end)| end == rest))
}

impl Identity {
    /// Reads it; beside it, what is wrong with its time.
    fn load(
        world: &World,
        files: IdentityFiles,
    ) -> Result<(Identity, Option<IdentityError>), IdentityError> {
        let disk = &*world.disk;
        let (chain_text, key_text) = (read(disk, &files.certificate)?, read(disk, &files.key)?);
        let chain = certificates(&files.certificate, &chain_text)?;
        let certified = certify(&files, chain, &key_text)?;
        let path = &files.certificate;
        let unreadable = |reported| IdentityError::NotACertificate {
            path: path.clone(),
            place: 1,
            reported,
        };
        let Some(leaf) = certified.cert.first() else {
            return Err(IdentityError::NoCertificate { path: path.clone() });
        };
        let certificate = describe(leaf).map_err(unreadable)?;
        let validity = parse(leaf).map_err(unreadable)?.validity().clone();
        let (from, until) = (at(validity.not_before), at(validity.not_after));
        let now = world.clock.now();
        let untimely = if now > until {
            let path = path.clone();
            Some(IdentityError::Expired { path, since: until })
        } else if now < from {
            let path = path.clone();
            Some(IdentityError::NotYetValid { path, from })
        } else {
            None
        };
        let mut digest = Sha256::new();
        digest.update(&chain_text);
        digest.update(&key_text);
        let identity = Identity {
            digest: digest.finalize().into(),
            key: Arc::new(certified),
            certificate,
            not_after: until,
            files,
        };
        Ok((identity, untimely))
    }
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let mut chain = Vec::new();
    for der in CertificateDer::pem_slice_iter(text) {
        let der = der.map_err(|error| IdentityError::NotPem {
            path: path.to_owned(),
            reported: error.to_string(),
        })?;
        describe(&der).map_err(|reported| IdentityError::NotACertificate {
            path: path.to_owned(),
            place: chain.len() + 1,
            reported,
        })?;
        chain.push(der);
    }
    if chain.is_empty() {
        let path = path.to_owned();
        return Err(IdentityError::NoCertificate { path });
    }
    Ok(chain)
}

/// Joins chain and key, and sees that they belong together.
fn certify(
    files: &IdentityFiles,
    chain: Vec<CertificateDer<'static>>,
    key_text: &[u8],
) -> Result<CertifiedKey, IdentityError> {
    use rustls::pki_types::pem::Error as PemError;
    let path = || files.key.clone();
    let key = PrivateKeyDer::from_pem_slice(key_text).map_err(|error| match error {
        PemError::NoItemsFound => IdentityError::NoKey { path: path() },
        error => IdentityError::NotPem {
            path: path(),
            reported: error.to_string(),
        },
    })?;
    let bad = |error: rustls::Error| IdentityError::BadKey {
        path: path(),
        reported: error.to_string(),
    };
    let signing = aws_lc_rs::sign::any_supported_type(&key).map_err(bad)?;
    let fits = |chain: Vec<CertificateDer<'static>>| {
        let certified = CertifiedKey::new(chain, Arc::clone(&signing));
        let fits = certified.keys_match().is_ok();
        (certified, fits)
    };
    let (certified, true) = fits(chain.clone()) else {
        let place = chain.iter().position(|der| fits(vec![der.clone()]).1);
        return Err(match place {
            Some(place) => IdentityError::NotFirst {
                path: files.certificate.clone(),
                place: place + 1,
            },
            None => IdentityError::KeyDoesNotFit {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            },
        });
    };
    Ok(certified)
}
