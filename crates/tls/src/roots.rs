//! The authorities that are trusted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use world::Disk;

use crate::file::read;
use crate::identity::IdentityError;

/// The authorities that are trusted. Those of the system are read when the first certificate is judged:
/// there are hundreds, and who only passes mail to the next machine needs none.
#[derive(Clone)]
pub struct Roots(Arc<Inner>);

struct Inner {
    /// From files of ours.
    own: RootCertStore,
    /// Hears what is wrong with those of the system; `None`: they are not trusted.
    system: Option<Hearer>,
    all: OnceLock<RootCertStore>,
}

type Hearer = Arc<dyn Fn(&str) + Send + Sync>;

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roots")
            .field("own", &self.0.own.len())
            .field("system", &self.0.system.is_some())
            .finish_non_exhaustive()
    }
}

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
    fn new(own: RootCertStore, system: Option<Hearer>) -> Roots {
        let all = OnceLock::new();
        Roots(Arc::new(Inner { own, system, all }))
    }

    /// None: nobody is trusted.
    #[must_use]
    pub fn none() -> Roots {
        Roots::new(RootCertStore::empty(), None)
    }

    /// Those of the system (`SSL_CERT_FILE`, `SSL_CERT_DIR` or the usual places), once they are needed;
    /// `hear` is told then what cannot be read of them.
    #[must_use]
    pub fn system(hear: impl Fn(&str) + Send + Sync + 'static) -> Roots {
        Roots::new(RootCertStore::empty(), Some(Arc::new(hear)))
    }

    /// These and those of a PEM file.
    pub fn and_file(&self, disk: &dyn Disk, path: &Path) -> Result<Roots, RootsError> {
        let text = read(disk, path)?;
        let mut store = self.0.own.clone();
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
        Ok(Roots::new(store, self.0.system.clone()))
    }

    /// All of them. Reads those of the system the first time, which blocks for some milliseconds.
    pub(crate) fn all(&self) -> &RootCertStore {
        self.0.all.get_or_init(|| {
            let mut all = self.0.own.clone();
            if let Some(hear) = &self.0.system {
                let found = rustls_native_certs::load_native_certs();
                all.add_parsable_certificates(found.certs);
                for error in found.errors {
                    hear(&error.to_string());
                }
            }
            all
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all().len()
    }
}

#[cfg(test)]
mod tests {
    use world::World;

    use super::*;
    use crate::{Authority, Connector, Validity};

    #[test]
    fn a_file_of_ours_is_read_at_once_and_the_system_when_somebody_is_judged() {
        let world = World::real();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("authority.pem");
        let system = Roots::system(|_| {});
        assert!(system.and_file(&*world.disk, &file).is_err());
        std::fs::write(&file, "no authority").unwrap();
        assert!(system.and_file(&*world.disk, &file).is_err());
        let now = world.clock.now();
        let valid = Validity {
            from: now,
            until: now + std::time::Duration::from_secs(2 * 86_400),
        };
        let ours = Authority::new("Ours", valid).unwrap();
        std::fs::write(&file, ours.pem()).unwrap();
        let roots = system.and_file(&*world.disk, &file).unwrap();
        let connector = Connector::new(&world, roots.clone());
        assert!(roots.0.all.get().is_none());
        connector.prepare();
        assert_eq!(roots.count(), system.count() + 1);
    }
}
