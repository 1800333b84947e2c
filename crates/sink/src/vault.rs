//! The sink's certificates: those that a script asks for are made when they are first shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tls::{Acceptor, Authority, MintError, Minted, Shown, Terms, Validity, Versions};
use world::World;

use crate::handshake::Shows;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The name that nobody asks for.
const WRONG: &str = "another-host.invalid";

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCertificate {
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// Certificates and what shows them.
pub(crate) struct Vault {
    world: World,
    /// From files.
    given: Option<Shown>,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    authority: Option<Arc<Authority>>,
    acceptors: HashMap<(Shows, Versions, Vec<String>), Acceptor>,
}

impl Vault {
    pub(crate) fn new(world: World, given: Option<Shown>) -> Vault {
        Vault {
            world,
            given,
            made: Mutex::default(),
        }
    }

    /// The certificate of the authority in PEM: who trusts it trusts the sink.
    pub(crate) fn authority(&self) -> Result<String, MintError> {
        let authority = self.authority_of(&mut self.made.lock())?;
        Ok(authority.pem().to_owned())
    }

    fn authority_of(&self, made: &mut Made) -> Result<Arc<Authority>, MintError> {
        if let Some(authority) = &made.authority {
            return Ok(Arc::clone(authority));
        }
        let authority = self.unknown("Postrider sink")?;
        let authority = Arc::new(authority);
        made.authority = Some(Arc::clone(&authority));
        Ok(authority)
    }

    fn unknown(&self, name: &str) -> Result<Authority, MintError> {
        Authority::new(name, self.validity(-400, 3650))
    }

    /// So many days from now, until so many days from now.
    fn validity(&self, from: i32, until: i32) -> Validity {
        let now = self.world.clock.now();
        let at = |days: i32| {
            let away = DAY * days.unsigned_abs();
            let there = if days < 0 {
                now.checked_sub(away)
            } else {
                now.checked_add(away)
            };
            there.unwrap_or(now)
        };
        Validity {
            from: at(from),
            until: at(until),
        }
    }

    /// What does handshakes with such a certificate for these names.
    pub(crate) fn acceptor(
        &self,
        shows: Shows,
        versions: Versions,
        names: &[String],
    ) -> Result<Acceptor, NoCertificate> {
        let mut made = self.made.lock();
        let key = (shows, versions, names.to_vec());
        if let Some(acceptor) = made.acceptors.get(&key) {
            return Ok(acceptor.clone());
        }
        let shown = self.shown(shows, names, &mut made)?;
        let terms = Terms {
            versions,
            ask_client: true,
        };
        let acceptor = Acceptor::with(&shown, Arc::clone(&self.world.clock), terms)
            .map_err(|error| NoCertificate::Setup(error.to_string()))?;
        made.acceptors.insert(key, acceptor.clone());
        Ok(acceptor)
    }

    fn shown(&self, shows: Shows, names: &[String], made: &mut Made) -> Result<Shown, MintError> {
        let usual = self.validity(-30, 60);
        let by_ours = |made: &mut Made, names: &[String], validity| {
            self.authority_of(made)?.issue(names, validity)
        };
        let minted = match shows {
            Shows::Good => match &self.given {
                Some(given) => return Ok(given.clone()),
                None => by_ours(made, names, usual)?,
            },
            Shows::SelfSigned => Minted::self_signed(names, usual)?,
            Shows::Expired => by_ours(made, names, self.validity(-97, -7))?,
            Shows::NotYetValid => by_ours(made, names, self.validity(7, 97))?,
            Shows::WrongName => by_ours(made, &[WRONG.to_owned()], usual)?,
            Shows::UnknownAuthority => self.unknown("Nobody's authority")?.issue(names, usual)?,
        };
        minted.shown()
    }
}
