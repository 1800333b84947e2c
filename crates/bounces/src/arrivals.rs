//! Who the recipients are: return addresses first, then whoever else is asked.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use queue::route::Target;
use queue::{Directory, Found, NotFound, Placed, Resolved};
use smtp::Address;

use crate::{ReturnPaths, TagError};

/// A directory that knows return addresses, before another that knows everybody else.
#[derive(Clone, Debug)]
pub struct Arrivals {
    paths: Arc<ReturnPaths>,
    others: Option<Arc<dyn Directory>>,
}

impl Arrivals {
    /// Before `others`; `None`: there is nobody else here.
    #[must_use]
    pub fn new(paths: Arc<ReturnPaths>, others: Option<Arc<dyn Directory>>) -> Arrivals {
        Arrivals { paths, others }
    }
}

#[async_trait]
impl Directory for Arrivals {
    async fn find(
        &self,
        address: &Address,
        sender: &Address,
        now: Timestamp,
    ) -> Result<Found, NotFound> {
        let not = |error: TagError| NotFound::NotReturned {
            address: address.clone(),
            why: match error {
                TagError::Form => "its form is wrong",
                TagError::Code => "its code is not ours",
                TagError::Old => "it is too old",
            },
        };
        let read = match self.paths.tag(address, now) {
            Some(tag) => tag.map(|_| true).map_err(not)?,
            None => self.paths.is_read(address),
        };
        if read {
            return Ok(Found::Here(Resolved {
                recipients: vec![Placed {
                    address: address.clone(),
                    destination: Target::Bounces.key(),
                    target: Target::Bounces,
                    quota: None,
                    sender: None,
                    verify: None,
                }],
                steps: Vec::new(),
            }));
        }
        match &self.others {
            Some(others) => others.find(address, sender, now).await,
            None => Ok(Found::Elsewhere),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::tests::{at, message, paths, recipient};

    async fn find(address: &Address) -> Result<Found, NotFound> {
        let arrivals = Arrivals::new(Arc::new(paths()), None);
        arrivals.find(address, &Address::null(), at(0)).await
    }

    #[tokio::test]
    async fn return_addresses_and_those_for_reports_are_read_here_and_forged_ones_are_nobody() {
        let path = paths()
            .path_for(&message("news@a.example"), &recipient(0, "x@c.example"))
            .unwrap();
        for address in [path.as_str(), "FBL@ours.example"] {
            let found = find(&address.parse().unwrap()).await.unwrap();
            let Found::Here(resolved) = found else {
                panic!("{address}: {found:?}");
            };
            assert_eq!(resolved.recipients[0].target, Target::Bounces);
        }
        let forged = path.as_str().replace("-0-", "-9-").parse().unwrap();
        let why = "its code is not ours";
        let refused = find(&forged).await;
        assert_eq!(
            refused,
            Err(NotFound::NotReturned {
                address: forged,
                why
            })
        );
        let other = find(&"anna@ours.example".parse().unwrap()).await;
        assert_eq!(other, Ok(Found::Elsewhere));
    }
}
