//! The steps of a talk: who we are, for whom, to whom.

use diagnosis::facts::BreakKind;
use smtp::{Address, Extensions, Reply, Severity, Stage};

use crate::talk::{Ended, Talk};

/// Why a server is not ready to be asked.
#[derive(Debug)]
pub enum NotReady {
    /// It said no.
    Refused(Stage, Reply),
    /// The talk ended.
    Ended(Stage, Ended),
}

/// RFC 5321 §3.1, §3.2: greeting, EHLO, and HELO where that is refused for good.
pub async fn greet(talk: &mut Talk, lmtp: bool, us: &str) -> Result<Reply, NotReady> {
    let stage = Stage::Greeting;
    let greeting = talk.say(stage, None).await;
    let greeting = greeting.map_err(|ended| NotReady::Ended(stage, ended))?;
    if greeting.code() != 220 {
        return Err(NotReady::Refused(stage, greeting));
    }
    hello(talk, lmtp, us).await
}

/// EHLO alone, as after STARTTLS (RFC 3207 §4.2).
pub async fn hello(talk: &mut Talk, lmtp: bool, us: &str) -> Result<Reply, NotReady> {
    let stage = Stage::Hello;
    let ended = |ended| NotReady::Ended(stage, ended);
    let verb = if lmtp { "LHLO" } else { "EHLO" };
    let said = talk.say(stage, Some(&format!("{verb} {us}"))).await;
    let mut hello = said.map_err(ended)?;
    if hello.severity() == Severity::Permanent && !lmtp {
        let older = talk.say(stage, Some(&format!("HELO {us}"))).await;
        hello = older.map_err(ended)?;
    }
    match hello.severity() {
        Severity::Completion => Ok(hello),
        Severity::Preliminary
        | Severity::Intermediate
        | Severity::Transient
        | Severity::Permanent => Err(NotReady::Refused(stage, hello)),
    }
}

/// MAIL for this sender and RCPT for this recipient; the answer to RCPT, or to MAIL where that was
/// refused. RSET is the caller's.
pub async fn would_take(
    talk: &mut Talk,
    extensions: &Extensions,
    sender: &Address,
    recipient: &Address,
) -> Result<(Stage, Reply), (Stage, Ended)> {
    // RFC 6531 §3.4.
    let utf8 = match recipient.as_str().is_ascii() || !extensions.smtputf8 {
        true => "",
        false => " SMTPUTF8",
    };
    let mail = format!("MAIL FROM:<{}>{utf8}", sender.as_str());
    let reply = talk.say(Stage::Mail, Some(&mail)).await;
    let reply = reply.map_err(|ended| (Stage::Mail, ended))?;
    if reply.severity() != Severity::Completion {
        return Ok((Stage::Mail, reply));
    }
    rcpt(talk, recipient).await
}

pub(crate) async fn rcpt(
    talk: &mut Talk,
    recipient: &Address,
) -> Result<(Stage, Reply), (Stage, Ended)> {
    let line = format!("RCPT TO:<{}>", recipient.as_str());
    match talk.say(Stage::Rcpt, Some(&line)).await {
        Ok(reply) => Ok((Stage::Rcpt, reply)),
        Err(ended) => Err((Stage::Rcpt, ended)),
    }
}

/// Whether a talk that ended so ended without a word.
pub(crate) fn how(ended: Ended) -> Option<BreakKind> {
    match ended {
        Ended::Broke(how) => Some(how),
        Ended::NotSmtp => None,
    }
}
