//! SPF (RFC 7208): the record read, and evaluated for an address, every term of it written down.

mod evaluate;
mod expand;
mod record;

use std::net::IpAddr;

use async_trait::async_trait;
use diagnosis::finding::Fact;
use dns::{AskError, Record, RecordKind, Resolver};

pub use evaluate::{Outcome, evaluate};
pub use record::{Directive, Flaw, Mechanism, Prefixes, Qualifier, is_record, parse};

/// Who is asked during an evaluation, and hears what came of each term.
#[async_trait]
pub trait Witness: Send {
    /// The records of one kind.
    async fn ask(&mut self, name: &str, kind: RecordKind) -> Result<Vec<Record>, AskError>;

    /// Something was found out.
    fn note(&mut self, fact: Fact);

    /// The addresses of a host, of both families; an error only where neither could be found out.
    async fn addresses(&mut self, host: &str) -> Result<Vec<IpAddr>, AskError> {
        let v4 = self.ask(host, RecordKind::A).await;
        let v6 = self.ask(host, RecordKind::Aaaa).await;
        let found: Vec<_> = [&v4, &v6]
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|record| record.data.address())
            .collect();
        match (found.is_empty(), v4, v6) {
            (false, _, _) | (true, Ok(_), Ok(_)) => Ok(found),
            // Trouble in either family may hide an address: it outranks "does not exist".
            (true, Err(trouble @ AskError::Unanswered { .. }), _)
            | (true, _, Err(trouble @ AskError::Unanswered { .. }))
            | (true, Err(trouble), _)
            | (true, _, Err(trouble)) => Err(trouble),
        }
    }
}

/// Asks, and keeps nothing.
pub struct Plain<'a>(pub &'a dyn Resolver);

#[async_trait]
impl Witness for Plain<'_> {
    async fn ask(&mut self, name: &str, kind: RecordKind) -> Result<Vec<Record>, AskError> {
        self.0.ask(name, kind).await
    }

    fn note(&mut self, _: Fact) {}
}
