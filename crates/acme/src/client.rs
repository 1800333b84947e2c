//! From an account to a certificate: the steps of RFC 8555 §7.

use std::time::Duration;

use diagnosis::acme::{AcmeFailure, AcmeProblem, AcmeStep};
use https::NoAnswer;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, OrderStatus, Problem, RetryPolicy,
};

use crate::http::Client;
use crate::tokens::Tokens;

/// How long the authority may take to look at our answers, and to make the certificate.
const PATIENCE: Duration = Duration::from_secs(180);
/// RFC 8555 §6.7: what types of problems begin with.
const PREFIX: &str = "urn:ietf:params:acme:error:";

/// What is asked of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The authority's directory.
    pub directory: String,
    /// Addresses that the authority may write to.
    pub contact: Vec<String>,
    /// The names that the certificate is for; the first names the directory that it is kept in.
    pub names: Vec<String>,
}

/// A certificate with its key, both in PEM.
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

fn at(step: AcmeStep, name: Option<String>) -> impl Fn(Error) -> AcmeFailure {
    move |error| AcmeFailure {
        step,
        name: name.clone(),
        why: problem(&error),
    }
}

/// The library's errors as facts.
fn problem(error: &Error) -> AcmeProblem {
    match error {
        Error::Api(problem) => said(problem),
        Error::Timeout(_) => AcmeProblem::TimedOut,
        Error::Other(inner) if inner.is::<NoAnswer>() => AcmeProblem::Unreachable {
            reported: inner.to_string(),
        },
        other => AcmeProblem::Unusable {
            reported: other.to_string(),
        },
    }
}

fn said(problem: &Problem) -> AcmeProblem {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    let mut detail = problem.detail.clone().unwrap_or_default();
    // RFC 8555 §6.7.1: what is wrong with single names.
    for one in &problem.subproblems {
        detail.push_str(&format!("; {one}"));
    }
    AcmeProblem::Said {
        kind: kind.strip_prefix(PREFIX).unwrap_or(kind).to_owned(),
        detail,
    }
}

/// The account of these credentials, or a new one with what is to be kept of it.
pub(crate) async fn account(
    client: &Client,
    order: &Order,
    known: Option<AccountCredentials>,
) -> Result<(Account, Option<AccountCredentials>), AcmeFailure> {
    let builder = Account::builder_with_http(Box::new(client.clone()));
    let fail = at(AcmeStep::Account, None);
    if let Some(known) = known {
        let account = builder.from_credentials(known).await.map_err(fail)?;
        return Ok((account, None));
    }
    let contact: Vec<String> = order.contact.iter().map(|to| mailto(to)).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        // Nobody comes here without `agree_terms = true` in the configuration.
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let made = builder.create(&new, order.directory.clone(), None).await;
    let (account, credentials) = made.map_err(fail)?;
    Ok((account, Some(credentials)))
}

/// RFC 8555 §7.3: a URL, of which all authorities know `mailto`.
fn mailto(contact: &str) -> String {
    match contact.contains(':') {
        true => contact.to_owned(),
        false => format!("mailto:{contact}"),
    }
}

/// Orders a certificate, shows that the names are ours, and fetches it.
pub(crate) async fn obtain(
    account: &Account,
    names: &[String],
    tokens: &Tokens,
) -> Result<Issued, AcmeFailure> {
    let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let order = account.new_order(&NewOrder::new(&identifiers)).await;
    let mut order = order.map_err(at(AcmeStep::Order, None))?;
    answer_challenges(&mut order, tokens).await?;
    let retries = RetryPolicy::new().timeout(PATIENCE);
    let polled = order.poll_ready(&retries).await;
    match polled {
        Ok(OrderStatus::Ready) => {}
        // What is wrong stands with the challenge of a name; the order says less (§7.1.6).
        Ok(_) | Err(Error::Api(_)) => {
            return Err(match wrong_challenge(&mut order).await {
                Some(failure) => failure,
                None => match polled {
                    Err(error) => at(AcmeStep::Challenge, None)(error),
                    Ok(status) => AcmeFailure {
                        step: AcmeStep::Challenge,
                        name: None,
                        why: AcmeProblem::Unusable {
                            reported: format!("the order is {status:?}"),
                        },
                    },
                },
            });
        }
        Err(error) => return Err(at(AcmeStep::Challenge, None)(error)),
    }
    let fail = at(AcmeStep::Certificate, None);
    let key = order.finalize().await.map_err(&fail)?;
    let chain = order.poll_certificate(&retries).await.map_err(&fail)?;
    Ok(Issued { chain, key })
}

/// §7.5.1: for each name that the authority does not know yet as ours.
async fn answer_challenges(
    order: &mut instant_acme::Order,
    tokens: &Tokens,
) -> Result<(), AcmeFailure> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(at(AcmeStep::Order, None))?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
            return Err(AcmeFailure {
                step: AcmeStep::Challenge,
                name: Some(name),
                why: AcmeProblem::NoHttpChallenge,
            });
        };
        tokens.add(&challenge.token, challenge.key_authorization().as_str());
        let ready = challenge.set_ready().await;
        ready.map_err(at(AcmeStep::Challenge, Some(name)))?;
    }
    Ok(())
}

/// The first name with a challenge that failed, and why.
async fn wrong_challenge(order: &mut instant_acme::Order) -> Option<AcmeFailure> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.ok()?;
        authorization.refresh().await.ok()?;
        let error = authorization
            .challenges
            .iter()
            .find_map(|c| c.error.as_ref());
        if let Some(error) = error {
            return Some(AcmeFailure {
                step: AcmeStep::Challenge,
                name: Some(authorization.identifier().to_string()),
                why: said(error),
            });
        }
    }
    None
}
