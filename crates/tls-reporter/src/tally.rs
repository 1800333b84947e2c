//! Counting sessions in memory.

use std::collections::HashMap;
use std::mem::take;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use diagnosis::tls_policy::{Applied, AppliedPolicy, Server, Shortfall};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use queue::TlsSession;
use tls_report::{FailureDetail, Policy, PolicyKind, ResultType};
use world::Clock;

/// Kinds of sessions between two writings, at most: with usual policies about 10 MB.
const MOST: usize = 10_000;
/// So many bytes of a policy are kept, in whole lines: one of MTA-STS may have 64 KiB.
const POLICY: usize = 16 << 10;
/// So much of a reason is kept (RFC 8460 §4.3.3: a short text).
const REASON: usize = 200;

/// Sessions since the last writing. Counting one takes a lock for the time of a look into a table.
pub struct Tally {
    clock: Arc<dyn Clock>,
    batch: Mutex<Batch>,
    most: usize,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) sessions: HashMap<TlsSession, u64>,
    /// Sessions that there was no room for.
    pub(crate) dropped: u64,
}

impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tally").finish_non_exhaustive()
    }
}

impl Tally {
    /// An empty one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Tally {
        Tally {
            clock,
            batch: Mutex::default(),
            most: MOST,
        }
    }

    /// Counts a session, on the day that it is.
    pub fn saw(&self, applied: Applied) {
        let Some(session) = session(applied, today(&*self.clock)) else {
            return;
        };
        self.batch.lock().count(session, 1, self.most);
    }

    /// What was counted since the last time.
    pub(crate) fn take(&self) -> Batch {
        take(&mut self.batch.lock())
    }

    /// What could not be written is counted on.
    pub(crate) fn give_back(&self, sessions: Vec<(TlsSession, u64)>) {
        let mut batch = self.batch.lock();
        for (session, count) in sessions {
            batch.count(session, count, self.most);
        }
    }
}

impl Batch {
    fn count(&mut self, session: TlsSession, count: u64, most: usize) {
        let full = self.sessions.len() >= most;
        match self.sessions.get_mut(&session) {
            Some(counted) => *counted += count,
            None if full => self.dropped += count,
            None => _ = self.sessions.insert(session, count),
        }
    }
}

/// The day in UTC (RFC 8460 §4.1).
pub(crate) fn today(clock: &dyn Clock) -> Date {
    TimeZone::UTC.to_datetime(clock.now()).date()
}

fn session(applied: Applied, day: Date) -> Option<TlsSession> {
    // §4.4: in A-labels.
    let domain = idna::domain_to_ascii(&applied.domain).ok()?;
    if domain.is_empty() {
        return None;
    }
    let (kind, lines, mx) = match applied.policy {
        // Deviation: RFC 8460 §1.1 has the TLSA base domain, a host of whoever runs the server, for
        // the policy domain of DANE. Others report to the recipients' domain, whose owner chose that
        // server, and name the host in `mx-host`; so do we.
        AppliedPolicy::Dane { name, records } => {
            (PolicyKind::Tlsa, records, vec![base(&name).to_owned()])
        }
        AppliedPolicy::Sts(facts) => (PolicyKind::Sts, facts.lines, facts.mx),
        AppliedPolicy::None => (PolicyKind::None, Vec::new(), Vec::new()),
    };
    Some(TlsSession {
        day,
        policy: Policy {
            kind,
            lines: bounded(lines),
            domain,
            mx: bounded(mx),
        },
        failure: applied
            .outcome
            .err()
            .map(|shortfall| failure(shortfall, applied.server)),
    })
}

/// The host of `_25._tcp.mx.example.org`.
fn base(name: &str) -> &str {
    let mut rest = name;
    while rest.starts_with('_')
        && let Some((_, after)) = rest.split_once('.')
    {
        rest = after;
    }
    rest.trim_end_matches('.')
}

fn failure(shortfall: Shortfall, server: Option<Server>) -> FailureDetail {
    let detail = FailureDetail {
        result: ResultType::parse(shortfall.result.as_str()),
        reason: Some(short(&shortfall.reason)).filter(|reason| !reason.is_empty()),
        ..FailureDetail::default()
    };
    let Some(server) = server else {
        return detail;
    };
    FailureDetail {
        sending_ip: server.from.as_deref().and_then(ip),
        mx: Some(server.host),
        receiving_ip: ip(&server.address),
        ..detail
    }
}

/// An address without a port.
fn ip(text: &str) -> Option<String> {
    let with_port = text.parse().map(|at: SocketAddr| at.ip());
    let address: IpAddr = with_port.or_else(|_| text.parse()).ok()?;
    Some(address.to_canonical().to_string())
}

/// The first lines, as many as there is room for.
fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let mut room = POLICY;
    let first_beyond = lines.iter().position(|line| {
        let left = room.checked_sub(line.len());
        room = left.unwrap_or_default();
        left.is_none()
    });
    if let Some(beyond) = first_beyond {
        lines.truncate(beyond);
    }
    lines
}

fn short(reason: &str) -> String {
    let plain = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(REASON).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
