//! rspamd, over HTTP: `POST /checkv2` with the message, and what is known of its way as header fields.

use std::collections::BTreeMap;

use async_trait::async_trait;
use screening::{
    Answer, Conversation, Edit, Failure, Field, Filter, Message, Moment, Reason, Refused, Stage,
    Verdict,
};
use serde::Deserialize;
use world::{Peer, World};

use crate::http::{Content, Endpoint};

/// Asks rspamd about each message.
#[derive(Clone, Debug)]
pub struct Rspamd {
    endpoint: Endpoint,
    max_size: u64,
}

impl Rspamd {
    /// rspamd whose worker (`worker-normal`, or a proxy) listens there. Larger messages than
    /// `max_size` pass without being asked about.
    #[must_use]
    pub fn new(world: World, peer: Peer, max_size: u64) -> Rspamd {
        let endpoint = Endpoint {
            world,
            peer,
            host: "rspamd".to_owned(),
            path: "/checkv2".to_owned(),
        };
        Rspamd { endpoint, max_size }
    }
}

impl Filter for Rspamd {
    fn attends(&self, stage: Stage) -> bool {
        stage == Stage::Content
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Conversation for Rspamd {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        let Some(message) = moment.message else {
            return Ok(Answer::pass());
        };
        if message.size() > self.max_size {
            tracing::info!(
                size = message.size(),
                "a message is too large to ask rspamd about"
            );
            return Ok(Answer::pass());
        }
        let headers = headers(moment);
        let answered = self
            .endpoint
            .post(&headers, Content::Message(message))
            .await?;
        if !answered.status.is_success() {
            return Err(Failure::Reported(answered.status.to_string()));
        }
        let result: Scan = serde_json::from_slice(&answered.body)
            .map_err(|error| Failure::Nonsense(error.to_string()))?;
        if let Some(error) = result.error {
            return Err(Failure::Reported(error));
        }
        result.answer(message)
    }
}

fn headers(moment: &Moment<'_>) -> Vec<(&'static str, String)> {
    let client = moment.client;
    let mut headers = vec![
        ("IP", client.address.ip().to_string()),
        ("MTA-Name", moment.hostname.to_owned()),
    ];
    if let Some(helo) = &client.helo {
        headers.push(("Helo", helo.clone()));
    }
    if let Some(user) = &client.authenticated {
        headers.push(("User", user.clone()));
    }
    if let Some(tls) = &client.tls {
        headers.push(("TLS-Version", tls.protocol.clone()));
        headers.push(("TLS-Cipher", tls.cipher.clone()));
    }
    if let Some(envelope) = moment.envelope {
        headers.push(("From", envelope.sender.to_string()));
        let recipients = envelope.recipients.iter();
        headers.extend(recipients.map(|to| ("Rcpt", to.to_string())));
        headers.extend(envelope.id.map(|id| ("Queue-Id", id.to_string())));
    }
    headers
}

/// What rspamd answers; what we have no use for is passed over.
#[derive(Debug, Deserialize)]
struct Scan {
    error: Option<String>,
    action: Option<String>,
    #[serde(default)]
    score: f64,
    #[serde(default)]
    required_score: f64,
    subject: Option<String>,
    #[serde(default)]
    messages: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    milter: Changes,
}

/// The block `milter`: header fields to add and remove.
#[derive(Debug, Default, Deserialize)]
struct Changes {
    #[serde(default)]
    add_headers: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    remove_headers: BTreeMap<String, i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    Text(String),
    One(Added),
    More(Vec<OneOrMore>),
}

#[derive(Debug, Deserialize)]
struct Added {
    value: String,
}

impl Scan {
    fn answer(self, message: &Message) -> Result<Answer, Failure> {
        let spam = || Reason::Spam {
            score: self.score,
            required: self.required_score,
        };
        let mut edits = Vec::new();
        let verdict = match self.action.as_deref() {
            Some("no action") | None => Verdict::Pass,
            Some("add header") => {
                edits.extend(Field::new("X-Spam", "Yes").map(Edit::Add));
                Verdict::Pass
            }
            Some("rewrite subject") => {
                edits.extend(self.subject(message));
                Verdict::Pass
            }
            Some("greylist") => Verdict::Defer(Reason::Greylisted.into()),
            Some("soft reject") => Verdict::Defer(self.said().unwrap_or_else(|| spam().into())),
            Some("reject") => Verdict::Reject(self.said().unwrap_or_else(|| spam().into())),
            Some("quarantine") => Verdict::Hold(spam()),
            Some("discard") => Verdict::Discard(spam()),
            Some(other) => return Err(Failure::Nonsense(format!("the action `{other}`"))),
        };
        edits.extend(self.milter.edits());
        Ok(Answer { verdict, edits })
    }

    /// The words for the client, where a rule of rspamd has some.
    fn said(&self) -> Option<Refused> {
        let text = self.messages.get("smtp_message")?.as_str()?;
        (!text.trim().is_empty()).then(|| Reason::Said(text.to_owned()).into())
    }

    fn subject(&self, message: &Message) -> Option<Edit> {
        let subject = match &self.subject {
            Some(subject) => subject.clone(),
            None => {
                let own = message.header().fields().iter().find(|f| f.is("Subject"));
                let own = own.map(|f| String::from_utf8_lossy(f.value()).trim().to_owned());
                format!("*** SPAM *** {}", own.unwrap_or_default())
            }
        };
        Some(Edit::Change {
            name: "Subject".to_owned(),
            nth: 1,
            to: Some(Field::new("Subject", &subject)?),
        })
    }
}

impl Changes {
    fn edits(self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for (name, nth) in self.remove_headers {
            // 0 and less: every one; else the one of that number.
            let times = if nth < 1 { 32 } else { 1 };
            for _ in 0..times {
                edits.push(Edit::Change {
                    name: name.clone(),
                    nth: usize::try_from(nth).unwrap_or(1).max(1),
                    to: None,
                });
            }
        }
        for (name, added) in self.add_headers {
            added.each(&mut |value| edits.extend(Field::new(&name, value).map(Edit::Add)));
        }
        edits
    }
}

impl OneOrMore {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        match self {
            OneOrMore::Text(value) | OneOrMore::One(Added { value }) => take(value),
            OneOrMore::More(all) => all.iter().for_each(|one| one.each(take)),
        }
    }
}
