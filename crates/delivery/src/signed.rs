//! Signatures of ours. A message is signed in the form in which it is sent, after all else was done to it;
//! once for each form, however many next hops get it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use diagnosis::Stage;
use diagnosis::facts::{NotSigned, StepKind};
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::{Body, Message, MessageId, MessageKind, StoreError};
use signing::{Ring, Signed, Unsigned};
use tokio::sync::OnceCell;

use crate::fitting::{Fitted, Form, PIECE};
use crate::trail::Trail;

/// Signatures that are remembered: a message's recipients come one after the other.
const REMEMBERED: usize = 2_000;

/// A message in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape {
    message: MessageId,
    form: u8,
    rules: Vec<u16>,
}

type Made = Arc<OnceCell<Result<Signed, Unsigned>>>;

#[derive(Debug, Default)]
struct State {
    ring: Arc<Ring>,
    made: HashMap<Shape, Made>,
    order: VecDeque<Shape>,
}

type Ours = dyn Fn(&Message) -> bool + Send + Sync;

/// Signs what is sent.
pub struct Signing {
    state: Mutex<State>,
    ours: Box<Ours>,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing")
    }
}

impl Signing {
    /// One without keys yet. `ours` says whose mail is signed; reports of our own are in any case.
    #[must_use]
    pub fn new(ours: impl Fn(&Message) -> bool + Send + Sync + 'static) -> Signing {
        Signing {
            state: Mutex::default(),
            ours: Box::new(ours),
        }
    }

    /// From now on these keys sign.
    pub fn set(&self, ring: Ring) {
        *self.state.lock() = State {
            ring: Arc::new(ring),
            ..State::default()
        };
    }

    /// The signatures that go before a message in this form, and what is to be told of them.
    async fn sign(
        &self,
        message: &Message,
        body: &Body,
        fitted: &Fitted,
        now: Timestamp,
    ) -> Result<(Bytes, Option<StepKind>), StoreError> {
        let ours = message.kind == MessageKind::Report || (self.ours)(message);
        let shape = Shape {
            message: message.id,
            form: fitted.form,
            rules: fitted.rewriting.rules.clone(),
        };
        let Some((ring, made)) = ours.then(|| self.made(shape)).flatten() else {
            return Ok((Bytes::new(), None));
        };
        let signed = made.get_or_try_init(|| through(&ring, body, fitted, now));
        Ok(match signed.await? {
            Ok(signed) => {
                let by = signed.by.iter();
                let by = by.map(|by| format!("{} ({}, {})", by.domain, by.selector, by.algorithm));
                let step = StepKind::Signed { by: by.collect() };
                (Bytes::copy_from_slice(&signed.fields), Some(step))
            }
            Err(why) => (Bytes::new(), not_signed(why).map(StepKind::NotSigned)),
        })
    }

    /// The place of a signature, and who makes it; nothing where nobody signs.
    fn made(&self, shape: Shape) -> Option<(Arc<Ring>, Made)> {
        let mut state = self.state.lock();
        if state.ring.is_empty() {
            return None;
        }
        let ring = state.ring.clone();
        if let Some(made) = state.made.get(&shape) {
            return Some((ring, made.clone()));
        }
        if state.order.len() >= REMEMBERED
            && let Some(oldest) = state.order.pop_front()
        {
            state.made.remove(&oldest);
        }
        let made = Made::default();
        state.order.push_back(shape.clone());
        state.made.insert(shape, made.clone());
        Some((ring, made))
    }
}

/// Puts the signatures before a message, where there is somebody who signs, and tells of it.
pub(crate) async fn sign(
    signing: Option<&Signing>,
    (message, body): (&Message, &Body),
    mut fitted: Fitted,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Fitted, StoreError> {
    let Some(signing) = signing else {
        return Ok(fitted);
    };
    let (prefix, step) = signing.sign(message, body, &fitted, now).await?;
    fitted.prefix = prefix;
    if let Some(step) = step {
        trail.add(Stage::Mail, step);
    }
    Ok(fitted)
}

/// Has the message go by as it will be sent.
async fn through(
    ring: &Arc<Ring>,
    body: &Body,
    fitted: &Fitted,
    now: Timestamp,
) -> Result<Result<Signed, Unsigned>, StoreError> {
    let mut form = Form::of(fitted);
    let mut stream = ring.begin();
    match body {
        Body::Inline(bytes) => _ = stream.feed(&form.piece(bytes.clone(), true)),
        Body::File(source) => {
            let (size, mut at) = (source.size(), 0);
            loop {
                let piece = source.read(at, PIECE).await?;
                at += piece.len() as u64;
                // What is cut short is found out when it is sent.
                let last = at >= size || piece.is_empty();
                if !stream.feed(&form.piece(piece, last)) || last {
                    break;
                }
            }
        }
    }
    Ok(stream.finish(now))
}

/// What is worth telling.
fn not_signed(why: &Unsigned) -> Option<NotSigned> {
    match why {
        Unsigned::NoKey | Unsigned::NoAuthor => None,
        Unsigned::NotPublished { domain, selectors } => Some(NotSigned::NotPublished {
            domain: domain.clone(),
            selectors: selectors.clone(),
        }),
        Unsigned::SeveralAuthors => Some(NotSigned::SeveralAuthors),
        Unsigned::HeaderTooLarge => Some(NotSigned::HeaderTooLarge),
        Unsigned::Failed(error) => Some(NotSigned::Failed {
            reported: error.to_string(),
        }),
    }
}
