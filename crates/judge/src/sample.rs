//! A mail with its label.

use diagnosis::Cause;
use smtp::EnhancedStatus;

/// A mail and what is true of it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The collection's name and the mail's in it, like `sisimai/lhost-postfix-01`.
    pub id: String,
    /// The mail.
    pub mail: Vec<u8>,
    /// The failed recipients, as labelled.
    pub truths: Vec<Truth>,
}

/// What a label says of one failed recipient. What it leaves out is not judged.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// The address.
    pub recipient: Option<String>,
    /// The enhanced status code.
    pub status: StatusLabel,
    /// The reply code; `Some(None)` where the label says that there is none.
    pub reply: Option<Option<u16>>,
    /// The causes that the label allows; empty where it does not tell.
    pub causes: Vec<Cause>,
    /// What the label calls the cause.
    pub name: String,
    /// Whether nobody tries any more.
    pub given_up: Option<bool>,
    /// The label says that this one is no failure: a delivery, an automatic answer.
    pub no_failure: bool,
}

/// What a label says of the enhanced status code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusLabel {
    /// Nothing, or a code that the labelling tool invented.
    #[default]
    NotJudged,
    /// There is none.
    None,
    /// This one.
    Is(EnhancedStatus),
}

/// `5.1.1`.
pub(crate) fn status(text: &str) -> Option<EnhancedStatus> {
    let mut parts = text.split('.').map(str::parse::<u16>);
    let class = match parts.next()?.ok()? {
        2 => smtp::Class::Success,
        4 => smtp::Class::Transient,
        5 => smtp::Class::Permanent,
        _ => return None,
    };
    let status = EnhancedStatus::new(class, parts.next()?.ok()?, parts.next()?.ok()?);
    parts.next().is_none().then_some(status)
}
