//! A hook of the administrator's own: JSON posted at the stages he chose, and an answer in JSON.
//! `docs/filtering.md` has both schemas.

use std::collections::BTreeSet;

use async_trait::async_trait;
use bytes::Bytes;
use screening::{
    Answer, Codes, Conversation, Edit, Failure, Field, Filter, Moment, Reason, Refused, Stage,
    Verdict,
};
use serde::{Deserialize, Serialize};
use world::{Peer, World};

use crate::http::{Content, Endpoint};

/// Posts to a URL.
#[derive(Clone, Debug)]
pub struct Hook {
    endpoint: Endpoint,
    stages: BTreeSet<Stage>,
}

impl Hook {
    /// A hook that is asked at these stages; `host` is the name in the URL, `peer` where it is.
    #[must_use]
    pub fn new(
        world: World,
        peer: Peer,
        (host, path): (String, String),
        stages: impl IntoIterator<Item = Stage>,
    ) -> Hook {
        Hook {
            endpoint: Endpoint {
                world,
                peer,
                host,
                path,
            },
            stages: stages.into_iter().collect(),
        }
    }
}

impl Filter for Hook {
    fn attends(&self, stage: Stage) -> bool {
        self.stages.contains(&stage)
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(self.clone())
    }
}

/// What is posted.
#[derive(Debug, Serialize)]
struct Question<'a> {
    stage: &'static str,
    server: &'a str,
    client: ClientPart<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Vec<[String; 2]>>,
}

#[derive(Debug, Serialize)]
struct ClientPart<'a> {
    address: String,
    port: u16,
    helo: Option<&'a str>,
    protocol: &'a str,
    authenticated: Option<&'a str>,
    mechanism: Option<&'a str>,
    tls: Option<TlsPart<'a>>,
}

#[derive(Debug, Serialize)]
struct TlsPart<'a> {
    version: &'a str,
    cipher: &'a str,
    bits: Option<u16>,
}

/// What comes back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reaction {
    action: Action,
    code: Option<u16>,
    status: Option<String>,
    text: Option<String>,
    #[serde(default)]
    add_headers: Vec<[String; 2]>,
    #[serde(default)]
    remove_headers: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Accept,
    Reject,
    Tempfail,
    Hold,
    Discard,
}

#[async_trait]
impl Conversation for Hook {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        let question = serde_json::to_vec(&question(moment))
            .map_err(|error| Failure::Broken(error.to_string()))?;
        let headers = [("Content-Type", "application/json".to_owned())];
        let content = Content::Bytes(Bytes::from(question));
        let answered = self.endpoint.post(&headers, content).await?;
        if !answered.status.is_success() {
            return Err(Failure::Reported(answered.status.to_string()));
        }
        let reaction: Reaction = serde_json::from_slice(&answered.body)
            .map_err(|error| Failure::Nonsense(error.to_string()))?;
        reaction.answer()
    }
}

fn question<'a>(moment: &Moment<'a>) -> Question<'a> {
    let client = moment.client;
    let envelope = moment.envelope;
    let header = moment.message.map(|message| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = message.header().fields().iter();
        fields.map(|f| [text(f.name()), text(f.value())]).collect()
    });
    let recipients = envelope.map(|e| e.recipients.iter().map(smtp::Address::as_str).collect());
    Question {
        stage: moment.stage.as_str(),
        server: moment.hostname,
        client: ClientPart {
            address: client.address.ip().to_string(),
            port: client.address.port(),
            helo: client.helo.as_deref(),
            protocol: client.protocol,
            authenticated: client.authenticated.as_deref(),
            mechanism: client.mechanism.as_deref(),
            tls: client.tls.as_ref().map(|tls| TlsPart {
                version: &tls.protocol,
                cipher: &tls.cipher,
                bits: tls.bits(),
            }),
        },
        sender: envelope.map(|e| e.sender.as_str()),
        recipients,
        recipient: moment.recipient.map(smtp::Address::as_str),
        id: envelope.and_then(|e| e.id).map(|id| id.to_string()),
        size: match moment.message {
            Some(message) => Some(message.size()),
            None => envelope.and_then(|e| e.size),
        },
        headers: header,
    }
}

impl Reaction {
    fn answer(self) -> Result<Answer, Failure> {
        let reason = Reason::Said(self.text.clone().unwrap_or_default());
        let verdict = match self.action {
            Action::Accept => Verdict::Pass,
            Action::Reject => Verdict::Reject(self.refused(reason, 5)?),
            Action::Tempfail => Verdict::Defer(self.refused(reason, 4)?),
            Action::Hold => Verdict::Hold(reason),
            Action::Discard => Verdict::Discard(reason),
        };
        let mut edits = Vec::new();
        for name in self.remove_headers {
            edits.push(Edit::Change {
                name,
                nth: 1,
                to: None,
            });
        }
        for [name, value] in self.add_headers {
            let field = Field::new(&name, &value)
                .ok_or_else(|| Failure::Nonsense(format!("`{name}` is no name of a field")))?;
            edits.push(Edit::Add(field));
        }
        Ok(Answer { verdict, edits })
    }

    fn refused(&self, reason: Reason, class: u16) -> Result<Refused, Failure> {
        let codes = match (self.code, &self.status) {
            (None, None) => None,
            (code, status) => {
                let code = code.unwrap_or(if class == 5 { 550 } else { 451 });
                let codes = Codes::parse(&code.to_string(), status.as_deref())
                    .filter(|codes| codes.code() / 100 == class);
                let wrong = || Failure::Nonsense(format!("the codes {code} {status:?}"));
                Some(codes.ok_or_else(wrong)?)
            }
        };
        Ok(Refused { reason, codes })
    }
}
