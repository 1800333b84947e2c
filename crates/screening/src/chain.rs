//! A chain of filters, and what comes of asking it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::{
    Answer, Client, Conversation, Edit, Failure, Filter, Message, Moment, Reason, Refused, Stage,
    Verdict,
};

/// What it means that a filter fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The client is to come back: no mail passes unseen.
    #[default]
    Defer,
    /// Mail passes as if the filter had nothing against it.
    Pass,
}

/// A filter's place in the chain.
#[derive(Clone)]
pub struct Link {
    /// Its name in the configuration, in logs and in replies.
    pub name: Arc<str>,
    /// The filter.
    pub filter: Arc<dyn Filter>,
    /// How long it may take at each stage.
    pub timeout: Duration,
    /// What it means that it fails.
    pub on_failure: OnFailure,
    /// Whether it is asked about this client.
    pub concerns: Arc<dyn Fn(&Client) -> bool + Send + Sync>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .field("on_failure", &self.on_failure)
            .finish_non_exhaustive()
    }
}

/// Filters in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    links: Arc<[Link]>,
}

impl Chain {
    /// A chain of these.
    #[must_use]
    pub fn new(links: Vec<Link>) -> Chain {
        Chain {
            links: links.into(),
        }
    }

    /// Whether there is no filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Whether any filter is asked at a stage.
    #[must_use]
    pub fn attends(&self, stage: Stage) -> bool {
        self.links.iter().any(|link| link.filter.attends(stage))
    }

    /// Begins with a client.
    #[must_use]
    pub fn open(&self) -> Screening {
        let open = |link: &Link| Part {
            link: link.clone(),
            conversation: None,
            lost: None,
        };
        Screening {
            parts: self.links.iter().map(open).collect(),
        }
    }
}

/// One filter's part in a session.
struct Part {
    link: Link,
    /// Opened when it is first asked.
    conversation: Option<Box<dyn Conversation>>,
    /// Why it takes no more part in this transaction.
    lost: Option<Failure>,
}

/// What the chain says about one session of a client.
pub struct Screening {
    parts: Vec<Part>,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// Who decided, where anybody did.
    pub by: Option<Arc<str>>,
    /// What is to happen, or that a filter failed without which nothing may pass.
    pub verdict: Result<Verdict, Failure>,
    /// What is to be changed in the envelope; the message is changed already.
    pub envelope: Vec<Edit>,
    /// Filters that failed and were passed over.
    pub passed: Vec<Passed>,
}

/// A filter that failed, and mail passed all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// Which.
    pub filter: Arc<str>,
    /// Why.
    pub failure: Failure,
}

impl Screening {
    /// Asks the filters that attend this stage; `message` is changed as they want it.
    pub async fn ask(
        &mut self,
        moment: Moment<'_>,
        mut message: Option<&mut Message>,
    ) -> Conclusion {
        let mut conclusion = Conclusion {
            by: None,
            verdict: Ok(Verdict::Pass),
            envelope: Vec::new(),
            passed: Vec::new(),
        };
        let mut rest = &mut self.parts[..];
        while !rest.is_empty() {
            let alone = rest[0].link.filter.changes();
            let together = match alone {
                true => 1,
                false => rest.iter().take_while(|p| !p.link.filter.changes()).count(),
            };
            let (group, after) = rest.split_at_mut(together);
            rest = after;
            let moment = Moment {
                message: message.as_deref(),
                ..moment
            };
            let asked = group.iter_mut().map(|part| part.ask(&moment));
            let answers = join_all(asked).await;
            for (part, answer) in group.iter().zip(answers) {
                let Some(answer) = answer else { continue };
                conclusion.take(&part.link, answer, message.as_deref_mut());
            }
            // What refuses need not be asked about any more.
            if conclusion.refuses() {
                break;
            }
        }
        conclusion
    }

    /// The transaction ended without its end of content.
    pub fn forget(&mut self) {
        for part in &mut self.parts {
            part.lost = None;
            if let Some(conversation) = &mut part.conversation {
                conversation.forget();
            }
        }
    }
}

impl Part {
    async fn ask(&mut self, moment: &Moment<'_>) -> Option<Result<Answer, Failure>> {
        let Link {
            filter, concerns, ..
        } = &self.link;
        if !filter.attends(moment.stage) || !concerns(moment.client) {
            return None;
        }
        if moment.stage <= Stage::Mail {
            self.lost = None;
        }
        if let Some(failure) = &self.lost {
            return Some(Err(failure.clone()));
        }
        let conversation = self.conversation.get_or_insert_with(|| filter.open());
        let within = self.link.timeout;
        let answer = match timeout(within, conversation.ask(moment)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::TimedOut(within)),
        };
        if let Err(failure) = &answer {
            self.conversation = None;
            // A client with a hundred recipients does not wait a hundred times for it.
            self.lost = Some(failure.clone());
        }
        Some(answer)
    }
}

impl Conclusion {
    fn refuses(&self) -> bool {
        matches!(
            self.verdict,
            Err(_) | Ok(Verdict::Reject(_) | Verdict::Defer(_))
        )
    }

    /// How much a verdict weighs: a refusal over a discarding over a holding; a final refusal over one
    /// for now, since coming back would not help.
    fn weight(verdict: &Result<Verdict, Failure>) -> u8 {
        match verdict {
            Ok(Verdict::Pass) => 0,
            Ok(Verdict::Hold(_)) => 1,
            Ok(Verdict::Discard(_)) => 2,
            Err(_) => 3,
            Ok(Verdict::Defer(_)) => 4,
            Ok(Verdict::Reject(_)) => 5,
        }
    }

    fn take(
        &mut self,
        link: &Link,
        answer: Result<Answer, Failure>,
        message: Option<&mut Message>,
    ) {
        let name = &link.name;
        let verdict = match answer {
            Ok(answer) => {
                self.edit(answer.edits, message);
                Ok(answer.verdict)
            }
            Err(failure) if link.on_failure == OnFailure::Pass => {
                let filter = Arc::clone(name);
                self.passed.push(Passed { filter, failure });
                return;
            }
            Err(failure) => Err(failure),
        };
        if Conclusion::weight(&verdict) > Conclusion::weight(&self.verdict) {
            self.verdict = verdict;
            self.by = Some(Arc::clone(name));
        }
    }

    fn edit(&mut self, edits: Vec<Edit>, message: Option<&mut Message>) {
        if let Some(message) = message {
            for edit in &edits {
                message.edit(edit);
            }
        }
        let envelope = |edit: &Edit| {
            matches!(
                edit,
                Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_)
            )
        };
        self.envelope.extend(edits.into_iter().filter(envelope));
    }
}

impl Verdict {
    /// Why, where there is something to say.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Verdict::Pass => None,
            Verdict::Defer(Refused { reason, .. }) | Verdict::Reject(Refused { reason, .. }) => {
                Some(reason)
            }
            Verdict::Hold(reason) | Verdict::Discard(reason) => Some(reason),
        }
    }
}
