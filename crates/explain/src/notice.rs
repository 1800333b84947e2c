//! What the sender reads of a message that is late, and of one that arrived.

use diagnosis::Diagnosis;
use jiff::Timestamp;
use queue::Decision;
use smtp::Address;

use crate::explanation::{Next, explain};
use crate::layout::{paragraph, safe};
use crate::words::{plain, say};
use crate::{Lang, time};

/// As wide as plain-text mail usually is.
const WIDTH: usize = 76;
/// Recipients that are told of one by one.
const TOLD: usize = 20;

/// A recipient that waits.
#[derive(Clone, Debug)]
pub struct DelayedRecipient<'a> {
    /// The address.
    pub address: &'a Address,
    /// What the last attempt met; `None`: there was none.
    pub diagnosis: Option<&'a Diagnosis>,
    /// When it is tried next, and why then.
    pub next: Option<&'a Decision>,
    /// Attempts made.
    pub attempts: u32,
}

/// A recipient whose mail arrived.
#[derive(Clone, Debug)]
pub struct ArrivedRecipient<'a> {
    /// The address.
    pub address: &'a Address,
    /// Where it went on to, if it is not in the mailbox.
    pub relayed_to: Option<&'a str>,
}

/// The subject of a notice of delay.
#[must_use]
pub fn delay_subject(recipients: &[DelayedRecipient<'_>], lang: Lang) -> String {
    let addresses: Vec<&Address> = recipients.iter().map(|r| r.address).collect();
    subject("delay-subject", &addresses, lang)
}

/// The first part of a notice of delay. `times`: when the message came, and when it is given up.
#[must_use]
pub fn delay(
    recipients: &[DelayedRecipient<'_>],
    hostname: &str,
    (received_at, expires_at): (Timestamp, Timestamp),
    now: Timestamp,
    lang: Lang,
) -> String {
    let mut out = String::new();
    let waited = time::span(time::ago(received_at, now), lang);
    let opening = say(
        lang,
        "delay-opening",
        &[("host", hostname.into()), ("waited", (&waited).into())],
    );
    paragraph(&mut out, "", &opening, WIDTH);
    for recipient in recipients.iter().take(TOLD) {
        out.push('\n');
        waiting(&mut out, recipient, now, lang);
    }
    more(&mut out, recipients.len(), lang);
    out.push('\n');
    let until = time::when(expires_at, now, lang);
    let closing = say(lang, "delay-closing", &[("until", (&until).into())]);
    paragraph(&mut out, "", &closing, WIDTH);
    out
}

fn waiting(out: &mut String, recipient: &DelayedRecipient<'_>, now: Timestamp, lang: Lang) {
    paragraph(out, "  ", &safe(recipient.address.as_str()), WIDTH);
    let Some(diagnosis) = recipient.diagnosis else {
        paragraph(out, "    ", &plain(lang, "delay-untried"), WIDTH);
        return;
    };
    let next = Next {
        decision: recipient.next,
        now,
    };
    let words = explain(diagnosis, &next, lang);
    paragraph(out, "    ", &format!("{}.", words.headline), WIDTH);
    paragraph(out, "    ", &words.what, WIDTH);
    paragraph(
        out,
        "    ",
        &format!("{} {}", plain(lang, "report-who"), words.who),
        WIDTH,
    );
    paragraph(out, "    ", &words.next, WIDTH);
}

/// The subject of a notice of arrival.
#[must_use]
pub fn arrival_subject(recipients: &[ArrivedRecipient<'_>], lang: Lang) -> String {
    let addresses: Vec<&Address> = recipients.iter().map(|r| r.address).collect();
    subject("arrival-subject", &addresses, lang)
}

/// The first part of a notice of arrival.
#[must_use]
pub fn arrival(recipients: &[ArrivedRecipient<'_>], hostname: &str, lang: Lang) -> String {
    let mut out = String::new();
    let opening = say(lang, "arrival-opening", &[("host", hostname.into())]);
    paragraph(&mut out, "", &opening, WIDTH);
    out.push('\n');
    for recipient in recipients.iter().take(TOLD) {
        let address = safe(recipient.address.as_str());
        let line = match recipient.relayed_to {
            None => say(lang, "arrival-delivered", &[("address", (&address).into())]),
            Some(server) => say(
                lang,
                "arrival-relayed",
                &[
                    ("address", (&address).into()),
                    ("server", (&safe(server)).into()),
                ],
            ),
        };
        paragraph(&mut out, "  ", &line, WIDTH);
    }
    more(&mut out, recipients.len(), lang);
    out
}

/// The subject of a notice that addresses stand for several; each with whether it is a list.
#[must_use]
pub fn expanded_subject(addresses: &[(bool, Address)], lang: Lang) -> String {
    let plain: Vec<&Address> = addresses.iter().map(|(_, address)| address).collect();
    subject("expanded-subject", &plain, lang)
}

/// The first part of it.
#[must_use]
pub fn expanded(addresses: &[(bool, Address)], hostname: &str, lang: Lang) -> String {
    let mut out = String::new();
    let opening = say(lang, "arrival-opening", &[("host", hostname.into())]);
    paragraph(&mut out, "", &opening, WIDTH);
    out.push('\n');
    for (is_list, address) in addresses.iter().take(TOLD) {
        let key = match is_list {
            true => "expanded-list",
            false => "expanded-alias",
        };
        let address = safe(address.as_str());
        let line = say(lang, key, &[("address", (&address).into())]);
        paragraph(&mut out, "  ", &line, WIDTH);
    }
    more(&mut out, addresses.len(), lang);
    out
}

fn more(out: &mut String, all: usize, lang: Lang) {
    if all > TOLD {
        let more = say(
            lang,
            "story-and-more",
            &[("n", ((all - TOLD) as u64).into())],
        );
        paragraph(out, "  ", &more, WIDTH);
    }
}

fn subject(key: &str, addresses: &[&Address], lang: Lang) -> String {
    match addresses {
        [only] => say(lang, key, &[("address", only.as_str().into())]),
        several => say(
            lang,
            &format!("{key}-several"),
            &[("n", (several.len() as u64).into())],
        ),
    }
}
