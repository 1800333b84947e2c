//! Who we are to a destination: our name there, and the address from which we come.

use std::net::IpAddr;

use diagnosis::facts::ConnectError;
use queue::DestinationKey;
use queue::route::{Identity, Login, Ways};
use world::Peer;

/// Who we are to a destination.
#[derive(Debug)]
pub(crate) struct Presence<'a> {
    key: &'a DestinationKey,
    identity: Identity,
    login: Option<Login>,
    hostname: &'a str,
}

/// No address of the wanted family (`EAFNOSUPPORT`).
const NO_SUCH_FAMILY: i32 = 97;

impl<'a> Presence<'a> {
    /// As the ways of its route say, and where they are silent by this name.
    pub(crate) fn new(key: &'a DestinationKey, ways: Ways, hostname: &'a str) -> Presence<'a> {
        Presence {
            key,
            identity: ways.identity,
            login: ways.login,
            hostname,
        }
    }

    /// As whom we log in there.
    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Our name at EHLO.
    pub(crate) fn helo(&self) -> &str {
        self.identity.helo.as_deref().unwrap_or(self.hostname)
    }

    /// The address from which we go there; `None`: whichever the system takes.
    pub(crate) fn address_for(&self, peer: &Peer) -> Result<Option<IpAddr>, ConnectError> {
        match peer {
            Peer::Unix(_) => Ok(None),
            Peer::Tcp(address) => {
                let chosen = self.identity.address_for(self.key, address.ip());
                chosen.map_err(|_| ConnectError::Local {
                    os_error: Some(NO_SUCH_FAMILY),
                })
            }
        }
    }
}
