//! A visit to one server: connection, greeting, encryption, what it announces, and what was wished for.

use callout::{Ended, NotReady, Talk, greet, hello, would_take};
use diagnosis::facts::{BreakKind, Circumstances, ConnectError};
use diagnosis::finding::{Bearing, Conclusion, Fact, Finding};
use diagnosis::{Cause, Failure, FailureKind, Outcome, diagnose};
use smtp::{Address, Extensions, Reply, Severity, Stage};
use world::{Net, Peer};

use crate::announced::announced;
use crate::large;
use crate::secure::{Tried, Trying};
use crate::settings::Settings;

/// What is asked of the servers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish<'a> {
    /// Try encryption.
    pub(crate) encrypt: Option<Trying<'a>>,
    /// Try whether packets of full size get through.
    pub(crate) large: bool,
    /// Ask whether this address would be taken.
    pub(crate) probe: Option<&'a Address>,
    /// The size of a message that is to go there.
    pub(crate) message_size: Option<u64>,
}

/// Whom to visit, and how.
pub(crate) struct Visit<'a> {
    pub(crate) host: &'a str,
    pub(crate) peer: &'a Peer,
    /// What findings are about.
    pub(crate) subject: String,
    pub(crate) lmtp: bool,
    /// TLS begins with the first byte.
    pub(crate) implicit: bool,
    pub(crate) wish: Wish<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) net: &'a dyn Net,
}

/// What came of a visit.
pub(crate) struct Visited {
    /// Whether the server talks with us.
    pub(crate) reached: bool,
    pub(crate) findings: Vec<Finding>,
}

/// A server that talks with us.
struct Begun {
    talk: Talk,
    extensions: Extensions,
    findings: Vec<Finding>,
}

impl Visit<'_> {
    pub(crate) async fn make(self) -> Visited {
        let begun = match self.begin().await {
            Ok(begun) => begun,
            Err(finding) => {
                return Visited {
                    reached: false,
                    findings: vec![finding],
                };
            }
        };
        let Begun {
            talk,
            mut extensions,
            mut findings,
        } = begun;
        let (talk, of_tls) = self.encrypt(talk, &mut extensions).await;
        announced(
            &self.subject,
            &extensions,
            &self.wish,
            self.implicit,
            &mut findings,
        );
        findings.extend(of_tls);
        if let Some(mut talk) = talk {
            if let Some(address) = self.wish.probe {
                findings.push(probe(&mut talk, &extensions, &self.subject, address).await);
            }
            if self.wish.large {
                findings.extend(large::check(&mut talk, &self.subject).await);
            }
            talk.quit().await;
        }
        Visited {
            reached: true,
            findings,
        }
    }

    /// Connects and greets.
    async fn begin(&self) -> Result<Begun, Finding> {
        let subject = self.subject.as_str();
        let (connecting, patience) = (self.settings.connect_timeout, self.settings.reply_timeout);
        let opened = Talk::open(self.net, self.host, self.peer, connecting, patience).await;
        let mut talk = opened.map_err(|failed| {
            let finding = Finding::new(of_connect(failed.error), subject);
            finding.facts(vec![Fact::NotConnected(failed)])
        })?;
        let mut of_tls = Vec::new();
        if self.implicit
            && let Some(trying) = self.wish.encrypt
        {
            match trying.shake(&mut talk, self.host, subject).await {
                Tried::Secured(findings) => of_tls = findings,
                Tried::Refused(finding) | Tried::Gone(finding) => return Err(finding),
            }
        }
        let hello = match greet(&mut talk, self.lmtp, &self.settings.hostname).await {
            Ok(hello) => hello,
            Err(refused) => {
                if matches!(refused, NotReady::Refused(..)) {
                    talk.quit().await;
                }
                return Err(of_refusal(refused, subject, talk.facts));
            }
        };
        let extensions = Extensions::of(&hello);
        let greeting = banner(&talk.facts);
        let finding = Finding::new(Conclusion::ServerAnswers, subject).object(greeting);
        let mut findings = vec![finding.facts(std::mem::take(&mut talk.facts))];
        findings.extend(of_tls);
        Ok(Begun {
            talk,
            extensions,
            findings,
        })
    }

    /// STARTTLS, where it is wished for and announced; what the server announces under TLS counts.
    async fn encrypt(
        &self,
        mut talk: Talk,
        extensions: &mut Extensions,
    ) -> (Option<Talk>, Vec<Finding>) {
        // Under TLS it is not announced (RFC 3207 §4.2).
        let Some(trying) = self.wish.encrypt.filter(|_| !self.implicit) else {
            return (Some(talk), Vec::new());
        };
        let unencrypted = || trying.unencrypted(&self.subject);
        if !extensions.starttls {
            return (Some(talk), unencrypted());
        }
        let tried = trying.start_tls(&mut talk, self.host, &self.subject).await;
        let mut findings = match tried {
            Tried::Refused(finding) => return (Some(talk), with(finding, unencrypted())),
            Tried::Gone(finding) => {
                return (self.once_more().await, with(finding, unencrypted()));
            }
            Tried::Secured(findings) => findings,
        };
        // RFC 3207 §4.2: what was known is forgotten.
        let said = hello(&mut talk, self.lmtp, &self.settings.hostname).await;
        let facts = std::mem::take(&mut talk.facts);
        match said {
            Ok(reply) => {
                *extensions = Extensions::of(&reply);
                extensions.starttls = true;
                (Some(talk), findings)
            }
            Err(_) => {
                findings.push(trying.broke(&self.subject, facts));
                (self.once_more().await, findings)
            }
        }
    }

    /// Another connection, in the clear, where there is something left to ask.
    async fn once_more(&self) -> Option<Talk> {
        let asks = self.wish.probe.is_some() || self.wish.large;
        let begun = self.begin().await.ok().filter(|_| asks && !self.implicit);
        begun.map(|begun| begun.talk)
    }
}

fn with(first: Finding, rest: Vec<Finding>) -> Vec<Finding> {
    std::iter::once(first).chain(rest).collect()
}

fn of_connect(error: ConnectError) -> Conclusion {
    match error {
        ConnectError::Refused => Conclusion::ConnectionRefused,
        ConnectError::TimedOut => Conclusion::ConnectionSilent,
        ConnectError::Unreachable => Conclusion::NetworkUnreachable,
        ConnectError::Reset => Conclusion::ConnectionReset,
        // A check tries each address by itself: none is given up for another.
        ConnectError::Outrun => Conclusion::ConnectionSilent,
        ConnectError::Local { .. } => Conclusion::ConnectionLocal,
    }
}

/// What the server said first.
fn banner(facts: &[Fact]) -> String {
    let said = facts.iter().find_map(|fact| match fact {
        Fact::Said { reply, .. } => Some(reply.text()),
        _ => None,
    });
    said.unwrap_or_default()
}

fn of_refusal(refused: NotReady, subject: &str, facts: Vec<Fact>) -> Finding {
    let finding = match refused {
        NotReady::Refused(Stage::Greeting, reply) => {
            refusal(Conclusion::GreetingRefused, subject, Stage::Greeting, reply)
        }
        NotReady::Refused(stage, reply) => refusal(Conclusion::HelloRefused, subject, stage, reply),
        NotReady::Ended(_, Ended::NotSmtp) => Finding::new(Conclusion::NotSmtp, subject),
        NotReady::Ended(_, Ended::Broke(BreakKind::TimedOut)) => {
            Finding::new(Conclusion::ServerSilent, subject)
        }
        NotReady::Ended(_, Ended::Broke(BreakKind::Closed | BreakKind::Reset)) => {
            Finding::new(Conclusion::ServerDrops, subject)
        }
    };
    finding.facts(facts)
}

/// A refusal with what it means.
fn refusal(conclusion: Conclusion, subject: &str, stage: Stage, reply: Reply) -> Finding {
    let finding = Finding::new(conclusion, subject).object(reply.text());
    let kind = FailureKind::Replied(reply);
    let outcome = Outcome::Failed(Failure { stage, kind });
    match diagnose(&outcome, &Circumstances::default()) {
        Some(diagnosis) if diagnosis.cause != Cause::CannotTell => {
            finding.bearing(Bearing::Supports(diagnosis.cause))
        }
        _ => finding,
    }
}

/// Whether the server would take the address: MAIL FROM:<>, RCPT, RSET. Nothing is sent.
async fn probe(
    talk: &mut Talk,
    extensions: &Extensions,
    subject: &str,
    address: &Address,
) -> Finding {
    let subject = format!("{} ({subject})", address.as_str());
    let finding = match would_take(talk, extensions, &Address::null(), address).await {
        Err(_) => {
            let broke = Finding::new(Conclusion::ProbeBroke, subject);
            return broke.facts(std::mem::take(&mut talk.facts));
        }
        Ok((Stage::Rcpt, reply)) if reply.severity() == Severity::Completion => {
            Finding::new(Conclusion::RecipientTaken, subject).object(reply.text())
        }
        Ok((stage @ Stage::Rcpt, reply)) => {
            refusal(Conclusion::RecipientRefused, &subject, stage, reply)
        }
        Ok((stage, reply)) => refusal(Conclusion::ProbeRefused, &subject, stage, reply),
    };
    // The talk ends here in any case.
    let _ = talk.say(Stage::Reset, Some("RSET")).await;
    finding.facts(std::mem::take(&mut talk.facts))
}
