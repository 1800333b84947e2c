//! Where a domain wants its reports: the TXT record at `_smtp._tls` (RFC 8460 §3).

use std::fmt;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where reports go.
    pub rua: Vec<Rua>,
}

/// A place where reports go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rua {
    /// An address.
    Mail(String),
    /// A server, which is given them by POST.
    Https(String),
}

/// Why no reports can be sent to a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordProblem {
    /// There is no record, which is a domain's right.
    #[error("the domain wants no reports: it has no record `v=TLSRPTv1`")]
    None,
    /// Several begin with `v=TLSRPTv1;`: it counts as none.
    #[error("the domain has {count} records `v=TLSRPTv1`, which counts as none (RFC 8460 §3)")]
    Several {
        /// How many.
        count: usize,
    },
    /// It names no place that reports can go to.
    #[error("the domain's record names no rua of mailto: or https:, like `{text}`")]
    NoRua {
        /// The record.
        text: String,
    },
}

const VERSION: &str = "v=TLSRPTv1";
/// More places than these nobody needs; a record must not make us send to hundreds.
const MOST: usize = 8;
/// A record that is quoted.
const QUOTED: usize = 200;

impl fmt::Display for Rua {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rua::Mail(address) => write!(f, "mailto:{address}"),
            Rua::Https(url) => f.write_str(url),
        }
    }
}

impl Rua {
    /// Reads back what is displayed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Rua> {
        let scheme = |scheme: &str| {
            let given = text.get(..scheme.len())?;
            given.eq_ignore_ascii_case(scheme).then_some(())
        };
        if scheme("mailto:").is_some() {
            let address = text.get(7..)?;
            return address.contains('@').then(|| Rua::Mail(address.to_owned()));
        }
        scheme("https://")?;
        Some(Rua::Https(text.to_owned()))
    }

    /// As it stands in a record.
    fn of(uri: &str) -> Option<Rua> {
        let plain = |c: char| c.is_ascii_graphic();
        if uri.is_empty() || !uri.chars().all(plain) {
            return None;
        }
        match Rua::parse(uri)? {
            // RFC 6068 §2: header fields behind a `?`, several recipients with commas. Of the fields
            // none may be set by others; in a record each address is a URI of its own.
            Rua::Mail(address) => {
                let address = unescaped(address.split('?').next()?)?;
                let is_one = address.matches('@').count() == 1
                    && !address
                        .chars()
                        .any(|c| c.is_control() || c == ' ' || c == ',');
                is_one.then_some(Rua::Mail(address))
            }
            https @ Rua::Https(_) => Some(https),
        }
    }
}

impl Record {
    /// From the texts of all TXT records of the name; each with its strings joined.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Record, RecordProblem> {
        // §3: what does not begin with `v=TLSRPTv1;` is discarded; there may be white space before the `;`.
        let ours = |text: &&str| {
            let rest = text.strip_prefix(VERSION).map(str::trim_start);
            rest.is_some_and(|rest| rest.starts_with(';'))
        };
        let records: Vec<&str> = texts.into_iter().filter(ours).collect();
        let text = match records.as_slice() {
            [] => return Err(RecordProblem::None),
            [one] => *one,
            [_, _, ..] => {
                let count = records.len();
                return Err(RecordProblem::Several { count });
            }
        };
        let mut rua = Vec::new();
        for field in text.split(';').skip(1) {
            // Unknown fields are ignored.
            let Some(uris) = field.trim().strip_prefix("rua=") else {
                continue;
            };
            for place in uris.split(',').filter_map(|uri| Rua::of(uri.trim())) {
                if !rua.contains(&place) && rua.len() < MOST {
                    rua.push(place);
                }
            }
        }
        match rua.is_empty() {
            true => Err(RecordProblem::NoRua {
                text: text.chars().take(QUOTED).collect(),
            }),
            false => Ok(Record { rua }),
        }
    }
}

/// RFC 3986 §2.1; what is no UTF-8 then is no address.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%');
        let digits = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
