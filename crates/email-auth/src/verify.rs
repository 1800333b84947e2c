//! A message verified: its signatures, its sender, and what the domain in `From` asks for.

use std::net::IpAddr;

use dns::{AskError, RecordKind, Resolver};
use mail_auth::arc::Set;
use mail_auth::common::crypto::{HashAlgorithm, HashContext, HashImpl, Sha1, Sha256};
use mail_auth::common::headers::Writer;
use mail_auth::dkim::Canonicalization;
use mail_auth::dkim::canonicalize::BodyHasher;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, AuthenticationResults, DkimOutput, DkimResult, DmarcOutput, DmarcResult,
    MessageAuthenticator, Parameters, SpfOutput, SpfResult, dmarc,
};
use smtp::Address;

use crate::known::{Cache, Exists, Known};
use crate::spf::{self, Outcome, Plain};

/// Signatures that are looked at: a message can bring any number, and each costs a question and a
/// calculation.
const SIGNATURES: usize = 10;
/// Runs over what is known; each learns a name at least, and a walk up the tree of a domain is the
/// longest way to one (RFC 9989 §4.10: eight questions).
const RUNS: usize = 24;

/// What is verified, beside the content.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Our name, under which results are told.
    pub server: &'a str,
    /// The client.
    pub client: IpAddr,
    /// The name it gave at EHLO.
    pub helo: &'a str,
    /// The reverse-path.
    pub sender: &'a Address,
    /// The header with all its line ends, without the empty line.
    pub header: &'a [u8],
}

/// What one check says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to check.
    #[default]
    None,
    /// It is right.
    Pass,
    /// It is wrong.
    Fail,
    /// It says nothing.
    Neutral,
    /// It cannot be told now.
    TempError,
    /// It is broken.
    PermError,
}

/// What SPF says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spf {
    /// The outcome.
    pub outcome: Outcome,
    /// The domain that was asked.
    pub domain: String,
}

/// What a signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// Whether it holds.
    pub verdict: Verdict,
    /// The domain that signed; empty where the signature cannot be read.
    pub domain: String,
    /// The name of its key.
    pub selector: String,
}

/// What is to be done with mail that fails DMARC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    #[default]
    None,
    /// It is to be looked at with suspicion.
    Quarantine,
    /// It is to be refused.
    Reject,
}

/// What DMARC says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dmarc {
    /// Whether the domain in `From` vouches for the message.
    pub verdict: Verdict,
    /// That domain.
    pub domain: String,
    /// What it asks for.
    pub policy: Policy,
}

/// A link of an ARC chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Who sealed.
    pub domain: String,
    /// Whether it says that DMARC had passed when it had the message.
    pub dmarc_passed: bool,
}

/// What ARC says (RFC 8617).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arc {
    /// Whether the chain holds.
    pub verdict: Verdict,
    /// Its links, oldest first.
    pub seals: Vec<Seal>,
}

impl Arc {
    /// Whether sealers that are trusted say that DMARC had passed: one of them, and everybody who had
    /// the message after it is trusted too.
    #[must_use]
    pub fn vouched_by(&self, trusted: &[String]) -> bool {
        let is_trusted = |seal: &&Seal| {
            trusted
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&seal.domain))
        };
        let after = self.seals.iter().rev().take_while(is_trusted);
        self.verdict == Verdict::Pass && after.into_iter().any(|seal| seal.dmarc_passed)
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// For the reverse-path; for `<>`, the name at EHLO (RFC 7208 §2.4).
    pub spf: Spf,
    /// For each signature.
    pub dkim: Vec<Dkim>,
    /// For `From`.
    pub dmarc: Dmarc,
    /// For the chain.
    pub arc: Arc,
    /// All of it, as the value of `Authentication-Results`.
    pub results: String,
}

/// What keeps the verifier from being made.
#[derive(Debug, thiserror::Error)]
#[error("the verifier of signatures cannot be made: {0}")]
pub struct VerifyError(String);

/// Verifies messages.
#[derive(Clone)]
pub struct Verifier {
    authenticator: MessageAuthenticator,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// One that has no name servers of its own, and needs none.
    pub fn new() -> Result<Verifier, VerifyError> {
        let config = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        let authenticator = MessageAuthenticator::new(config, ResolverOpts::default())
            .map_err(|error| VerifyError(error.to_string()))?;
        Ok(Verifier { authenticator })
    }

    /// Verifies a message whose body has gone by the digest that its header asked for.
    ///
    /// Deviation: whether a signature has expired is told by the machine's clock, not by `world`'s.
    pub async fn verify(
        &self,
        input: Input<'_>,
        body: BodyDigest,
        resolver: &dyn Resolver,
    ) -> Verified {
        let spf = of_sender(&input, resolver).await;
        let raw = raw(input.header);
        let mut message = parsed(&raw);
        for (place, hashing) in message.body_hashes.iter_mut().zip(body.hashings) {
            place.3 = hashing.finish();
        }
        let output = spf_output(&spf);
        let mut known = Known::default();
        let mut runs = 0;
        loop {
            let verified = self.run(&input, &message, &spf, &output, &known).await;
            runs += 1;
            if runs > RUNS || !known.learn(resolver).await {
                return with_missing_subdomain(verified, resolver).await;
            }
        }
    }

    /// Verifies with what is known.
    async fn run(
        &self,
        input: &Input<'_>,
        message: &AuthenticatedMessage<'_>,
        spf: &Spf,
        spf_output: &SpfOutput,
        known: &Known,
    ) -> (Verified, Option<Policy>) {
        let cache = Cache(known);
        let parameters = || Parameters::new(message).with_txt_cache(&cache);
        let signatures = self.authenticator.verify_dkim(parameters()).await;
        let chain = self.authenticator.verify_arc(parameters()).await;
        let about = DmarcParameters {
            message,
            dkim_output: &signatures,
            dkim2_output: None,
            rfc5321_mail_from_domain: &spf.domain,
            spf_output,
        };
        let about = Parameters::new(about)
            .with_txt_cache(&cache)
            .with_ipv4_cache(&Exists);
        let policy = self.authenticator.verify_dmarc(about).await;
        let from = message.from.first().map(String::as_str).unwrap_or_default();
        let sender = match input.sender.is_null() {
            true => "",
            false => input.sender.as_str(),
        };
        let mut results = AuthenticationResults::new(input.server).with_spf_mailfrom_result(
            spf_output,
            input.client,
            sender,
            input.helo,
        );
        results = results.with_dkim_results(&signatures, from);
        if chain.result() != &DkimResult::None {
            results = results.with_arc_result(&chain, input.client);
        }
        let mut text = results.with_dmarc_result(&policy).to_string();
        if signatures.is_empty() {
            // RFC 8601 §2.7.1: none, the message was not signed.
            text.push_str(";\r\n\tdkim=none");
        }
        let verified = Verified {
            spf: spf.clone(),
            dkim: signatures.iter().map(signature).collect(),
            arc: Arc {
                verdict: verdict(chain.result()),
                seals: chain.sets().iter().map(seal).collect(),
            },
            results: text,
            dmarc: of_policy(&policy),
        };
        (verified, policy_of_missing(&policy))
    }
}

/// RFC 7208 §2.4: for `<>` the name at EHLO stands in, with the local part `postmaster`.
async fn of_sender(input: &Input<'_>, resolver: &dyn Resolver) -> Spf {
    let domain = input.sender.domain_lowercase().map(|d| d.into_owned());
    let (local, domain) = match domain {
        Some(domain) if !input.sender.is_null() => (input.sender.local(), domain),
        _ => ("postmaster", input.helo.to_ascii_lowercase()),
    };
    let witness = &mut Plain(resolver);
    let outcome = spf::evaluate(witness, input.client, &domain, local, input.helo).await;
    Spf { outcome, domain }
}

fn spf_output(spf: &Spf) -> SpfOutput {
    SpfOutput::new(spf.domain.clone()).with_result(match spf.outcome {
        Outcome::None => SpfResult::None,
        Outcome::Neutral => SpfResult::Neutral,
        Outcome::Pass => SpfResult::Pass,
        Outcome::Fail => SpfResult::Fail,
        Outcome::SoftFail => SpfResult::SoftFail,
        Outcome::TempError => SpfResult::TempError,
        Outcome::PermError => SpfResult::PermError,
    })
}

/// The header as `mail-auth` wants it: a message without a body.
fn raw(header: &[u8]) -> Vec<u8> {
    let mut raw = header.to_vec();
    raw.extend_from_slice(b"\r\n");
    raw
}

fn parsed(raw: &[u8]) -> AuthenticatedMessage<'_> {
    let mut message = AuthenticatedMessage::parse(raw).unwrap_or_default();
    message.dkim_headers.truncate(SIGNATURES);
    message
}

/// The hashes of a body that the signatures in a header ask for, as it goes by.
pub struct BodyDigest {
    hashings: Vec<Hashing>,
}

impl BodyDigest {
    /// The hashes that this header asks for; there are four at most: two ways to read a body, two
    /// algorithms.
    #[must_use]
    pub fn for_header(header: &[u8]) -> BodyDigest {
        let raw = raw(header);
        let message = parsed(&raw);
        let asked = message.body_hashes.iter();
        BodyDigest {
            hashings: asked
                .map(|(canonical, algorithm, limit, _)| {
                    Hashing::new(*canonical, *algorithm, *limit)
                })
                .collect(),
        }
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.hashings.is_empty()
    }

    /// The next piece of the body, which begins after the empty line.
    pub fn write(&mut self, piece: &[u8]) {
        for hashing in &mut self.hashings {
            hashing.write(piece);
        }
    }
}

enum Hashing {
    Sha1(BodyHasher<<Sha1 as HashImpl>::Context>),
    Sha256(BodyHasher<<Sha256 as HashImpl>::Context>),
}

impl Hashing {
    fn new(canonical: Canonicalization, algorithm: HashAlgorithm, limit: u64) -> Hashing {
        match algorithm {
            HashAlgorithm::Sha1 => Hashing::Sha1(BodyHasher::new(Sha1::hasher(), canonical, limit)),
            HashAlgorithm::Sha256 => {
                Hashing::Sha256(BodyHasher::new(Sha256::hasher(), canonical, limit))
            }
        }
    }

    fn write(&mut self, piece: &[u8]) {
        match self {
            Hashing::Sha1(hasher) => hasher.write(piece),
            Hashing::Sha256(hasher) => hasher.write(piece),
        }
    }

    fn finish(self) -> Vec<u8> {
        fn bytes<H: HashContext + Writer>(hasher: BodyHasher<H>) -> Vec<u8> {
            hasher.finish().0.complete().as_ref().to_vec()
        }
        match self {
            Hashing::Sha1(hasher) => bytes(hasher),
            Hashing::Sha256(hasher) => bytes(hasher),
        }
    }
}

fn signature(output: &DkimOutput<'_>) -> Dkim {
    let signature = output.signature();
    Dkim {
        verdict: verdict(output.result()),
        domain: signature.map(|s| s.d.clone()).unwrap_or_default(),
        selector: signature.map(|s| s.s.clone()).unwrap_or_default(),
    }
}

fn verdict(result: &DkimResult) -> Verdict {
    match result {
        DkimResult::Pass => Verdict::Pass,
        DkimResult::Neutral(_) => Verdict::Neutral,
        DkimResult::Fail(_) => Verdict::Fail,
        DkimResult::PermError(_) => Verdict::PermError,
        DkimResult::TempError(_) => Verdict::TempError,
        DkimResult::None => Verdict::None,
    }
}

fn seal(set: &Set<'_>) -> Seal {
    let results = String::from_utf8_lossy(set.results.value).to_ascii_lowercase();
    let mut claims = results.split(';').map(str::trim_start);
    Seal {
        domain: set.seal.header.d.clone(),
        dmarc_passed: claims.any(|claim| {
            let result = claim.strip_prefix("dmarc=pass");
            result.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        }),
    }
}

fn of_policy(output: &DmarcOutput) -> Dmarc {
    Dmarc {
        verdict: match output.result() {
            DmarcResult::Pass => Verdict::Pass,
            DmarcResult::Fail(_) => Verdict::Fail,
            DmarcResult::TempError(_) => Verdict::TempError,
            DmarcResult::PermError(_) => Verdict::PermError,
            DmarcResult::None => Verdict::None,
        },
        domain: output.domain().to_owned(),
        policy: policy(output.policy()),
    }
}

fn policy(policy: dmarc::Policy) -> Policy {
    match policy {
        dmarc::Policy::Reject => Policy::Reject,
        dmarc::Policy::Quarantine => Policy::Quarantine,
        dmarc::Policy::None | dmarc::Policy::Unspecified => Policy::None,
    }
}

/// What the domain above asks for where the domain in `From` does not exist (RFC 9989 §4.10.1: `np`),
/// if that differs.
fn policy_of_missing(output: &DmarcOutput) -> Option<Policy> {
    let record = output.dmarc_record()?;
    let np = policy(record.np);
    (np != policy(output.policy()) && np != policy(record.p)).then_some(np)
}

async fn with_missing_subdomain(
    (mut verified, missing): (Verified, Option<Policy>),
    resolver: &dyn Resolver,
) -> Verified {
    if let Some(np) = missing {
        let exists = resolver.ask(&verified.dmarc.domain, RecordKind::A).await;
        if matches!(exists, Err(AskError::NoSuchName)) {
            verified.dmarc.policy = np;
        }
    }
    verified
}
