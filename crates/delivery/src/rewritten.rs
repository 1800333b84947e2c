//! Rules of the administrator for mail on its way out: they are done after a conversion, and before it is
//! signed.

use bytes::Bytes;
use diagnosis::Stage;
use diagnosis::facts::StepKind;
use queue::{Body, Recipient, StoreError};
use rewriting::Rules;
use smtp::Address;

use crate::fitting::{Fitted, Form, PIECE};
use crate::lane::Work;
use crate::trail::Trail;

/// More header than is rewritten.
const LARGEST_HEADER: usize = 1 << 20;

/// What rules make of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rewriting {
    /// The rules that are for it, by which its forms are told apart.
    pub(crate) rules: Vec<u16>,
    /// The reverse-path in place of its own.
    pub(crate) sender: Option<Address>,
    /// How many bytes of header go, and what comes for them.
    pub(crate) header: Option<(usize, Bytes)>,
}

/// Leaves only recipients for whom the same rules are; answers the others.
pub(crate) fn split(rules: Option<&Rules>, work: &mut Work) -> Option<Work> {
    let rules = rules?;
    let sender = work.kept_sender().clone();
    let which = |recipient: &Recipient| rules.which(&sender, recipient);
    let first = which(work.recipients.first()?);
    let (alike, others): (Vec<_>, Vec<_>) = std::mem::take(&mut work.recipients)
        .into_iter()
        .partition(|recipient| which(recipient) == first);
    work.recipients = alike;
    (!others.is_empty()).then(|| work.with(others))
}

/// Does what the rules say, and tells of it.
pub(crate) async fn rewrite(
    rules: Option<&Rules>,
    (work, body): (&Work, &Body),
    mut fitted: Fitted,
    trail: &mut Trail,
) -> Result<Fitted, StoreError> {
    let Some((rules, first)) = rules.zip(work.recipients.first()) else {
        return Ok(fitted);
    };
    let which = rules.which(work.kept_sender(), first);
    if which.is_empty() {
        return Ok(fitted);
    }
    // A return address of ours leads back to us; it is not the sender's to be changed.
    if work.return_path.is_none() {
        fitted.rewriting.sender = rules.sender(&which, work.kept_sender());
    }
    if let Some(header) = header(body, &fitted).await? {
        let edited = rules.edit(&which, &header);
        if !edited.done.is_empty() {
            let rules = edited.done;
            trail.add(Stage::Mail, StepKind::Rewritten { rules });
        }
        for refused in edited.refused {
            let (rule, field) = (refused.rule, refused.field);
            tracing::warn!(id = %work.message.id, rule, field,
                "a rule for rewriting is left out: the field is signed by others, and the rule has not signed = \"break\"");
            trail.add(Stage::Mail, StepKind::NotRewritten { rule, field });
        }
        fitted.rewriting.header = edited.header.map(|new| (header.len(), new.into()));
    }
    fitted.rewriting.rules = which;
    Ok(fitted)
}

/// The header as it would be sent, with the line end of its last field.
async fn header(body: &Body, fitted: &Fitted) -> Result<Option<Vec<u8>>, StoreError> {
    let mut form = Form::of(fitted);
    let mut seen = Vec::new();
    match body {
        Body::Inline(bytes) => seen.extend_from_slice(&form.piece(bytes.clone(), true)),
        Body::File(source) => {
            let (size, mut at) = (source.size(), 0);
            while end(&seen).is_none() && seen.len() <= LARGEST_HEADER && at < size {
                let piece = source.read(at, PIECE).await?;
                if piece.is_empty() {
                    break;
                }
                at += piece.len() as u64;
                seen.extend_from_slice(&form.piece(piece, at >= size));
            }
        }
    }
    let end = end(&seen).or_else(|| (body.size() <= seen.len() as u64).then_some(seen.len()));
    Ok(end.map(|end| {
        seen.truncate(end);
        seen
    }))
}

/// Where the header ends.
fn end(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"\r\n") {
        return Some(0);
    }
    let at = text.windows(4).position(|four| four == b"\r\n\r\n");
    at.map(|at| at + 2)
}
