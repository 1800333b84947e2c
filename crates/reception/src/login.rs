//! AUTH: what is offered to whom, the talk with whoever knows users, and what failures cost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use auth::{About, Failure, Progress, Why};
use jiff::Timestamp;
use parking_lot::Mutex;
use smtp::server::{AuthOffer, Secret};

use crate::rates::What;
use crate::refusal::Refusal;
use crate::session::Session;

/// Failed logins after which a session is ended.
const MOST_FAILURES: u32 = 5;
/// What each failure of a name costs whoever tries it next, and at most.
const DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: u32 = 5;

impl Session {
    /// What AUTH is offered to this client. Passwords go over no line that others can listen to, but where
    /// the settings say that nobody does.
    pub(crate) async fn offered(&mut self) -> Option<Arc<AuthOffer>> {
        let authenticator = self.shared.neighbours.authenticator.as_ref()?;
        if !self.client.extended || self.client.role.is_lmtp() {
            return None;
        }
        let open = &self.shared.settings.auth.plaintext_networks;
        let secret =
            self.client.tls.is_some() || open.iter().any(|n| n.contains(self.client.address));
        let mut offer = AuthOffer::default();
        for mechanism in authenticator.mechanisms().await {
            match mechanism.sends_password && !secret {
                true => offer.needs_tls.push(mechanism.name),
                false => offer.mechanisms.push(mechanism.name),
            }
        }
        Some(Arc::new(offer))
    }

    pub(crate) async fn begin_login(&mut self, mechanism: &str, initial: Option<Secret>) {
        let Some(authenticator) = &self.shared.neighbours.authenticator else {
            // Nothing was offered, so that the state machine lets nothing through.
            return self.answer_no(&Refusal::NoTransaction);
        };
        let about = About {
            client: self.client.address,
            secure: self.client.tls.is_some(),
        };
        let exchange = authenticator.begin(mechanism, &about);
        if let Err(too_fast) = self.meter_look(What::FailedLogins) {
            return self.end(&Refusal::TooFast(too_fast));
        }
        self.exchange = Some(exchange);
        self.client.mechanism = Some(mechanism.to_owned());
        self.go_on(initial).await;
    }

    pub(crate) async fn go_on(&mut self, response: Option<Secret>) {
        let Some(mut exchange) = self.exchange.take() else {
            return self.answer_no(&Refusal::NoTransaction);
        };
        match exchange
            .respond(response.as_ref().map(Secret::expose))
            .await
        {
            Progress::Challenge(challenge) => {
                self.exchange = Some(exchange);
                self.protocol.challenge(&challenge);
            }
            Progress::Done(login) => {
                tracing::info!(client = %self.client.address, user = login.name, "authenticated");
                self.shared.failures.forgive(&login.name);
                self.client.login = Some(login.name);
                self.protocol.accept();
            }
            Progress::Failed(Failure::Unavailable(why)) => {
                let reported = why.to_string();
                self.answer_no(&Refusal::LoginUnavailable { reported });
            }
            Progress::Failed(Failure::Refused { name, why }) => self.login_failed(name, why).await,
        }
    }

    async fn login_failed(&mut self, name: Option<String>, why: Why) {
        let now = self.shared.world.clock.now();
        let failures = match &name {
            Some(name) => self.shared.failures.count(name, now),
            None => 0,
        };
        // Not for the client to know: every attempt counts, and the next one may be refused.
        let _ = self.meter(What::FailedLogins);
        self.failed_logins += 1;
        // Whoever guesses waits; whoever mistyped hardly notices.
        let cost = failures.max(self.failed_logins).min(LONGEST_DELAY);
        tokio::time::sleep(DELAY * cost).await;
        let refusal = Refusal::LoginFailed {
            name,
            why,
            failures,
        };
        if self.failed_logins >= MOST_FAILURES {
            self.refusal(&refusal, None);
            return self.end(&Refusal::TooManyFailedLogins(MOST_FAILURES));
        }
        self.answer_no(&refusal);
    }
}

/// Failed logins of each name, from wherever they come.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<String, (u32, Timestamp)>>);

/// Names that are kept: some MB. Those that failed longest ago are forgotten.
const MOST_NAMES: usize = 20_000;
/// How long a failure counts.
const KEPT: Duration = Duration::from_secs(3_600);

impl Failures {
    /// Counts one more; answers how many there were within the hour.
    fn count(&self, name: &str, now: Timestamp) -> u32 {
        let mut all = self.0.lock();
        let since = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        if all.len() >= MOST_NAMES && !all.contains_key(name) {
            all.retain(|_, (_, at)| *at > since);
            let oldest = all.iter().min_by_key(|(_, (_, at))| *at);
            let oldest = oldest.map(|(name, _)| name.clone());
            if let Some(oldest) = oldest.filter(|_| all.len() >= MOST_NAMES) {
                all.remove(&oldest);
            }
        }
        let (count, at) = all.entry(name.to_lowercase()).or_insert((0, now));
        if *at <= since {
            *count = 0;
        }
        (*count, *at) = (count.saturating_add(1), now);
        *count
    }

    fn forgive(&self, name: &str) {
        self.0.lock().remove(&name.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn failures_of_a_name_count_for_an_hour_or_until_it_succeeds() {
        let failures = Failures::default();
        assert_eq!(failures.count("anna", at(0)), 1);
        assert_eq!(failures.count("Anna", at(1)), 2);
        assert_eq!(failures.count("bert", at(1)), 1);
        assert_eq!(failures.count("anna", at(3_601)), 1);
        failures.forgive("ANNA");
        assert_eq!(failures.count("anna", at(3_602)), 1);
    }

    #[test]
    fn names_without_end_do_not_take_memory_without_end() {
        let failures = Failures::default();
        for number in 0..MOST_NAMES + 100 {
            failures.count(
                &format!("user{number}"),
                at(i64::try_from(number).unwrap() / 100),
            );
        }
        assert!(failures.0.lock().len() <= MOST_NAMES);
        assert_eq!(
            failures.count("user20099", at(300)),
            2,
            "the latest are known"
        );
    }
}
