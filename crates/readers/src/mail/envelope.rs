//! What a report's own header tells: that it is a report, and who it is from and to.

use jiff::Timestamp;

use super::address::{self, addresses};
use super::fields::Header;
use super::source::Source;
use super::status;

/// The header of a report, as far as it matters.
#[derive(Clone, Debug, Default)]
pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) subject: String,
    /// Who got the report.
    pub(super) to: Vec<String>,
    /// The server that took it on last (the `by` of the first Received field, RFC 5321 §4.4).
    pub(super) taken_by: Option<String>,
    /// X-Failed-Recipients, of Exim and others.
    pub(super) failed: Vec<String>,
    /// Whether its return path is empty (RFC 5321 §4.5.5).
    pub(super) null_sender: bool,
    /// Whether it says that it is an automatic answer (RFC 3834 §5).
    pub(super) auto_replied: bool,
    pub(super) at: Option<Timestamp>,
}

impl Envelope {
    pub(super) fn of_header(source: &Source<'_>, header: &Header) -> Envelope {
        let text = |name: &str| header.text(source, name).unwrap_or_default();
        let list = |name: &str| {
            let all = header.all(source, name).filter_map(super::fields::decoded);
            all.flat_map(|value| addresses(&value))
                .map(|address| address.text)
                .collect()
        };
        let auto = text("auto-submitted").to_ascii_lowercase();
        let from = text("from");
        let return_path = text("return-path");
        Envelope {
            // Exim marks its reports so too; what a person's mailbox answers is from that person.
            auto_replied: auto.starts_with("auto-replied") && !is_daemon(&from),
            from,
            subject: text("subject"),
            to: list("to"),
            taken_by: header.raw(source, "received").and_then(taken_by),
            failed: list("x-failed-recipients"),
            null_sender: return_path.trim() == "<>"
                || address::of_field(&return_path).is_some_and(|path| is_daemon(&path)),
            at: header
                .text(source, "date")
                .and_then(|value| status::date(&value)),
        }
    }

    /// How much the header speaks for a report: 0 to 3.
    pub(super) fn signs(&self) -> u8 {
        u8::from(self.is_from_a_server())
            + u8::from(self.null_sender)
            + 2 * u8::from(tells_of_report(&self.subject))
            + 3 * u8::from(!self.failed.is_empty())
    }

    fn is_from_a_server(&self) -> bool {
        let address = address::of_field(&self.from).unwrap_or_default();
        is_daemon(&address) || is_daemon(&self.from)
    }
}

/// The server that a Received field names behind `by`.
pub(super) fn taken_by(received: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(received);
    let mut words = text.split_ascii_whitespace();
    words.find(|word| *word == "by")?;
    words.next().map(str::to_owned)
}

/// Names that servers send reports by.
fn is_daemon(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "mailer-daemon",
        "mailer_daemon",
        "mailerdaemon",
        "postmaster",
        "post_master",
        "post-master",
        "mail-daemon",
        "maildaemon",
        "mdaemon",
        "mail delivery",
        "mail administrator",
        "mail-administrator",
        "system administrator",
        "mailer",
        "bounce",
        "majordomo",
        "no-reply",
        "noreply",
        "delivery",
        "mail system",
        "mailsystem",
        "amazonses",
        "microsoftexchange",
        "mmdf",
        "uucp",
    ];
    let lower = name.to_ascii_lowercase();
    NAMES.iter().any(|known| lower.contains(known))
}

/// Whether a subject is one that reports have.
fn tells_of_report(subject: &str) -> bool {
    const PARTS: &[&str] = &[
        "undeliver",
        "undelivr",
        "fail",
        "returned mail",
        "returned to sender",
        "returned message",
        "delivery status",
        "delivery notification",
        "delivery error",
        "delivery problem",
        "delivery report",
        "delivery has",
        "delivery delay",
        "delivery incomplete",
        "not delivered",
        "not deliver",
        "non-deliver",
        "nondeliver",
        "non deliver",
        "could not",
        "couldn't",
        "cannot",
        "can't",
        "unable",
        "unknown",
        "bounce",
        "delayed",
        "delay",
        "warning",
        "rejected",
        "error",
        "no such",
        "mail system",
        "mailsystem",
        "problem",
        "blocked",
        "unzustell",
        "unzustellbar",
        "nicht zugestellt",
        "non remis",
        "échec",
        "onbestelbaar",
        "niet bezorgd",
        "mancato recapito",
        "non recapit",
        "no se pudo",
        "no entregado",
        "não entreg",
        "недостав",
        "не доставлен",
        "配信",
        "送信",
        "エラー",
        "return",
        "disabled",
    ];
    let lower = subject.to_lowercase();
    PARTS.iter().any(|part| lower.contains(part))
}
