//! Who we are to a destination: our name there, and the address from which we come.

use std::net::IpAddr;

use diagnosis::facts::ConnectError;
use queue::DestinationKey;
use queue::route::Identity;
use world::Peer;

/// Who we are to a destination.
#[derive(Debug)]
pub(crate) struct Presence<'a> {
    key: &'a DestinationKey,
    identity: Identity,
    hostname: &'a str,
}

/// No address of the wanted family (`EAFNOSUPPORT`).
const NO_SUCH_FAMILY: i32 = 97;

impl<'a> Presence<'a> {
    /// As this identity says, and where it is silent by this name.
    pub(crate) fn new(
        key: &'a DestinationKey,
        identity: Identity,
        hostname: &'a str,
    ) -> Presence<'a> {
        Presence {
            key,
            identity,
            hostname,
        }
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
