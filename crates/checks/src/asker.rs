//! Questions to the DNS with the evidence written down.

use async_trait::async_trait;
use diagnosis::finding::{Answer, Conclusion, Fact};
use dns::{AskError, Record, RecordKind, Resolver, Unanswered};
use email_auth::spf::Witness;
use tokio::time::Instant;

/// Asks, and keeps every question with its answer.
pub(crate) struct Asker<'a> {
    resolver: &'a dyn Resolver,
    facts: Vec<Fact>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(resolver: &'a dyn Resolver) -> Asker<'a> {
        Asker {
            resolver,
            facts: Vec::new(),
        }
    }

    pub(crate) async fn ask(
        &mut self,
        name: &str,
        kind: RecordKind,
    ) -> Result<Vec<Record>, AskError> {
        let began = Instant::now();
        let outcome = self.resolver.ask(name, kind).await;
        self.facts.push(Fact::Asked {
            kind: kind.as_str().to_owned(),
            name: name.to_owned(),
            answer: answer(&outcome),
            servers: self.resolver.servers(),
            took_ms: began.elapsed().as_millis() as u64,
        });
        outcome
    }

    /// The addresses of a host, of both families; an error only where neither could be found out.
    pub(crate) async fn addresses(
        &mut self,
        host: &str,
    ) -> Result<Vec<std::net::IpAddr>, AskError> {
        Witness::addresses(self, host).await
    }

    pub(crate) fn note(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// The evidence so far; a next finding begins with none.
    pub(crate) fn take(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }
}

#[async_trait]
impl Witness for Asker<'_> {
    async fn ask(&mut self, name: &str, kind: RecordKind) -> Result<Vec<Record>, AskError> {
        Asker::ask(self, name, kind).await
    }

    fn note(&mut self, fact: Fact) {
        Asker::note(self, fact);
    }
}

fn answer(outcome: &Result<Vec<Record>, AskError>) -> Answer {
    match outcome {
        Ok(records) if records.is_empty() => Answer::NoRecords,
        Ok(records) => Answer::Records(
            records
                .iter()
                .map(|record| format!("{} {}", record.data.kind(), record.data))
                .collect(),
        ),
        Err(AskError::NoSuchName) => Answer::NoSuchName,
        Err(AskError::NotAName { .. }) => Answer::NotAName,
        Err(AskError::Unanswered { how, reported }) => match how {
            Unanswered::ServerFailure => Answer::ServerFailure,
            Unanswered::Refused => Answer::Refused,
            Unanswered::TimedOut => Answer::TimedOut,
            Unanswered::Unreachable => Answer::Unreachable,
            Unanswered::Other => Answer::Unclear(reported.clone()),
        },
    }
}

/// What a question without an answer says about the domain.
pub(crate) fn of_unanswered(how: Unanswered) -> Conclusion {
    match how {
        Unanswered::ServerFailure => Conclusion::DnsFails,
        Unanswered::Refused => Conclusion::DnsRefuses,
        Unanswered::TimedOut => Conclusion::DnsSilent,
        Unanswered::Unreachable => Conclusion::DnsUnreachable,
        Unanswered::Other => Conclusion::DnsUnclear,
    }
}
