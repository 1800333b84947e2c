//! The parameters of MAIL and RCPT: which are known, what they may be, and what follows from them.

use super::problem::Problem;
use super::{Config, MailParams, RcptParams};
use crate::command::Parameter;
use crate::envelope::{
    BodyKind, DeliverBy, EnvelopeId, Hold, Notify, OriginalRecipient, Priority, Return,
    parse_submitter,
};

/// What the session takes at this moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken<'a> {
    pub(super) config: &'a Config,
    /// TLS is on.
    pub(super) secure: bool,
    /// FUTURERELEASE is announced.
    pub(super) holding: bool,
    /// AUTH is announced.
    pub(super) auth: bool,
}

/// RFC 5321 §4.1.1.11: what is not known, or not announced, is refused.
pub(super) fn mail(parameters: &[Parameter], taken: Taken<'_>) -> Result<MailParams, Problem> {
    let mut params = MailParams::default();
    for parameter in parameters {
        one(parameter, taken, &mut params)?;
    }
    // RFC 4865 §4.3: a message is held until one time.
    let both = |first: &str, second: &str| {
        let has = |name| parameters.iter().any(|p| p.keyword == name);
        has(first) && has(second)
    };
    if both("HOLDFOR", "HOLDUNTIL") {
        return Err(Problem::TwoHolds);
    }
    Ok(params)
}

fn one(parameter: &Parameter, taken: Taken<'_>, params: &mut MailParams) -> Result<(), Problem> {
    let Taken {
        config,
        secure,
        holding,
        auth,
    } = taken;
    let keyword = parameter.keyword.as_str();
    let value = parameter.value.as_deref();
    match keyword {
        "SIZE" if config.size => params.size = Some(read(keyword, value, size)?),
        "BODY" if config.eight_bit_mime => {
            params.body = read(keyword, value, |text| {
                BodyKind::parse(text)
                    .filter(|kind| *kind != BodyKind::Binary || config.takes_binary())
            })?;
        }
        "SMTPUTF8" if config.smtputf8 => params.smtputf8 = flag(keyword, value)?,
        "RET" if config.dsn => params.ret = Some(read(keyword, value, Return::parse)?),
        "ENVID" if config.dsn => {
            params.envelope_id = Some(read(keyword, value, EnvelopeId::parse)?);
        }
        // RFC 8689 §2: only where it was announced, and that is over TLS only.
        "REQUIRETLS" if config.require_tls => {
            if !secure {
                return Err(Problem::NeedsTls(keyword.to_owned()));
            }
            params.require_tls = flag(keyword, value)?;
        }
        "MT-PRIORITY" if config.priority => {
            params.priority = read(keyword, value, Priority::parse)?;
        }
        "BY" if config.deliver_by => {
            params.deliver_by = Some(read(keyword, value, DeliverBy::parse)?);
        }
        "HOLDFOR" if holding => params.hold = Some(read(keyword, value, Hold::parse_for)?),
        "HOLDUNTIL" if holding => params.hold = Some(read(keyword, value, Hold::parse_until)?),
        // RFC 4954 §5: where AUTH is announced.
        "AUTH" if auth => {
            params.submitter = Some(read(keyword, value, parse_submitter)?);
        }
        _ => return Err(Problem::UnknownParameter(keyword.to_owned())),
    }
    Ok(())
}

pub(super) fn rcpt(parameters: &[Parameter], config: &Config) -> Result<RcptParams, Problem> {
    let mut params = RcptParams::default();
    for Parameter { keyword, value } in parameters {
        let value = value.as_deref();
        match keyword.as_str() {
            "NOTIFY" if config.dsn => params.notify = Some(read(keyword, value, Notify::parse)?),
            "ORCPT" if config.dsn => {
                params.original = Some(read(keyword, value, OriginalRecipient::parse)?);
            }
            _ => return Err(Problem::UnknownParameter(keyword.clone())),
        }
    }
    Ok(params)
}

fn read<T>(
    keyword: &str,
    value: Option<&str>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Problem> {
    let read = value.and_then(parse);
    read.ok_or_else(|| Problem::ParameterValue(keyword.to_owned()))
}

fn flag(keyword: &str, value: Option<&str>) -> Result<bool, Problem> {
    match value {
        None => Ok(true),
        Some(_) => Err(Problem::ParameterValue(keyword.to_owned())),
    }
}

/// RFC 1870 §5: up to 20 digits, so a number may be beyond what can be counted.
fn size(text: &str) -> Option<u64> {
    let is_number =
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// How a parameter is written, for clients that write it otherwise.
pub(super) fn usage(keyword: &str) -> Option<&'static str> {
    const USAGES: [(&str, &str); 13] = [
        ("SIZE", "SIZE=1000"),
        (
            "BODY",
            "BODY=7BIT, BODY=8BITMIME or, before BDAT, BODY=BINARYMIME",
        ),
        ("SMTPUTF8", "SMTPUTF8 alone"),
        ("RET", "RET=HDRS or RET=FULL"),
        ("ENVID", "ENVID= and at most 100 characters of xtext"),
        (
            "NOTIFY",
            "NOTIFY=NEVER or a list of SUCCESS, FAILURE and DELAY",
        ),
        ("ORCPT", "ORCPT=rfc822; and the address in xtext"),
        ("REQUIRETLS", "REQUIRETLS alone"),
        ("MT-PRIORITY", "MT-PRIORITY= and a number from -9 to 9"),
        (
            "BY",
            "BY= with seconds, a semicolon, and R (seconds above 0) or N",
        ),
        ("HOLDFOR", "HOLDFOR= and a number of seconds"),
        ("HOLDUNTIL", "HOLDUNTIL=2026-11-24T02:29:23Z"),
        ("AUTH", "AUTH=<> or an address in xtext"),
    ];
    let found = USAGES.iter().find(|(name, _)| *name == keyword)?;
    Some(found.1)
}
