//! The form in which a message goes to a next hop: as it was received, or converted where the next hop
//! takes less (`mime-convert`). What the store has stays as it came.

use diagnosis::facts::{CannotSend, NotConverted};
use diagnosis::{Cause, Failure, FailureKind, Outcome, diagnose};
use mime_convert::{Blocked, Obstacle, Plan, Scanner, Target, Writer, ascii_address};
use queue::{Body, BodyKind, Recipient, StoreError};
use smtp::envelope::MailParams;
use smtp::{Address, Extensions};

use crate::lane::Work;
use crate::rewritten::Rewriting;

/// How much of a large message is read at once.
pub(crate) const PIECE: usize = 64 * 1024;

/// What the next hop takes, and what it must be told.
pub(crate) struct Fitted {
    pub(crate) params: MailParams,
    /// How the content is changed; `None`: not at all.
    pub(crate) plan: Option<Plan>,
    /// Whether addresses go in their form in ASCII.
    pub(crate) ascii: bool,
    /// Which of the forms of the message it is; 0 is as it was received.
    pub(crate) form: u8,
    /// What rules make of it.
    pub(crate) rewriting: Rewriting,
    /// What goes before the message: signatures.
    pub(crate) prefix: bytes::Bytes,
}

/// Why a message does not go to a next hop in any form.
pub(crate) enum Unfitted {
    /// What stands in the way.
    Cannot(CannotSend),
    /// The content cannot be read.
    Store(StoreError),
}

impl From<StoreError> for Unfitted {
    fn from(error: StoreError) -> Unfitted {
        Unfitted::Store(error)
    }
}

/// Whether the next hop refused the message as it is for its character sets or bytes (4.6.5), so that it
/// goes in UTF-8 this time.
pub(crate) fn was_refused_for_charset(recipient: &Recipient) -> bool {
    let last = recipient.last.as_ref();
    last.is_some_and(|last| last.cause == Cause::CharsetUnsupported)
}

/// The form for a peer that announces this.
pub(crate) async fn fit(
    work: &Work,
    body: &Body,
    announced: &Extensions,
    chunks: bool,
    params: MailParams,
) -> Result<Fitted, Unfitted> {
    let utf8_names = !sender_and_recipients(work).all(Address::is_ascii);
    let needs_utf8 = params.smtputf8 || utf8_names;
    let takes_binary = announced.binary_mime && announced.chunking && chunks;
    let too_much = match params.body {
        BodyKind::SevenBit => false,
        BodyKind::EightBit => !announced.eight_bit_mime,
        BodyKind::Binary => !takes_binary,
    };
    let downgrade = needs_utf8 && !announced.smtputf8;
    let refused = work.recipients.iter().any(was_refused_for_charset);
    if !too_much && !downgrade && !refused {
        return Ok(Fitted {
            params,
            plan: None,
            ascii: false,
            form: 0,
            rewriting: Rewriting::default(),
            prefix: bytes::Bytes::new(),
        });
    }
    if downgrade && sender_and_recipients(work).any(|a| ascii(a).is_none()) {
        return Err(Unfitted::Cannot(CannotSend::SmtpUtf8));
    }
    let target = Target {
        eight_bit: announced.eight_bit_mime && !refused,
        utf8_headers: announced.smtputf8 && !refused
            || !params.smtputf8 && announced.eight_bit_mime && !refused,
        any_charset: !refused,
    };
    let lacking = match (downgrade, params.body) {
        (true, _) => "SMTPUTF8",
        (false, BodyKind::Binary) => "BINARYMIME",
        (false, _) => "8BITMIME",
    };
    let plan = plan(body, target).await?;
    let plan = plan.map_err(|blocked| Unfitted::Cannot(not_converted(blocked, lacking)))?;
    let params = MailParams {
        body: match target.eight_bit && params.body != BodyKind::SevenBit {
            true => BodyKind::EightBit,
            false => BodyKind::SevenBit,
        },
        smtputf8: params.smtputf8 && announced.smtputf8,
        ..params
    };
    Ok(Fitted {
        params,
        plan: Some(plan).filter(|plan| !plan.is_identity()),
        ascii: downgrade,
        form: form_of(target),
        rewriting: Rewriting::default(),
        prefix: bytes::Bytes::new(),
    })
}

/// A message has one form for each kind of next hop.
fn form_of(target: Target) -> u8 {
    let flags = [target.eight_bit, target.utf8_headers, target.any_charset];
    let bits = flags.iter().zip([2, 4, 8]).filter(|(flag, _)| **flag);
    1 + bits.map(|(_, bit)| bit).sum::<u8>()
}

fn sender_and_recipients(work: &Work) -> impl Iterator<Item = &Address> {
    let recipients = work.recipients.iter().map(|r| &r.address);
    std::iter::once(work.sender()).chain(recipients)
}

/// The recipients that have no form for a next hop without SMTPUTF8, so that they do not keep the others
/// from it.
pub(crate) fn unreachable(work: &Work, announced: &Extensions) -> Vec<u32> {
    if announced.smtputf8 {
        return Vec::new();
    }
    let hard = |r: &&Recipient| ascii(&r.address).is_none();
    work.recipients
        .iter()
        .filter(hard)
        .map(|r| r.index)
        .collect()
}

/// An address in ASCII, where it has that form.
pub(crate) fn ascii(address: &Address) -> Option<Address> {
    if address.is_ascii() {
        return Some(address.clone());
    }
    Address::parse(&ascii_address(address.as_str())?, false).ok()
}

fn not_converted(blocked: Blocked, lacking: &str) -> CannotSend {
    if let Obstacle::Address { .. } = blocked.why {
        return CannotSend::SmtpUtf8;
    }
    CannotSend::NotConverted(NotConverted {
        lacking: lacking.to_owned(),
        why: blocked.why.to_string(),
        part: blocked.part,
        charset: blocked.charset,
    })
}

/// What was refused for its character set: whether it can go once more, in UTF-8. Where it cannot, the
/// outcome becomes one that names the part and its character set.
pub(crate) async fn look_again(
    work: &mut Work,
    body: &Body,
    outcomes: &mut [Outcome],
) -> Result<(), StoreError> {
    let refused: Vec<usize> = outcomes
        .iter()
        .enumerate()
        .filter(|(_, o)| is_charset(o))
        .map(|(at, _)| at)
        .collect();
    if refused.is_empty() || work.recipients.iter().any(was_refused_for_charset) {
        return Ok(());
    }
    let target = Target {
        eight_bit: false,
        utf8_headers: false,
        any_charset: false,
    };
    match plan(body, target).await? {
        Ok(plan) => work.convertible = !plan.is_identity(),
        Err(blocked) => {
            let cannot = not_converted(blocked, "UTF-8");
            for at in refused {
                if let Outcome::Failed(failure) = &mut outcomes[at] {
                    *failure = Failure {
                        stage: failure.stage,
                        kind: FailureKind::CannotSend(cannot.clone()),
                    };
                }
            }
        }
    }
    Ok(())
}

fn is_charset(outcome: &Outcome) -> bool {
    let Outcome::Failed(failure) = outcome else {
        return false;
    };
    let said = matches!(failure.kind, FailureKind::Replied(_));
    said && diagnose(outcome, &diagnosis::facts::Circumstances::default())
        .is_some_and(|diagnosis| diagnosis.cause == Cause::CharsetUnsupported)
}

async fn plan(body: &Body, target: Target) -> Result<Result<Plan, Blocked>, StoreError> {
    let mut scanner = Scanner::new(target);
    match body {
        Body::Inline(bytes) => scanner.feed(bytes),
        Body::File(source) => {
            let mut at = 0;
            loop {
                let piece = source.read(at, PIECE).await?;
                if piece.is_empty() {
                    break;
                }
                at += piece.len() as u64;
                scanner.feed(&piece);
            }
        }
    }
    Ok(scanner.finish())
}

/// Carries content into its new form, or leaves it as it is.
pub(crate) struct Form {
    writer: Option<Writer>,
    /// How much of the header goes, where another comes for it.
    skip: usize,
    /// What goes before the rest.
    prefix: Vec<u8>,
}

impl Form {
    /// The form without signatures.
    pub(crate) fn of(fitted: &Fitted) -> Form {
        let (skip, header) = fitted.rewriting.header.clone().unwrap_or_default();
        Form {
            writer: fitted.plan.clone().map(Writer::new),
            skip,
            prefix: header.to_vec(),
        }
    }

    /// The form with signatures before it.
    pub(crate) fn signed(fitted: &Fitted) -> Form {
        let form = Form::of(fitted);
        let prefix = [&fitted.prefix[..], &form.prefix].concat();
        Form { prefix, ..form }
    }

    /// The next piece in the form in which it is sent; with `last`, the end.
    pub(crate) fn piece(&mut self, piece: bytes::Bytes, last: bool) -> bytes::Bytes {
        if self.writer.is_none() && self.prefix.is_empty() && self.skip == 0 {
            return piece;
        }
        let mut out = Vec::with_capacity(piece.len() * 2);
        match &mut self.writer {
            Some(writer) => {
                writer.feed(&piece, &mut out);
                if last {
                    writer.finish(&mut out);
                }
            }
            None => out.extend_from_slice(&piece),
        }
        let gone = self.skip.min(out.len());
        self.skip -= gone;
        let mut whole = std::mem::take(&mut self.prefix);
        whole.extend_from_slice(out.get(gone..).unwrap_or_default());
        whole.into()
    }
}
