//! An authority whose certificates clients and servers of a test trust.

use std::path::{Path, PathBuf};

use peers::Postfix;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(crate) file: PathBuf,
    directory: PathBuf,
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    /// A Postfix that has it, and takes mail for these domains.
    pub(crate) fn postfix(&self, domains: &[&str]) -> Postfix {
        Postfix::start(&format!(
            "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}, {}\n\
             virtual_mailbox_domains = dest.example {}\n",
            self.key.display(),
            self.chain.display(),
            domains.join(" "),
        ))
        .unwrap()
    }
}

impl Authority {
    pub(crate) fn new(directory: &Path) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test Authority");
        let key = KeyPair::generate().unwrap();
        let file = directory.join("authority.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Authority {
            issuer: Issuer::new(params, key),
            file,
            directory: directory.to_owned(),
        }
    }

    /// Writes a certificate for a name into `stem.pem` and `stem.key`.
    pub(crate) fn issue(&self, stem: &str, name: &str) -> Pair {
        self.issue_for(stem, &[name])
    }

    /// The same for several names.
    pub(crate) fn issue_for(&self, stem: &str, names: &[&str]) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pair = Pair {
            chain: self.directory.join(format!("{stem}.pem")),
            key: self.directory.join(format!("{stem}.key")),
        };
        std::fs::write(&pair.chain, certificate.pem()).unwrap();
        std::fs::write(&pair.key, key.serialize_pem()).unwrap();
        pair
    }
}
