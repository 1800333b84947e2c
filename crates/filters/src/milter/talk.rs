//! What a milter is told in a session, and what its answers mean.

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::BytesMut;
use screening::{
    Answer, Codes, Conversation, Edit, Failure, Field, Message, Moment, Reason, Refused, Stage,
    Tls, Verdict,
};
use smtp::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::Stream;

use super::Milter;
use super::wire::{self, CHUNK, Reply, Step, Terms, action};
use crate::connect;

/// Bytes of a body that a milter may put in place of another.
const BODY: usize = 64 << 20;
/// Changes to one message.
const EDITS: usize = 10_000;

/// The talk with one milter about one session.
pub(super) struct Talk {
    milter: Milter,
    line: Option<Line>,
    /// The milter has no more interest in this client.
    accepted: bool,
    /// The name that it has heard, and whether that was said under TLS.
    helo: Option<(String, bool)>,
    transaction: Option<Transaction>,
    /// The milter has heard of a transaction that was given up.
    aborted: bool,
}

#[derive(Default)]
struct Transaction {
    /// It has no more interest in this message.
    accepted: bool,
    /// What it has said to all of the message, which is told at its end.
    decided: Option<Verdict>,
    told: HashSet<String>,
}

/// A connection with its terms.
struct Line {
    stream: Stream,
    input: BytesMut,
    terms: Terms,
}

impl Talk {
    pub(super) fn new(milter: Milter) -> Talk {
        Talk {
            milter,
            line: None,
            accepted: false,
            helo: None,
            transaction: None,
            aborted: false,
        }
    }
}

#[async_trait]
impl Conversation for Talk {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        if self.accepted {
            return Ok(Answer::pass());
        }
        if self.line.is_none() {
            let mut line = Line::open(&self.milter).await?;
            let verdict = line.connected(moment).await?;
            self.line = Some(line);
            match verdict {
                Said::Continue => {}
                Said::Accept => {
                    self.accepted = true;
                    return Ok(Answer::pass());
                }
                Said::Verdict(verdict) => return Ok(Answer::of(verdict)),
            }
        }
        let Some(line) = &mut self.line else {
            return Ok(Answer::pass());
        };
        if std::mem::take(&mut self.aborted) {
            let mut out = BytesMut::new();
            wire::abort(&mut out);
            line.stream.write_all(&out).await?;
            self.transaction = None;
        }
        if let Some(helo) = moment
            .client
            .helo
            .as_deref()
            .map(|helo| (helo.to_owned(), moment.client.tls.is_some()))
            .filter(|told| self.helo.as_ref() != Some(told))
        {
            let said = line.helo(&helo.0, moment.client.tls.as_ref()).await?;
            self.helo = Some(helo);
            match said {
                Said::Continue => {}
                Said::Accept => {
                    self.accepted = true;
                    return Ok(Answer::pass());
                }
                Said::Verdict(verdict) => return Ok(Answer::of(verdict)),
            }
        }
        if moment.stage < Stage::Mail {
            return Ok(Answer::pass());
        }
        let begun = self.transaction.is_some();
        let transaction = self.transaction.get_or_insert_default();
        let answer = line.transaction(moment, transaction, begun).await?;
        if moment.stage == Stage::Content {
            self.transaction = None;
        }
        Ok(answer)
    }

    fn forget(&mut self) {
        self.aborted |= self.transaction.is_some();
    }
}

/// What an answer means for the step it answers.
enum Said {
    Continue,
    Accept,
    Verdict(Verdict),
}

impl Line {
    async fn open(milter: &Milter) -> Result<Line, Failure> {
        let mut stream = connect::to(&milter.world, &milter.peer).await?;
        let mut out = BytesMut::new();
        wire::offer(&mut out);
        stream.write_all(&out).await?;
        let mut input = BytesMut::new();
        match read(&mut stream, &mut input).await? {
            Reply::Terms(terms) => Ok(Line {
                stream,
                input,
                terms,
            }),
            other => Err(Failure::Nonsense(format!(
                "{other:?} in place of its terms"
            ))),
        }
    }

    /// The client has connected.
    async fn connected(&mut self, moment: &Moment<'_>) -> Result<Said, Failure> {
        let client = moment.client.address;
        let mut out = BytesMut::new();
        let values = [
            ("j", moment.hostname),
            ("{daemon_name}", moment.hostname),
            ("v", "Postrider"),
        ];
        wire::macros(&mut out, Step::Connect, &values);
        wire::connect(&mut out, &format!("[{}]", client.ip()), client);
        self.send(Step::Connect, &out).await
    }

    /// Its name, and how the connection is encrypted: after STARTTLS it says its name again.
    async fn helo(&mut self, name: &str, tls: Option<&Tls>) -> Result<Said, Failure> {
        let bits = tls.and_then(Tls::bits).map(|bits| bits.to_string());
        let mut values = Vec::new();
        if let Some(tls) = tls {
            values.push(("{tls_version}", tls.protocol.as_str()));
            values.push(("{cipher}", tls.cipher.as_str()));
        }
        values.extend(bits.as_deref().map(|bits| ("{cipher_bits}", bits)));
        self.told(Step::Helo, &values, &[name.as_bytes()]).await
    }

    /// The stages of a transaction; what a new connection has not heard of is told now.
    async fn transaction(
        &mut self,
        moment: &Moment<'_>,
        transaction: &mut Transaction,
        begun: bool,
    ) -> Result<Answer, Failure> {
        let Some(envelope) = moment.envelope else {
            return Ok(Answer::pass());
        };
        if !begun {
            let sender = format!("<{}>", bare(&envelope.sender));
            let authen = moment.client.authenticated.as_deref();
            let address = bare(&envelope.sender);
            let mut values = vec![("{mail_addr}", address.as_str())];
            values.extend(authen.map(|user| ("{auth_authen}", user)));
            let mechanism = moment
                .client
                .mechanism
                .as_deref()
                .filter(|_| authen.is_some());
            values.extend(mechanism.map(|mechanism| ("{auth_type}", mechanism)));
            let said = self.told(Step::Mail, &values, &[sender.as_bytes()]).await?;
            if let Some(answer) = transaction.take(said, moment.stage == Stage::Mail) {
                return Ok(answer);
            }
        }
        let earlier = envelope.recipients.iter();
        let earlier: Vec<&Address> = match moment.stage {
            Stage::Mail => Vec::new(),
            _ => earlier.chain(moment.recipient).collect(),
        };
        for recipient in earlier {
            if transaction.is_over() || !transaction.told.insert(recipient.as_str().to_owned()) {
                continue;
            }
            let address = bare(recipient);
            let bracketed = format!("<{address}>");
            let values = [("{rcpt_addr}", address.as_str())];
            let said = self
                .told(Step::Rcpt, &values, &[bracketed.as_bytes()])
                .await?;
            let asked = moment.recipient == Some(recipient);
            match said {
                // It is about this recipient alone.
                Said::Verdict(verdict @ (Verdict::Reject(_) | Verdict::Defer(_))) if asked => {
                    return Ok(Answer::of(verdict));
                }
                Said::Verdict(Verdict::Reject(_) | Verdict::Defer(_)) => {}
                said => drop(transaction.take(said, false)),
            }
        }
        match moment.message {
            Some(message) if !transaction.accepted => {
                if let Some(verdict) = transaction.decided.take() {
                    return Ok(Answer::of(verdict));
                }
                self.content(moment, message).await
            }
            _ => Ok(Answer::of(transaction.decided.take().unwrap_or_default())),
        }
    }

    async fn content(&mut self, moment: &Moment<'_>, message: &Message) -> Result<Answer, Failure> {
        let id = moment.envelope.and_then(|e| e.id).map(|id| id.to_string());
        let id = id.unwrap_or_default();
        let values = [("i", id.as_str())];
        let over = |said| match said {
            Said::Continue => None,
            Said::Accept => Some(Answer::pass()),
            Said::Verdict(verdict) => Some(Answer::of(verdict)),
        };
        if let Some(answer) = over(self.told(Step::Data, &values, &[]).await?) {
            return Ok(answer);
        }
        for field in message.header().fields() {
            let value = self.terms.value(field.value());
            let said = self
                .told(Step::Header, &[], &[field.name(), &value])
                .await?;
            if let Some(answer) = over(said) {
                return Ok(answer);
            }
        }
        if let Some(answer) = over(self.told(Step::EndOfHeader, &values, &[]).await?) {
            return Ok(answer);
        }
        if let Some(answer) = over(self.body(message).await?) {
            return Ok(answer);
        }
        let mut out = BytesMut::new();
        wire::macros(&mut out, Step::EndOfMessage, &values);
        wire::bytes(&mut out, Step::EndOfMessage, &[]);
        self.stream.write_all(&out).await?;
        self.end().await
    }

    async fn body(&mut self, message: &Message) -> Result<Said, Failure> {
        if !self.terms.wants(Step::Body) {
            return Ok(Said::Continue);
        }
        let mut pieces = message.body();
        while let Some(piece) = pieces.next().await? {
            for chunk in piece.chunks(CHUNK) {
                let mut out = BytesMut::with_capacity(chunk.len() + 5);
                wire::bytes(&mut out, Step::Body, chunk);
                self.stream.write_all(&out).await?;
                if !self.terms.answers(Step::Body) {
                    continue;
                }
                match self.answer().await? {
                    Reply::Skip if wire::may_skip(&self.terms) => return Ok(Said::Continue),
                    reply => match said(reply)? {
                        Said::Continue => {}
                        other => return Ok(other),
                    },
                }
            }
        }
        Ok(Said::Continue)
    }

    /// The changes that a milter asks for at the end of a message, up to its verdict.
    async fn end(&mut self) -> Result<Answer, Failure> {
        let mut edits = Vec::new();
        let mut body = BytesMut::new();
        let mut hold = None;
        let verdict = loop {
            let reply = self.answer().await?;
            if let Reply::Body(piece) = &reply {
                self.allow(action::BODY)?;
                body.extend_from_slice(piece);
                if body.len() > BODY {
                    return Err(Failure::Nonsense("a body larger than any".to_owned()));
                }
            } else if let Reply::Quarantine(reason) = reply {
                self.allow(action::QUARANTINE)?;
                hold = Some(Verdict::Hold(Reason::Said(reason)));
            } else if let Some(edit) = self.edit(&reply)? {
                edits.push(edit);
            } else {
                break said(reply)?;
            }
            if edits.len() > EDITS {
                return Err(Failure::Nonsense("more changes than any".to_owned()));
            }
        };
        if !body.is_empty() {
            edits.push(Edit::Body(body.freeze()));
        }
        let verdict = match verdict {
            Said::Continue | Said::Accept => hold.unwrap_or_default(),
            Said::Verdict(verdict) => verdict,
        };
        Ok(Answer { verdict, edits })
    }

    fn allow(&self, action: u32) -> Result<(), Failure> {
        match self.terms.allows(action) {
            true => Ok(()),
            false => Err(Failure::Nonsense(
                "a change that it did not ask leave for".to_owned(),
            )),
        }
    }

    /// The change that an answer asks for, if it is one.
    fn edit(&self, reply: &Reply) -> Result<Option<Edit>, Failure> {
        let field = |name: &str, value: &str| {
            let wrong = || Failure::Nonsense(format!("`{name}` is no name of a field"));
            Field::new(name, value).ok_or_else(wrong)
        };
        let address = |text: &str| {
            let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
            match bare.is_empty() {
                true => Ok(Address::null()),
                false => {
                    Address::parse(bare, true).map_err(|error| Failure::Nonsense(error.to_string()))
                }
            }
        };
        Ok(Some(match reply {
            Reply::AddHeader(name, value) => {
                self.allow(action::ADD_HEADER)?;
                Edit::Add(field(name, value)?)
            }
            // Milters count from Sendmail's own `Received`, which stands above what they see, as ours
            // does. Deviation: 0, above that, is below ours all the same.
            Reply::InsertHeader(at, name, value) => {
                self.allow(action::ADD_HEADER)?;
                Edit::Insert(at.saturating_sub(1) as usize, field(name, value)?)
            }
            Reply::ChangeHeader(nth, name, value) => {
                self.allow(action::CHANGE_HEADER)?;
                Edit::Change {
                    name: name.clone(),
                    nth: *nth as usize,
                    to: match value.is_empty() {
                        true => None,
                        false => Some(field(name, value)?),
                    },
                }
            }
            Reply::AddRecipient(to) => {
                self.allow(action::ADD_RCPT | action::ADD_RCPT_ARGS)?;
                Edit::AddRecipient(address(to)?)
            }
            Reply::RemoveRecipient(to) => {
                self.allow(action::DEL_RCPT)?;
                Edit::RemoveRecipient(address(to)?)
            }
            Reply::Sender(from) => {
                self.allow(action::SENDER)?;
                Edit::Sender(address(from)?)
            }
            _ => return Ok(None),
        }))
    }

    /// Tells a step, where the milter wants it.
    async fn told(
        &mut self,
        step: Step,
        macros: &[(&str, &str)],
        parts: &[&[u8]],
    ) -> Result<Said, Failure> {
        let mut out = BytesMut::new();
        if !macros.is_empty() {
            wire::macros(&mut out, step, macros);
        }
        wire::texts(&mut out, step, parts);
        self.send(step, &out).await
    }

    async fn send(&mut self, step: Step, out: &[u8]) -> Result<Said, Failure> {
        if !self.terms.wants(step) {
            return Ok(Said::Continue);
        }
        self.stream.write_all(out).await?;
        match self.terms.answers(step) {
            true => said(self.answer().await?),
            false => Ok(Said::Continue),
        }
    }

    /// The next answer that says something.
    async fn answer(&mut self) -> Result<Reply, Failure> {
        loop {
            match read(&mut self.stream, &mut self.input).await? {
                Reply::Progress => {}
                reply => return Ok(reply),
            }
        }
    }
}

impl Transaction {
    fn is_over(&self) -> bool {
        self.accepted || self.decided.is_some()
    }

    /// Notes what was said; the answer, where it is to be told at once.
    fn take(&mut self, said: Said, at_once: bool) -> Option<Answer> {
        match said {
            Said::Continue => None,
            Said::Accept => {
                self.accepted = true;
                None
            }
            Said::Verdict(verdict @ (Verdict::Reject(_) | Verdict::Defer(_))) if at_once => {
                Some(Answer::of(verdict))
            }
            Said::Verdict(verdict) => {
                self.decided = Some(verdict);
                None
            }
        }
    }
}

fn bare(address: &Address) -> String {
    match address.is_null() {
        true => String::new(),
        false => address.as_str().to_owned(),
    }
}

fn said(reply: Reply) -> Result<Said, Failure> {
    let nothing = || Reason::Said(String::new());
    Ok(match reply {
        Reply::Continue | Reply::Skip => Said::Continue,
        Reply::Accept => Said::Accept,
        Reply::Reject => Said::Verdict(Verdict::Reject(nothing().into())),
        Reply::TempFail => Said::Verdict(Verdict::Defer(nothing().into())),
        Reply::Discard => Said::Verdict(Verdict::Discard(nothing())),
        Reply::Shutdown => Said::Verdict(Verdict::Defer(Refused {
            reason: nothing(),
            codes: Codes::new(421, 7, 0),
        })),
        Reply::Own(text) => Said::Verdict(own(&text)?),
        other => return Err(Failure::Nonsense(format!("{other:?} before the end"))),
    })
}

/// A reply in the milter's own words: `550 5.7.1 text`, several lines perhaps, `%` doubled.
fn own(text: &str) -> Result<Verdict, Failure> {
    let wrong = || Failure::Nonsense(format!("the reply `{}`", text.escape_debug()));
    let mut words = Vec::new();
    let mut codes = None;
    for line in text.lines() {
        let (code, rest) = line.split_at_checked(3).ok_or_else(wrong)?;
        let rest = rest.get(1..).unwrap_or_default();
        let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let with_status = Codes::parse(code, Some(first));
        let of_line = with_status.or_else(|| Codes::parse(code, None));
        words.push(if with_status.is_some() { after } else { rest });
        codes = codes.or(of_line);
    }
    let codes = codes.ok_or_else(wrong)?;
    let refused = Refused {
        reason: Reason::Said(words.join(" ").replace("%%", "%")),
        codes: Some(codes),
    };
    Ok(match codes.code() / 100 {
        4 => Verdict::Defer(refused),
        _ => Verdict::Reject(refused),
    })
}

async fn read(stream: &mut Stream, input: &mut BytesMut) -> Result<Reply, Failure> {
    loop {
        let reply = wire::read(input).map_err(|error| Failure::Nonsense(error.to_string()))?;
        if let Some(reply) = reply {
            return Ok(reply);
        }
        if stream.read_buf(input).await? == 0 {
            return Err(Failure::Broken("it closed the connection".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_in_the_milters_words_keeps_its_codes() {
        let refused = |text: &str| match own(text).unwrap() {
            Verdict::Reject(refused) | Verdict::Defer(refused) => refused,
            other => panic!("{other:?}"),
        };
        let full = refused("451 4.7.1 come 100%% later");
        assert_eq!(full.codes, Codes::new(451, 7, 1));
        assert_eq!(full.reason, Reason::Said("come 100% later".into()));
        let short = refused("550 no");
        assert_eq!(
            (short.codes, short.reason),
            (Codes::new(550, 7, 1), Reason::Said("no".into()))
        );
        let lines = refused("554-5.1.1 one\r\n554 5.1.1 two");
        assert_eq!(lines.reason, Reason::Said("one two".into()));
        for wrong in ["", "25", "250 2.0.0 fine", "abc def", "5\u{e9}5 x"] {
            assert!(own(wrong).is_err(), "{wrong}");
        }
    }
}
