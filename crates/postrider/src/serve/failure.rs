//! Why the relay did not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use queue::StoreError;

use super::{acme, bounces, directory, tls_sending};

/// Why the relay did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error(
        "{0}\nOne data directory serves one relay: stop that one, or give this one another with --data."
    )]
    InUse(StoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {address}: {source}{}", advice(source))]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Directory(#[from] directory::SetupError),
    #[error(transparent)]
    Bounces(#[from] bounces::SetupError),
    #[error("cannot listen on {at}: {source}{}", advice(source))]
    ListenAt { at: world::Peer, source: io::Error },
    #[error("the file of users: {0}")]
    Users(#[from] auth::FileError),
    #[error("a certificate of ours: {0}")]
    Certificate(#[from] tls::IdentityError),
    #[error(transparent)]
    Sending(#[from] tls_sending::SetupError),
    #[error(transparent)]
    Acme(#[from] acme::SetupError),
    #[error("the DKIM keys: {0}")]
    Keys(#[from] ::signing::StoreFault),
    #[error("the DNS resolver: {0}")]
    Resolver(#[from] dns::SetupError),
    #[error(transparent)]
    Verifier(#[from] email_auth::VerifyError),
    #[error("the control socket {}: {source}", path.display())]
    Control { path: PathBuf, source: io::Error },
    #[error("{doing}: {source}")]
    System {
        doing: &'static str,
        source: io::Error,
    },
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "\nAnother program listens there. Stop it, or choose another port: [listen] smtp = [\"127.0.0.1:2526\"]."
        }
        io::ErrorKind::PermissionDenied => {
            "\nPorts below 1024 need a right: run as root, or give CAP_NET_BIND_SERVICE, or choose a port above."
        }
        io::ErrorKind::AddrNotAvailable => "\nThis machine has no such address.",
        _ => "",
    }
}

impl StartError {
    /// What the system refused while the relay was doing this.
    pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> StartError {
        move |source| StartError::System { doing, source }
    }
}
