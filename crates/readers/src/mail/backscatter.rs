//! Reports about mail that their reader never sent: spam with their address on it.
//!
//! Only plain evidence counts. What was returned claims to be from the domain that the report went to,
//! yet nothing on its way knows that domain, nor the server that the reader's mail comes to: no server
//! that took it on, no Message-ID, no signature; only servers of those who report took it on, straight
//! from somewhere. Mail that is sent through a provider for many domains, or by somebody who logged in,
//! proves nothing.

use super::about::Returned;
use super::address;
use super::envelope::Envelope;

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
pub(super) fn is_likely(returned: &Returned, envelope: &Envelope) -> bool {
    let [to] = envelope.to.as_slice() else {
        return false;
    };
    let Some(server) = envelope.taken_by.as_deref().and_then(registered) else {
        return false;
    };
    let (Some(own), Some(from)) = (domain(to), returned.about.from.as_deref().and_then(domain))
    else {
        return false;
    };
    // Our own servers, or those of a provider of ours, would have taken it on first.
    let reporter = address::of_field(&envelope.from).and_then(|from| domain(&from));
    let straight = returned
        .taken_by
        .iter()
        .all(|by| reporter.is_some() && registered(by) == reporter);
    if !straight || own != from || returned.received.is_empty() || returned.signed_by.contains(&own)
    {
        return false;
    }
    let id = returned.about.message_id.as_deref();
    let id = id.unwrap_or_default().to_lowercase();
    // RFC 3848: `with ESMTPA`, `with ESMTPSA`.
    let logged_in = ["esmtpa", "esmtpsa", "authenticated", "asmtp"]
        .iter()
        .any(|word| returned.received.contains(word));
    let provider = |name: &str| returned.received.contains(name) || id.contains(name);
    !id.is_empty()
        && !id.contains(&own)
        && !id.contains(&server)
        && !logged_in
        && !returned.received.contains(&own)
        && !returned.received.contains(&server)
        && !PROVIDERS.iter().any(|name| provider(name))
}

/// The domain of an address, as far as it is somebody's.
fn domain(address: &str) -> Option<String> {
    registered(address.rsplit_once('@')?.1)
}

/// The part of a name that is somebody's, in lower case: its last two labels, or three below a short one (`co.jp`).
fn registered(domain: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::About;

    fn likely(received: &str, id: &str, taken_by: &str) -> bool {
        let returned = Returned {
            about: About {
                message_id: Some(id.to_owned()),
                from: Some("jan@example.org".to_owned()),
                subject: None,
            },
            received: received.to_owned(),
            taken_by: vec!["mx.example.net".to_owned()],
            ..Returned::default()
        };
        let envelope = Envelope {
            from: "MAILER-DAEMON@example.net".to_owned(),
            to: vec!["jan@example.org".to_owned()],
            taken_by: Some(taken_by.to_owned()),
            ..Envelope::default()
        };
        is_likely(&returned, &envelope)
    }

    #[test]
    fn mail_that_never_came_near_us_was_not_ours() {
        let forged = "from dsl.example.com by mx.example.net with smtp";
        assert!(likely(forged, "1@dsl.example.com", "mx1.example.org"));
        for (received, id, taken_by) in [
            (forged, "1@mail.example.org", "mx1.example.org"),
            (
                "from mx1.example.org by mx.example.net",
                "1@pc",
                "mx1.example.org",
            ),
            (
                "from out.host.example by mx.example.net",
                "1@pc",
                "in.host.example",
            ),
            (
                "from pc by relay.example.com with esmtpsa",
                "1@pc",
                "mx1.example.org",
            ),
            (
                "from mail-x.google.com by mx.example.net",
                "1@pc",
                "mx1.example.org",
            ),
            ("", "1@pc", "mx1.example.org"),
        ] {
            assert!(!likely(received, id, taken_by), "{received}");
        }
    }
}
