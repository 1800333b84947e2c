//! Asking the filters.

use std::net::SocketAddr;
use std::sync::Arc;

use queue::MessageId;
use screening::{
    Chain, Conclusion, Edit, Message, Moment, Passed, Reason, Screening, Stage, Verdict,
};
use smtp::Address;

use crate::refusal::{Objection, Refusal, Screened};
use crate::transaction::Envelope;
use crate::{Client, Shared};

/// The filters' part in a session.
pub(crate) struct Screen {
    chain: Chain,
    from: SocketAddr,
    /// Opened when a filter is first asked.
    screening: Option<Box<Screening>>,
}

/// What becomes of a message that is not refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Fate {
    /// It goes on.
    #[default]
    Pass,
    /// It is kept back, as this filter asked.
    Hold(Arc<str>, Reason),
    /// It is thrown away, as this filter asked.
    Discard(Arc<str>, Reason),
}

/// What the filters say to a message.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What becomes of it.
    pub(crate) fate: Fate,
    /// Changes to its envelope.
    pub(crate) envelope: Vec<Edit>,
}

impl Screen {
    pub(crate) fn new(chain: &Chain, from: SocketAddr) -> Screen {
        Screen {
            chain: chain.clone(),
            from,
            screening: None,
        }
    }

    /// Whether whole messages are looked at.
    pub(crate) fn sees_content(&self) -> bool {
        self.chain.attends(Stage::Content)
    }

    /// Asks at a stage before the content. To hold or discard a message that is not there yet means
    /// nothing, and is noted only.
    pub(crate) async fn ask(
        &mut self,
        shared: &Shared,
        client: &Client,
        stage: Stage,
        envelope: Option<&Envelope>,
        recipient: Option<&Address>,
    ) -> Result<(), Refusal> {
        if !self.chain.attends(stage) {
            return Ok(());
        }
        let asked = Asked {
            stage,
            envelope: envelope.map(|envelope| view(envelope, None)),
            recipient,
        };
        let concluded = Box::pin(self.conclude(shared, client, asked, None)).await?;
        if concluded.fate != Fate::Pass {
            tracing::debug!(stage = stage.as_str(), fate = ?concluded.fate, "a filter is early");
        }
        Ok(())
    }

    /// Asks about a message, which is changed as the filters want it.
    pub(crate) async fn look(
        &mut self,
        shared: &Shared,
        client: &Client,
        (id, envelope): (MessageId, &Envelope),
        message: &mut Message,
    ) -> Result<Judged, Refusal> {
        let asked = Asked {
            stage: Stage::Content,
            envelope: Some(view(envelope, Some(id))),
            recipient: None,
        };
        self.conclude(shared, client, asked, Some(message)).await
    }

    /// The transaction is over, without its end of content.
    pub(crate) fn forget(&mut self) {
        if let Some(screening) = &mut self.screening {
            screening.forget();
        }
    }

    async fn conclude(
        &mut self,
        shared: &Shared,
        client: &Client,
        asked: Asked<'_>,
        message: Option<&mut Message>,
    ) -> Result<Judged, Refusal> {
        let screening = self
            .screening
            .get_or_insert_with(|| Box::new(self.chain.open()));
        let stage = asked.stage;
        let smtputf8 = false;
        let who = screening::Client {
            helo: client.helo.clone(),
            protocol: client.protocol(smtputf8),
            authenticated: client.login.clone(),
            mechanism: client.mechanism.clone(),
            tls: client.tls.as_ref().map(|session| screening::Tls {
                protocol: session.protocol.clone(),
                cipher: session.cipher.clone(),
            }),
            ..screening::Client::new(self.from)
        };
        let moment = Moment {
            stage,
            hostname: &shared.settings.hostname,
            client: &who,
            envelope: asked.envelope.as_ref(),
            recipient: asked.recipient,
            message: None,
        };
        let conclusion = screening.ask(moment, message).await;
        let Conclusion {
            by,
            verdict,
            envelope,
            passed,
        } = conclusion;
        note_passed(client, stage, &passed);
        let by = by.unwrap_or_default();
        let refused = |objection| {
            Refusal::Screened(Box::new(Screened {
                filter: Arc::clone(&by),
                stage,
                recipient: asked.recipient.cloned(),
                objection,
            }))
        };
        let fate = match verdict {
            Ok(Verdict::Pass) => Fate::Pass,
            Ok(Verdict::Hold(reason)) => Fate::Hold(by, reason),
            Ok(Verdict::Discard(reason)) => Fate::Discard(by, reason),
            Ok(Verdict::Defer(why)) => return Err(refused(Objection::Defer(why))),
            Ok(Verdict::Reject(why)) => return Err(refused(Objection::Reject(why))),
            Err(failure) => return Err(refused(Objection::Failed(failure))),
        };
        Ok(Judged { fate, envelope })
    }
}

/// What is asked about, beside the message.
struct Asked<'a> {
    stage: Stage,
    envelope: Option<screening::Envelope>,
    recipient: Option<&'a Address>,
}

fn view(envelope: &Envelope, id: Option<MessageId>) -> screening::Envelope {
    let recipients = envelope.recipients.iter().map(|r| r.address.clone());
    screening::Envelope {
        id,
        sender: envelope.sender.clone(),
        recipients: recipients.collect(),
        size: envelope.size,
    }
}

/// Mail passes without a filter that may be missed; somebody should know.
fn note_passed(client: &Client, stage: Stage, passed: &[Passed]) {
    for Passed { filter, failure } in passed {
        tracing::warn!(
            client = %client.address,
            stage = stage.as_str(),
            filter = %filter,
            %failure,
            "a filter failed: mail passes without it"
        );
    }
}
