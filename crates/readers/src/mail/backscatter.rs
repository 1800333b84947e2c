//! Reports about mail that their reader never sent: spam with their address on it.
//!
//! Only plain evidence counts. What was returned claims to be from the domain that the report went to,
//! yet nothing on its way knows that domain: no server that took it on, no Message-ID, no signature. Mail
//! that is sent through a provider for many domains proves nothing.

use super::about::Returned;

/// Parts of the names of servers that send for other domains.
const PROVIDERS: &[&str] = &[
    "google",
    "gmail",
    "outlook",
    "hotmail",
    "microsoft",
    "amazonses",
    "amazonaws",
    "sendgrid",
    "mailgun",
    "mailchimp",
    "mandrill",
    "mcsv",
    "sparkpost",
    "postmark",
    "mailjet",
    "sendinblue",
    "brevo",
    "mimecast",
    "pphosted",
    "messagelabs",
    "barracuda",
    "zoho",
    "yahoo",
    "icloud",
    "fastmail",
    "messagingengine",
    "protonmail",
    "proton.ch",
    "ovh",
    "ionos",
    "kundenserver",
    "secureserver",
    "transip",
    "one.com",
    "strato",
    "smtp2go",
    "localhost",
];

/// Whether what was returned was most likely sent by others, in the name of who got the report.
pub(super) fn is_likely(returned: &Returned, to: &[String]) -> bool {
    let [to] = to else { return false };
    let (Some(own), Some(from)) = (domain(to), returned.about.from.as_deref().and_then(domain))
    else {
        return false;
    };
    if own != from || returned.received.is_empty() || returned.signed_by.contains(&own) {
        return false;
    }
    let id = returned.about.message_id.as_deref();
    let id = id.unwrap_or_default().to_lowercase();
    let provider = |name: &&str| returned.received.contains(*name) || id.contains(*name);
    !id.is_empty()
        && !id.contains(&own)
        && !returned.received.contains(&own)
        && !PROVIDERS.iter().any(|name| provider(&name))
}

/// The domain of an address, in lower case: its last two labels, or three below a short one (`co.jp`).
fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    let lower = domain.to_lowercase();
    let labels: Vec<&str> = lower.split('.').collect();
    let keep = match labels.as_slice() {
        [.., second, first] if second.len() <= 3 && first.len() == 2 => 3,
        _ => 2,
    };
    let from = labels.len().saturating_sub(keep);
    let kept = labels[from..].join(".");
    kept.contains('.').then_some(kept)
}
