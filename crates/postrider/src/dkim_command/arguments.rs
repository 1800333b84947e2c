//! What `postrider dkim` is told.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum DkimCommand {
    /// Make a key for a domain, and print the record to publish, as BIND takes it.
    New {
        /// The domain in From of the mail that it signs.
        domain: String,
        /// Its name; else the day with a letter, like 20261128r.
        #[arg(long)]
        selector: Option<String>,
        /// Which kind; a domain may have one of each, and then signs with both.
        #[arg(long, value_enum, default_value_t = DkimAlgorithm::Rsa)]
        algorithm: DkimAlgorithm,
        /// Take this private key in place of a new one: a PEM file, of opendkim-genkey say.
        #[arg(long, value_name = "FILE", conflicts_with = "algorithm")]
        from: Option<std::path::PathBuf>,
    },
    /// Each key: how old it is, whether its record is published, whether it signs, what to do.
    ///
    /// It ends with 1 when a key does not sign because of its record.
    List {
        /// One JSON object for each key.
        #[arg(long)]
        json: bool,
        /// Only of this domain.
        domain: Option<String>,
    },
    /// Make new keys for a domain. They sign once their records are seen; until then the old ones do.
    Rotate {
        /// The domain.
        domain: String,
    },
    /// Remove a key that does not sign any more.
    Remove {
        /// The domain.
        domain: String,
        /// The key's selector.
        selector: String,
        /// Even if it signs.
        #[arg(long)]
        force: bool,
    },
}

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DkimAlgorithm {
    /// 2048 bits; everybody can verify it.
    Rsa,
    /// Short; not everybody can verify it.
    Ed25519,
}
