//! The authorities that are trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use world::Disk;

use crate::file::read;
use crate::identity::IdentityError;

/// The authorities that are trusted.
#[derive(Clone, Debug)]
pub struct Roots(pub(crate) Arc<RootCertStore>);

/// Authorities that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// A file of ours.
    #[error(transparent)]
    File(#[from] IdentityError),
    /// A certificate in a file of ours is of no use as an authority.
    #[error("{}: certificate {place} is no authority's: {reported}", path.display())]
    NotAnAuthority {
        /// The file.
        path: PathBuf,
        /// Its position in the file, from 1.
        place: usize,
        /// What was reported.
        reported: String,
    },
}

impl Roots {
    /// None: nobody is trusted.
    #[must_use]
    pub fn none() -> Roots {
        Roots(Arc::new(RootCertStore::empty()))
    }

    /// Those of the system (`SSL_CERT_FILE`, `SSL_CERT_DIR` or the usual places); with them what
    /// could not be read.
    #[must_use]
    pub fn system() -> (Roots, Vec<String>) {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        let errors = found.errors.iter().map(ToString::to_string).collect();
        (Roots(Arc::new(store)), errors)
    }

    /// These and those of a PEM file.
    pub fn and_file(&self, disk: &dyn Disk, path: &Path) -> Result<Roots, RootsError> {
        let text = read(disk, path)?;
        let mut store = RootCertStore::clone(&self.0);
        let mut place = 0;
        for der in CertificateDer::pem_slice_iter(&text) {
            let der = der.map_err(|error| IdentityError::NotPem {
                path: path.to_owned(),
                reported: error.to_string(),
            })?;
            place += 1;
            store.add(der).map_err(|error| RootsError::NotAnAuthority {
                path: path.to_owned(),
                place,
                reported: error.to_string(),
            })?;
        }
        if place == 0 {
            let path = path.to_owned();
            return Err(IdentityError::NoCertificate { path }.into());
        }
        Ok(Roots(Arc::new(store)))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}
