//! SPF, DKIM, DMARC and ARC as a filter: what was found goes into the header, and what the domain in
//! `From` asks for is done where the administrator wants that.

use std::sync::Arc;

use async_trait::async_trait;
use dns::Resolver;
use email_auth::{BodyDigest, Input, Policy, Verdict as Checked, Verified, Verifier};
use screening::{
    Answer, Conversation, Edit, Failure, Field, Filter, Message, Moment, Reason, Stage, Verdict,
};

/// What is done about mail that is not from whom it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforce {
    /// It is noted in the header.
    #[default]
    Nothing,
    /// It is refused where its domain asks for that (DMARC, `p=reject`).
    Dmarc,
}

/// Verifies each message.
#[derive(Clone)]
pub struct Authentication {
    /// Who calculates.
    pub verifier: Verifier,
    /// Who answers.
    pub resolver: Arc<dyn Resolver>,
    /// Our name in the field (RFC 8601 §2.5).
    pub server: String,
    /// What is done about mail that fails.
    pub enforce: Enforce,
    /// Whether mail whose domain asks for suspicion (`p=quarantine`) is held, where it is enforced.
    pub hold_quarantine: bool,
    /// Whether mail is refused when SPF alone says so, and DMARC says nothing.
    pub refuse_spf_fail: bool,
    /// Whose word counts that mail was right before they changed it (ARC, RFC 8617).
    pub trusted_sealers: Vec<String>,
}

impl Filter for Authentication {
    fn attends(&self, stage: Stage) -> bool {
        stage == Stage::Content
    }

    // Other filters see the field, and none that is forged.
    fn changes(&self) -> bool {
        true
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Conversation for Authentication {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        let (Some(message), Some(envelope)) = (moment.message, moment.envelope) else {
            return Ok(Answer::pass());
        };
        let fields = message.header().fields().iter();
        let header: Vec<u8> = fields
            .flat_map(|field| field.raw().iter().copied())
            .collect();
        let mut digest = BodyDigest::for_header(&header);
        if digest.is_wanted() {
            let mut pieces = message.body();
            while let Some(piece) = pieces.next().await? {
                digest.write(&piece);
            }
        }
        let input = Input {
            server: &self.server,
            client: moment.client.address.ip(),
            helo: moment.client.helo.as_deref().unwrap_or_default(),
            sender: &envelope.sender,
            header: &header,
        };
        let verified = self.verifier.verify(input, digest, &*self.resolver).await;
        tracing::info!(
            id = envelope.id.map(tracing::field::display),
            client = %moment.client.address.ip(),
            sender = %envelope.sender,
            spf = ?verified.spf.outcome,
            dkim = ?verified.dkim,
            dmarc = ?verified.dmarc.verdict,
            from = verified.dmarc.domain,
            policy = ?verified.dmarc.policy,
            arc = ?verified.arc.verdict,
            "authenticated"
        );
        let mut edits = self.forged(message);
        edits
            .extend(Field::new(email_auth::RESULTS, &verified.results).map(|f| Edit::Insert(0, f)));
        Ok(Answer {
            verdict: self.verdict(&verified, moment),
            edits,
        })
    }
}

impl Authentication {
    /// RFC 8601 §5: fields that come from outside and claim to be ours, from the last to the first, so
    /// that each keeps its number.
    fn forged(&self, message: &Message) -> Vec<Edit> {
        let results = message.header().fields().iter();
        let results = results.filter(|field| field.is(email_auth::RESULTS));
        let mut forged: Vec<Edit> = results
            .enumerate()
            .filter(|(_, field)| email_auth::claims_to_be_from(field.value(), &self.server))
            .map(|(place, _)| Edit::Change {
                name: email_auth::RESULTS.to_owned(),
                nth: place + 1,
                to: None,
            })
            .collect();
        forged.reverse();
        forged
    }

    fn verdict(&self, verified: &Verified, moment: &Moment<'_>) -> Verdict {
        let domain = || verified.dmarc.domain.clone();
        let trusted = verified.arc.vouched_by(&self.trusted_sealers);
        let enforced = self.enforce == Enforce::Dmarc && verified.dmarc.policy != Policy::None;
        match verified.dmarc.verdict {
            Checked::Fail if enforced && !trusted => match verified.dmarc.policy {
                Policy::Reject => {
                    return Verdict::Reject(Reason::Dmarc { domain: domain() }.into());
                }
                Policy::Quarantine if self.hold_quarantine => {
                    return Verdict::Hold(Reason::Dmarc { domain: domain() });
                }
                Policy::Quarantine | Policy::None => {}
            },
            // Whether the domain asks for anything may be what could not be looked up.
            Checked::TempError if self.enforce == Enforce::Dmarc && !trusted => {
                let domain = domain();
                return Verdict::Defer(Reason::AuthenticationUnanswered { domain }.into());
            }
            _ => {}
        }
        let spf_says_no = verified.spf.outcome == email_auth::spf::Outcome::Fail;
        let dmarc_is_silent = verified.dmarc.verdict == Checked::None;
        if self.refuse_spf_fail && spf_says_no && dmarc_is_silent && !trusted {
            return Verdict::Reject(
                Reason::Spf {
                    domain: verified.spf.domain.clone(),
                    client: moment.client.address.ip(),
                }
                .into(),
            );
        }
        Verdict::Pass
    }
}
