//! What a check found: the conclusion, and the evidence for it as typed facts.
//!
//! `checks` makes findings, `explain` puts them into words, the queue keeps them with an attempt.

mod fact;

use serde::{Deserialize, Serialize};

use crate::{Cause, Check, Remedy};

pub use fact::{Answer, Counted, Defect, Fact, SpfOutcome};

/// One thing that was found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// What was found.
    pub conclusion: Conclusion,
    /// What it is worth here: mostly [`Conclusion::verdict`], at times milder.
    pub verdict: Verdict,
    /// What it is about: a domain, a host with its address, an address, a selector.
    pub subject: String,
    /// The other thing that the conclusion speaks of: a name, a list, a number.
    #[serde(default)]
    pub object: Option<String>,
    /// The evidence, in the order in which it was seen.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Which cause it speaks for or against.
    #[serde(default)]
    pub bearing: Option<Bearing>,
    /// What would mend it.
    #[serde(default)]
    pub remedies: Vec<Remedy>,
}

/// Whether something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing is wrong here.
    Fine,
    /// It could not be found out.
    CannotTell,
    /// Not as it should be, and mail may still get through.
    Warning,
    /// This keeps mail from getting through, or may.
    Problem,
}

impl Verdict {
    /// The name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Fine => "fine",
            Verdict::CannotTell => "cannot-tell",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
        }
    }
}

/// What a finding says about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// It speaks for it.
    Supports(Cause),
    /// With this, it is not that.
    RulesOut(Cause),
}

macro_rules! conclusions {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal: $check:ident, $verdict:ident
        $(, supports $cause:ident)? $(, rules_out $other:ident)?;)+) => {
        /// What was found out. The id is stable: scripts rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Conclusion { $($(#[doc = $doc])+ $name,)+ }

        impl Conclusion {
            /// All of them, by check.
            pub const ALL: &'static [Conclusion] = &[$(Conclusion::$name,)+];

            /// The stable id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Conclusion::$name => $id,)+ }
            }

            /// The conclusion with this id.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Conclusion> {
                match id { $($id => Some(Conclusion::$name),)+ _ => None }
            }

            /// The check that comes to it.
            #[must_use]
            pub const fn check(self) -> Check {
                match self { $(Conclusion::$name => Check::$check,)+ }
            }

            /// Whether something is wrong.
            #[must_use]
            pub const fn verdict(self) -> Verdict {
                match self { $(Conclusion::$name => Verdict::$verdict,)+ }
            }

            /// Which cause it speaks for or against by itself.
            #[must_use]
            pub fn bearing(self) -> Option<Bearing> {
                match self {
                    $(Conclusion::$name => {
                        let bearing: Option<Bearing> = None;
                        $(let bearing = bearing.or(Some(Bearing::Supports(Cause::$cause)));)?
                        $(let bearing = bearing.or(Some(Bearing::RulesOut(Cause::$other)));)?
                        bearing
                    })+
                }
            }
        }
    };
}

conclusions! {
    /// A route of ours leads there.
    RouteConfigured = "route-configured": OwnRoutes, Fine;
    /// The way leads to at least one server.
    RouteFound = "route-found": OwnRoutes, Fine, rules_out RouteMissing;
    /// The mail stays on this machine.
    RouteToMaildir = "route-to-maildir": OwnRoutes, Fine;
    /// The mail goes to a program on this machine.
    RouteToProgram = "route-to-program": OwnRoutes, Fine;
    /// The address has no domain and no route takes it.
    RouteMissing = "route-missing": OwnRoutes, Problem, supports RouteMissing;
    /// The best mail server of the domain is this relay.
    RouteToSelf = "route-to-self": OwnRoutes, Problem, supports RouteToSelf;
    /// The host of a configured route has no address.
    RouteHostUnknown = "route-host-unknown": OwnRoutes, Problem, supports RouteMissing;
    /// Something outside answers: the line works.
    LineWorks = "line-works": OwnRoutes, Fine, rules_out OurLineDown;
    /// The name servers that we ask cannot be reached or are silent.
    LineDown = "line-down": OwnRoutes, Problem, supports OurLineDown;
    /// Unrelated destinations fail to connect at the same time: it is our line.
    DestinationsFailAlike = "destinations-fail-alike": OwnRoutes, Problem, supports OurLineDown;
    /// Other destinations take mail or fail otherwise: it is not our line.
    DestinationsDiffer = "destinations-differ": OwnRoutes, Fine, rules_out OurLineDown;
    /// The domain names mail servers, and they have addresses.
    DomainHasServers = "domain-has-servers": DnsOfDomain, Fine, rules_out NoMailServer;
    /// No MX record: the domain's own address takes its mail.
    DomainIsItsServer = "domain-is-its-server": DnsOfDomain, Fine, rules_out NoMailServer;
    /// The domain is an address: nothing to look up.
    DomainIsAddress = "domain-is-address": DnsOfDomain, Fine;
    /// The domain does not exist.
    DomainUnknown = "domain-unknown": DnsOfDomain, Problem, supports DomainUnknown;
    /// The domain says that it takes no mail (RFC 7505).
    DomainTakesNoMail = "domain-takes-no-mail": DnsOfDomain, Problem, supports DomainTakesNoMail;
    /// The domain has neither MX nor address.
    DomainHasNoServer = "domain-has-no-server": DnsOfDomain, Problem, supports NoMailServer;
    /// None of the mail servers has an address.
    ServersHaveNoAddress = "servers-have-no-address": DnsOfDomain, Problem, supports NoMailServer;
    /// One of several mail servers has no address.
    ServerHasNoAddress = "server-has-no-address": DnsOfDomain, Warning, supports MxBroken;
    /// A null MX stands beside real ones.
    NullMxBesideOthers = "null-mx-beside-others": DnsOfDomain, Warning, supports MxBroken;
    /// An MX names an alias (RFC 2181 §10.3).
    MxIsAlias = "mx-is-alias": DnsOfDomain, Warning, supports MxBroken;
    /// An MX names an address in place of a host.
    MxIsAddress = "mx-is-address": DnsOfDomain, Problem, supports MxBroken;
    /// An MX names the machine that asks.
    MxIsLocalhost = "mx-is-localhost": DnsOfDomain, Problem, supports MxBroken;
    /// A mail server has only addresses that others cannot reach.
    MxNotPublic = "mx-not-public": DnsOfDomain, Warning, supports MxBroken;
    /// The name server says that it failed.
    DnsFails = "dns-fails": DnsOfDomain, Problem, supports DnsFailing;
    /// The name server refuses the question.
    DnsRefuses = "dns-refuses": DnsOfDomain, Problem, supports DnsFailing;
    /// No answer came in time.
    DnsSilent = "dns-silent": DnsOfDomain, CannotTell, supports DnsFailing;
    /// The name server cannot be reached.
    DnsUnreachable = "dns-unreachable": DnsOfDomain, CannotTell, supports OurLineDown;
    /// What came back is no answer.
    DnsUnclear = "dns-unclear": DnsOfDomain, CannotTell, supports DnsFailing;
    /// A server's certificate is published in the signed DNS (RFC 7672).
    DaneFound = "dane-found": DnsOfDomain, Fine;
    /// None of the TLSA records of a server can be used.
    DaneUnusable = "dane-unusable": DnsOfDomain, Warning;
    /// Whether a server has TLSA records cannot be found out.
    DaneUnanswered = "dane-unanswered": DnsOfDomain, Problem, supports TlsDane;
    /// DANE does not apply to any server.
    DaneNone = "dane-none": DnsOfDomain, Fine, rules_out TlsDane;
    /// No resolver's word on DNSSEC is taken.
    DaneNotAsked = "dane-not-asked": DnsOfDomain, CannotTell;
    /// The domain has a policy of MTA-STS (RFC 8461).
    MtaStsFound = "mta-sts-found": DnsOfDomain, Fine;
    /// The domain has none.
    MtaStsNone = "mta-sts-none": DnsOfDomain, Fine, rules_out TlsMtaSts;
    /// The domain announces a policy that cannot be had.
    MtaStsUnavailable = "mta-sts-unavailable": DnsOfDomain, Warning;
    /// The policy does not name a server of the domain.
    MtaStsOmits = "mta-sts-omits": DnsOfDomain, Problem, supports TlsMtaSts;
    /// The server takes connections and greets.
    ServerAnswers = "server-answers": TcpAndBanner, Fine, rules_out ConnectionTimeout;
    /// Nothing listens there.
    ConnectionRefused = "connection-refused": TcpAndBanner, Problem, supports ConnectionRefused;
    /// No answer to the connection.
    ConnectionSilent = "connection-silent": TcpAndBanner, Problem, supports ConnectionTimeout;
    /// There is no way there.
    NetworkUnreachable = "network-unreachable": TcpAndBanner, Problem, supports NetworkUnreachable;
    /// The connection was reset while it was made.
    ConnectionReset = "connection-reset": TcpAndBanner, Problem, supports ConnectionDropped;
    /// This machine could not make the connection.
    ConnectionLocal = "connection-local": TcpAndBanner, CannotTell, supports LocalFailure;
    /// The server greets with a refusal.
    GreetingRefused = "greeting-refused": TcpAndBanner, Problem;
    /// The server refuses our name.
    HelloRefused = "hello-refused": TcpAndBanner, Problem;
    /// The server closes without a word.
    ServerDrops = "server-drops": TcpAndBanner, Problem, supports ConnectionDropped;
    /// The server takes the connection and says nothing.
    ServerSilent = "server-silent": TcpAndBanner, Problem, supports ConnectionTimeout;
    /// What answers does not speak SMTP.
    NotSmtp = "not-smtp": TcpAndBanner, Problem, supports NotSmtp;
    /// No address of any server takes mail.
    NoServerReached = "no-server-reached": TcpAndBanner, Problem, supports ConnectionTimeout;
    /// The server says yes to the address.
    RecipientTaken = "recipient-taken": TcpAndBanner, Fine, rules_out MailboxUnknown;
    /// The server says no to the address.
    RecipientRefused = "recipient-refused": TcpAndBanner, Problem;
    /// The server says no before the address could be asked for.
    ProbeRefused = "probe-refused": TcpAndBanner, CannotTell;
    /// The talk broke before the answer.
    ProbeBroke = "probe-broke": TcpAndBanner, CannotTell;
    /// What the server can do.
    ExtensionsAnnounced = "extensions-announced": ExtensionsAnnounced, Fine;
    /// The server knows no extensions.
    NoExtensions = "no-extensions": ExtensionsAnnounced, Warning, supports ServerFeatureMissing;
    /// The server takes 7-bit content only.
    NoEightBit = "no-eight-bit": ExtensionsAnnounced, Warning, supports ContentConversion;
    /// STARTTLS is announced.
    TlsAnnounced = "tls-announced": ExtensionsAnnounced, Fine;
    /// STARTTLS is not announced.
    TlsNotAnnounced = "tls-not-announced": ExtensionsAnnounced, Warning;
    /// Encryption works.
    TlsWorks = "tls-works": StartTls, Fine, rules_out TlsFailed;
    /// The server announces STARTTLS and refuses it.
    TlsRefused = "tls-refused": StartTls, Warning, supports TlsFailed;
    /// The handshake fails.
    TlsHandshakeFails = "tls-handshake-fails": StartTls, Warning, supports TlsFailed;
    /// The handshake succeeds, and then the server does not answer under TLS.
    TlsBreaks = "tls-breaks": StartTls, Warning, supports TlsFailed;
    /// The certificate would satisfy those who demand one.
    CertificateGood = "certificate-good": StartTls, Fine, rules_out TlsCertificate;
    /// The certificate ends within two weeks.
    CertificateEndsSoon = "certificate-ends-soon": StartTls, Warning;
    /// The certificate's time is over.
    CertificateExpired = "certificate-expired": StartTls, Warning, supports TlsCertificate;
    /// The certificate's time has not come.
    CertificateNotYetValid = "certificate-not-yet-valid": StartTls, Warning, supports TlsCertificate;
    /// The certificate is for other names.
    CertificateOtherName = "certificate-other-name": StartTls, Warning, supports TlsCertificate;
    /// The certificate vouches for itself.
    CertificateSelfSigned = "certificate-self-signed": StartTls, Warning, supports TlsCertificate;
    /// No authority that we trust vouches for the certificate.
    CertificateUnknownIssuer = "certificate-unknown-issuer": StartTls, Warning, supports TlsCertificate;
    /// The certificate cannot be used.
    CertificateUnusable = "certificate-unusable": StartTls, Warning, supports TlsCertificate;
    /// The certificate is as the signed DNS says.
    DaneMet = "dane-met": StartTls, Fine, rules_out TlsDane;
    /// The certificate fits none of the TLSA records.
    DaneNotMet = "dane-not-met": StartTls, Problem, supports TlsDane;
    /// An authority of the TLSA records vouches for the certificate, which is not valid all the same.
    DaneChainInvalid = "dane-chain-invalid": StartTls, Problem, supports TlsDane;
    /// There are TLSA records, and no encryption.
    DaneUnencrypted = "dane-unencrypted": StartTls, Problem, supports TlsDane;
    /// The server is as the policy of MTA-STS demands.
    MtaStsMet = "mta-sts-met": StartTls, Fine, rules_out TlsMtaSts;
    /// The certificate is not as the policy of MTA-STS demands.
    MtaStsCertificate = "mta-sts-certificate": StartTls, Problem, supports TlsMtaSts;
    /// There is a policy of MTA-STS, and no encryption.
    MtaStsUnencrypted = "mta-sts-unencrypted": StartTls, Problem, supports TlsMtaSts;
    /// The relay goes by the TLSA records.
    GoesByDane = "goes-by-dane": StartTls, Fine;
    /// The relay goes by the policy of MTA-STS.
    GoesByMtaSts = "goes-by-mta-sts": StartTls, Fine;
    /// The policy of MTA-STS wants nothing held back.
    GoesByTesting = "goes-by-testing": StartTls, Fine;
    /// The relay goes by its own configuration, and not by what is published.
    GoesByOurConfiguration = "goes-by-our-configuration": StartTls, Fine;
    /// A line as large as the largest packet was answered, like small ones.
    LargeGetsThrough = "large-gets-through": PathMtu, Fine;
    /// Small lines are answered, and one as large as the largest packet is not.
    LargeGetsLost = "large-gets-lost": PathMtu, Problem, supports ConnectionDropped;
    /// The largest message that the server takes.
    SizeAnnounced = "size-announced": SizeAnnounced, Fine;
    /// The server names no limit.
    SizeUnlimited = "size-unlimited": SizeAnnounced, Fine, rules_out MessageTooLarge;
    /// The message is smaller than the limit.
    MessageFits = "message-fits": SizeAnnounced, Fine, rules_out MessageTooLarge;
    /// The message is larger than the limit.
    MessageTooLarge = "message-too-large": SizeAnnounced, Problem, supports MessageTooLarge;
    /// How many recipients and messages the server takes at a time.
    LimitsAnnounced = "limits-announced": LimitsAnnounced, Fine;
    /// The server names no such limits.
    NoLimitsAnnounced = "no-limits-announced": LimitsAnnounced, Fine;
    /// Our address is a private one: the world sees another.
    OurAddressPrivate = "our-address-private": OurPtr, CannotTell;
    /// No address of ours leads there.
    OurAddressUnknown = "our-address-unknown": OurPtr, CannotTell;
    /// Our address has a name that leads back to it.
    PtrConfirmed = "ptr-confirmed": OurPtr, Fine, rules_out IdentityNoPtr;
    /// Our address has no name.
    PtrMissing = "ptr-missing": OurPtr, Problem, supports IdentityNoPtr;
    /// The name of our address does not lead back to it.
    PtrLeadsElsewhere = "ptr-leads-elsewhere": OurPtr, Problem, supports IdentityNoPtr;
    /// The question for the name of our address has no answer.
    PtrUnanswered = "ptr-unanswered": OurPtr, CannotTell, supports DnsFailing;
    /// The name by which we introduce ourselves leads to our address.
    HeloResolves = "helo-resolves": OurHelo, Fine, rules_out IdentityHelo;
    /// Our name leads to other addresses.
    HeloLeadsElsewhere = "helo-leads-elsewhere": OurHelo, Problem, supports IdentityHelo;
    /// Our name has no address.
    HeloUnknown = "helo-unknown": OurHelo, Problem, supports IdentityHelo;
    /// Our name is no full host name.
    HeloNotAName = "helo-not-a-name": OurHelo, Problem, supports IdentityHelo;
    /// Our name has addresses; ours as the world sees it is not known.
    HeloNotCompared = "helo-not-compared": OurHelo, CannotTell;
    /// The question for our name has no answer.
    HeloUnanswered = "helo-unanswered": OurHelo, CannotTell, supports DnsFailing;
    /// Answers to the sender's domain have somewhere to go.
    SenderDomainReachable = "sender-domain-reachable": SenderIdentity, Fine, rules_out SenderDomainUnknown;
    /// The sender's domain does not exist, or has no mail server.
    SenderDomainUnknown = "sender-domain-unknown": SenderIdentity, Problem, supports SenderDomainUnknown;
    /// The sender's domain says that it takes no mail.
    SenderTakesNoMail = "sender-takes-no-mail": SenderIdentity, Problem, supports SenderNullMx;
    /// The DNS of the sender's domain does not answer.
    SenderUnanswered = "sender-unanswered": SenderIdentity, CannotTell, supports DnsFailing;
    /// SPF: our address may send for the domain.
    SpfPass = "spf-pass": SenderIdentity, Fine, rules_out IdentitySpf;
    /// SPF: our address may not send for the domain.
    SpfFail = "spf-fail": SenderIdentity, Problem, supports IdentitySpf;
    /// SPF: our address probably may not send for the domain.
    SpfSoftFail = "spf-soft-fail": SenderIdentity, Problem, supports IdentitySpf;
    /// SPF: the domain says nothing about our address.
    SpfNeutral = "spf-neutral": SenderIdentity, Warning, supports IdentitySpf;
    /// SPF: the domain has no record.
    SpfNone = "spf-none": SenderIdentity, Warning, supports IdentityUnproven;
    /// SPF: the record cannot be used (permerror).
    SpfBroken = "spf-broken": SenderIdentity, Problem, supports IdentitySpf;
    /// SPF: a question on the way has no answer (temperror).
    SpfUnanswered = "spf-unanswered": SenderIdentity, CannotTell, supports DnsFailing;
    /// SPF: there is a record; our address as the world sees it is not known.
    SpfNotCompared = "spf-not-compared": SenderIdentity, CannotTell;
    /// DMARC: the domain has a policy.
    DmarcFound = "dmarc-found": SenderIdentity, Fine;
    /// DMARC: no policy.
    DmarcNone = "dmarc-none": SenderIdentity, Warning, supports IdentityUnproven;
    /// DMARC: the record cannot be used.
    DmarcBroken = "dmarc-broken": SenderIdentity, Problem, supports IdentityDmarc;
    /// DMARC: no answer.
    DmarcUnanswered = "dmarc-unanswered": SenderIdentity, CannotTell, supports DnsFailing;
    /// DKIM: the key is published.
    DkimKeyFound = "dkim-key-found": SenderIdentity, Fine;
    /// DKIM: no key for the selector.
    DkimKeyMissing = "dkim-key-missing": SenderIdentity, Problem, supports IdentityDkim;
    /// DKIM: the key is revoked.
    DkimKeyRevoked = "dkim-key-revoked": SenderIdentity, Problem, supports IdentityDkim;
    /// DKIM: the record cannot be used.
    DkimKeyBroken = "dkim-key-broken": SenderIdentity, Problem, supports IdentityDkim;
    /// DKIM: the key is too short to count (RFC 8301 §3.2).
    DkimKeyWeak = "dkim-key-weak": SenderIdentity, Problem, supports IdentityDkim;
    /// DKIM: no answer.
    DkimUnanswered = "dkim-unanswered": SenderIdentity, CannotTell, supports DnsFailing;
    /// Not on the list.
    NotListed = "not-listed": BlockLists, Fine, rules_out ReputationListed;
    /// Our address is on the list.
    AddressListed = "address-listed": BlockLists, Problem, supports ReputationListed;
    /// The sender's domain is on the list.
    DomainListed = "domain-listed": BlockLists, Problem, supports ReputationDomainListed;
    /// The list does not answer our name server.
    ListRefusesUs = "list-refuses-us": BlockLists, CannotTell;
    /// The list fails the test that every list must pass (RFC 5782 §5).
    ListBroken = "list-broken": BlockLists, CannotTell;
    /// The list does not answer.
    ListUnanswered = "list-unanswered": BlockLists, CannotTell;
    /// Our address as the world sees it is not known.
    ListsNotAsked = "lists-not-asked": BlockLists, CannotTell;
    /// No server comes back in the trail.
    TrailStraight = "trail-straight": ReceivedTrail, Fine, rules_out RouteLoop;
    /// A server comes back in the trail.
    TrailLoops = "trail-loops": ReceivedTrail, Problem, supports RouteLoop;
    /// The content is no longer kept.
    TrailGone = "trail-gone": ReceivedTrail, CannotTell;
    /// Nothing was tried yet.
    NoAttempts = "no-attempts": AttemptHistory, Fine;
    /// Every attempt failed for the same cause.
    AttemptsFailAlike = "attempts-fail-alike": AttemptHistory, Problem;
    /// The attempts failed for different causes.
    AttemptsDiffer = "attempts-differ": AttemptHistory, Warning;
    /// It was delivered.
    AttemptsEnded = "attempts-ended": AttemptHistory, Fine;
    /// The connection broke at the same place more than once.
    BreaksAtSamePoint = "breaks-at-same-point": AttemptHistory, Problem, supports ConnectionDropped;
    /// A connection fell silent while large packets were sent again and again for nothing.
    StalledWhileSending = "stalled-while-sending": AttemptHistory, Problem, supports ConnectionDropped;
    /// How much is under way to the destination.
    SendingNow = "sending-now": OwnConcurrency, Fine;
    /// This relay has filters that may have stopped it.
    OwnFilters = "own-filters": OwnFilter, CannotTell;
    /// This relay has no filter.
    NoOwnFilter = "no-own-filter": OwnFilter, Fine, rules_out OurFilter;
    /// The check did not end in its time.
    OutOfTime = "out-of-time": TcpAndBanner, CannotTell;
}

impl Serialize for Conclusion {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Conclusion {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let unknown = || serde::de::Error::custom(format!("`{id}` is no conclusion known here"));
        Conclusion::from_id(&id).ok_or_else(unknown)
    }
}

impl Finding {
    /// A finding with what follows from its conclusion.
    #[must_use]
    pub fn new(conclusion: Conclusion, subject: impl Into<String>) -> Finding {
        let finding = Finding {
            check: conclusion.check(),
            conclusion,
            verdict: conclusion.verdict(),
            subject: subject.into(),
            object: None,
            facts: Vec::new(),
            bearing: None,
            remedies: Vec::new(),
        };
        match conclusion.bearing() {
            Some(bearing) => finding.bearing(bearing),
            None => finding,
        }
    }

    /// Names the other thing that it speaks of.
    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Finding {
        self.object = Some(object.into());
        self
    }

    /// Adds evidence.
    #[must_use]
    pub fn facts(mut self, facts: Vec<Fact>) -> Finding {
        self.facts.extend(facts);
        self
    }

    /// What it is worth here.
    #[must_use]
    pub fn verdict(mut self, verdict: Verdict) -> Finding {
        self.verdict = verdict;
        self
    }

    /// Which cause it speaks for or against; what mends a cause that it speaks for is advised.
    #[must_use]
    pub fn bearing(mut self, bearing: Bearing) -> Finding {
        self.remedies = match bearing {
            Bearing::Supports(cause) => cause.remedies().to_vec(),
            Bearing::RulesOut(_) => Vec::new(),
        };
        self.bearing = Some(bearing);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_conclusion_has_an_id_of_its_own_that_reads_back() {
        let ids: BTreeSet<&str> = Conclusion::ALL.iter().map(|c| c.id()).collect();
        assert_eq!(ids.len(), Conclusion::ALL.len());
        for conclusion in Conclusion::ALL {
            assert_eq!(Conclusion::from_id(conclusion.id()), Some(*conclusion));
        }
    }

    #[test]
    fn every_check_comes_to_a_conclusion() {
        for check in Check::ALL {
            assert!(
                Conclusion::ALL.iter().any(|c| c.check() == *check),
                "{check:?}"
            );
        }
    }

    #[test]
    fn what_is_fine_never_speaks_for_a_cause() {
        for conclusion in Conclusion::ALL {
            let supports = matches!(conclusion.bearing(), Some(Bearing::Supports(_)));
            assert!(
                !(supports && conclusion.verdict() == Verdict::Fine),
                "{conclusion:?}"
            );
        }
    }

    #[test]
    fn a_finding_reads_back_from_its_record() {
        let finding = Finding::new(Conclusion::PtrMissing, "192.0.2.1").facts(vec![Fact::Asked {
            kind: "PTR".into(),
            name: "1.2.0.192.in-addr.arpa".into(),
            answer: Answer::NoSuchName,
            servers: vec!["127.0.0.1:53".into()],
            took_ms: 3,
        }]);
        let text = serde_json::to_string(&finding).unwrap();
        assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
        assert!(text.contains("\"identity.no-ptr\""), "{text}");
    }
}
